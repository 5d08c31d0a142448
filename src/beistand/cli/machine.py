"""`beistand machine`: which machine this installation belongs to, and which one it runs on."""

import click

from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.errors import Refused
from beistand.protocol import ConfirmMachine, GetMachine, MachineView


@click.command("machine")
@click.option("--confirm", is_flag=True, help="This is the machine itself, with other network cards.")
@click.option("--host", default="", help="Its name, instead of typing it.")
@verb
def command(console: Console, *, confirm: bool, host: str) -> None:
    """Show the network cards that this installation knows, and those that are there now."""
    with Client() as client:
        view = client.call(GetMachine(), MachineView)
        if confirm:
            view = _confirm(console, client, view, host)
    console.document(view)
    console.pairs(
        [
            ("cli.machine.host", view.host or "-"),
            ("cli.machine.known", ", ".join(view.known) or "-"),
            ("cli.machine.seen", ", ".join(view.seen) or "-"),
        ]
    )
    console.line(
        "cli.machine.copy" if view.is_copy else "cli.machine.own" if view.is_known else "cli.machine.unknown"
    )


def _confirm(console: Console, client: Client, view: MachineView, host: str) -> MachineView:
    if not view.is_copy:
        raise Refused("machine-not-asked")
    if not host:
        if not console.is_interactive:
            raise click.UsageError("--host is missing")
        console.line("cli.machine.warning", host=view.host)
        host = console.ask("cli.machine.ask-host")
    return client.call(ConfirmMachine(host=host.strip()), MachineView)
