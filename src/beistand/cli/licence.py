"""`beistand licence`: which licence names this appliance."""

import click

from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.protocol import GetStatus, Status


@click.group("licence")
def command() -> None:
    """Licences of this appliance."""


@command.command("list")
@verb
def list_licences(console: Console) -> None:
    """Show the server licence key."""
    with Client() as client:
        status = client.call(GetStatus(), Status)
    console.document({"server": status.licence_key})
    if status.licence_key:
        console.line("cli.licence.server", key=status.licence_key)
    else:
        console.line("cli.licence.none")
