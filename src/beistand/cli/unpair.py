"""`beistand unpair`: end the pair on both sides."""

import click

from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.errors import Refused
from beistand.protocol import Done, GetStatus, Status, Unpair

SECONDS = 90.0


@click.command("unpair")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.option("--force", is_flag=True, help="Also where the other appliance does not answer.")
@verb
def command(console: Console, *, yes: bool, force: bool) -> None:
    """Retire the other appliance, or this one: nothing is carried over any more, and no key opens anything."""
    with Client() as client:
        status = client.call(GetStatus(), Status)
        if status.peer is None:
            raise Refused("not-paired")
        if not yes:
            if not console.is_interactive:
                raise click.UsageError("--yes is missing")
            console.line("cli.unpair.warning", peer=status.peer.host)
            if not console.confirm("cli.unpair.sure"):
                raise SystemExit(1)
        console.document(client.call(Unpair(force=force), Done, SECONDS))
    console.line("cli.unpair.done", peer=status.peer.host)
    console.line("cli.unpair.next")
