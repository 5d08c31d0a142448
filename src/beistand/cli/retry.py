"""`beistand retry`: start the telephone system once more after it would not."""

import click

from beistand.cli.client import Client
from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.protocol import Done, RetryService

START_SECONDS = 120.0


@click.command("retry")
@verb
def command(console: Console) -> None:
    """Start the PBX of the active again after it failed."""
    with Client() as client:
        console.document(client.call(RetryService(), Done, START_SECONDS))
    console.line("cli.retry.done")
