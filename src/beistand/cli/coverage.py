"""`beistand coverage`: what is not carried over (B4)."""

import click

from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.protocol import Coverage, GetCoverage


@click.command("coverage")
@verb
def command(console: Console) -> None:
    """Show what lies in the telephone system's folders and is not carried over."""
    with Client() as client:
        answer = client.call(GetCoverage(), Coverage)
    console.document(answer)
    if answer.at is None:
        console.line("cli.coverage.not-looked")
        return
    console.line("cli.coverage.at", at=answer.at.isoformat())
    for each in answer.uncovered:
        size = console.term("cli.size", size=each.bytes)
        console.text(f"  {each.path}  {each.files}  {size}  {console.term(f'uncovered.{each.why}')}")
    if not answer.uncovered:
        console.line("cli.coverage.nothing")
    if answer.growing:
        console.line("cli.coverage.growing")
        for path in answer.growing:
            console.text(f"  {path}")
