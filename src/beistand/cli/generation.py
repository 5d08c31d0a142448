"""`beistand generation`: the last cycles and what a takeover can serve."""

import click

from beistand.cli.console import Console
from beistand.cli.status import describe
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.protocol import GenerationList, ListGenerations


@click.group("generation")
def command() -> None:
    """Generations and restore points."""


@command.command("list")
@verb
def list_generations(console: Console) -> None:
    """Show the last cycles and the restore points, newest first."""
    with Client() as client:
        answer = client.call(ListGenerations(), GenerationList)
    console.document(answer)
    if not answer.copies and not answer.restore_points:
        console.line("cli.generation.none")
        return
    for copy in answer.copies:
        console.text(describe(console, copy))
    if answer.restore_points:
        console.line("cli.generation.restore-points")
    for each in answer.restore_points:
        mark = "*" if each.id == answer.live else " "
        size = console.term("cli.size", size=each.size)
        console.text(f"{mark} {each.id}  {console.term('cli.moment', at=each.begin.isoformat())}  {size}")
