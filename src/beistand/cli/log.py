"""`beistand log`: the module's own log, newest first (S8)."""

import click

from beistand.cli.console import Console
from beistand.cli.reading import how_many, read, tell_the_cut
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.config import LogLevel
from beistand.protocol import LogLines, ReadModuleLog
from beistand.text.catalogue import sentence


@click.command("log")
@click.option(
    "--level",
    type=click.Choice([each.value for each in LogLevel]),
    default=None,
    help="As pressing, or more.",
)
@click.option("--contains", default="", help="Only lines with this text.")
@how_many(200)
@verb
def command(console: Console, *, level: str | None, contains: str, limit: int) -> None:
    """Show the module's own log, newest first."""
    with Client() as client:
        answer = read(client, ReadModuleLog(level=level or "", contains=contains, limit=limit), LogLines)
    console.document(answer)
    for each in answer.lines:
        at = console.term("cli.moment", at=each.at.isoformat())
        told, plain = sentence(each.message, console.language), str(each.message)
        # What programs look for stands behind the words, as it does behind those of a finding.
        console.text(f"{at}  {each.level:<7}  {told}" + (f"  [{plain}]" if told != plain else ""))
    tell_the_cut(console, answer)
    if not answer.lines:
        console.line("cli.log.empty")
