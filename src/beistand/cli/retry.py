"""`beistand retry`: a person wants this appliance to serve, now."""

import click

from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.protocol import Done, RetryService

START_SECONDS = 120.0


@click.command("retry")
@verb
def command(console: Console) -> None:
    """Serve again: start the PBX that failed, take back a release, wait for a silent peer no longer."""
    with Client() as client:
        console.document(client.call(RetryService(), Done, START_SECONDS))
    console.line("cli.retry.done")
