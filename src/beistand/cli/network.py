"""`beistand network`: addresses and prerequisites of both appliances (S4)."""

import click

from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.protocol import GetNetwork, NetworkView


@click.command("network")
@verb
def command(console: Console) -> None:
    """Show addresses and prerequisites, on this appliance and on the other one."""
    with Client() as client:
        view = client.call(GetNetwork(), NetworkView)
    console.document(view)
    if view.own is None:
        _candidates(console, view)
        return
    holds = console.term("cli.yes-word" if view.is_holding else "cli.no-word")
    console.pairs(
        [
            ("cli.network.interface", view.interface),
            ("cli.network.subnet", view.subnet),
            ("cli.network.holding", holds),
        ]
    )
    names = [console.term(f"check.{each.code}") for each in view.checks]
    width = max(map(len, names), default=0) + 2
    peer = view.peer.host if view.peer else "-"
    columns = max([len(each.own) for each in view.checks] + [len(view.own.host)]) + 2
    console.text(f"{'':<{width}}{view.own.host:<{columns}}{peer}")
    for name, each in zip(names, view.checks, strict=True):
        mark = "" if each.finding is None else "  !"
        console.text(f"{name:<{width}}{each.own:<{columns}}{each.peer or '-'}{mark}")
    console.findings([each.finding for each in view.checks if each.finding])


def _candidates(console: Console, view: NetworkView) -> None:
    console.line("cli.network.candidates")
    for address, interface in zip(view.candidates, view.interfaces, strict=True):
        console.text(f"  {address}  {interface}")
    console.line("cli.network.profiles", profiles=", ".join(view.profiles) or "-")
