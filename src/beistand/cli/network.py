"""`beistand network`: addresses and prerequisites of both appliances (S4)."""

import click

from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.checks import NO, YES
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
            ("cli.setup-code.fingerprint", view.certificate or console.term("cli.setup-code.no-certificate")),
        ]
    )
    names = [console.term(f"check.{each.code}") for each in view.checks]
    width = max(map(len, names), default=0) + 2
    peer = view.peer.host if view.peer else "-"
    own = [_in_words(console, each.code, each.own) for each in view.checks]
    columns = max([len(each) for each in own] + [len(view.own.host)]) + 2
    console.text(f"{'':<{width}}{view.own.host:<{columns}}{peer}")
    for name, here, each in zip(names, own, view.checks, strict=True):
        mark = "" if each.finding is None else "  !"
        there = _in_words(console, each.code, each.peer)
        console.text(f"{name:<{width}}{here:<{columns}}{there}{mark}")
    console.findings([each.finding for each in view.checks if each.finding])


def _in_words(console: Console, code: str, value: str) -> str:
    """Return one side of a prerequisite as people of this language write it."""
    if value in (YES, NO):
        return console.term("cli.yes-word" if value == YES else "cli.no-word")
    return console.term("cli.moment", at=value) if code == "clock" and value else value or "-"


def _candidates(console: Console, view: NetworkView) -> None:
    console.line("cli.network.candidates")
    for address, interface in zip(view.candidates, view.interfaces, strict=True):
        console.text(f"  {address}  {interface}")
    console.line("cli.network.profiles", profiles=", ".join(view.profiles) or "-")
