"""`beistand audit`: who did what."""

import click

from beistand.cli.console import Console
from beistand.cli.reading import how_many, read, tell_the_cut
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.protocol import AuditLines, ReadAudit
from beistand.text.audit import audited


@click.command("audit")
@click.option("--contains", default="", help="Only lines with this text.")
@how_many(50)
@verb
def command(console: Console, *, contains: str, limit: int) -> None:
    """Show who did what, or was refused it, newest first."""
    with Client() as client:
        answer = read(client, ReadAudit(contains=contains, limit=limit), AuditLines)
    console.document(answer)
    for each in answer.lines:
        at = console.term("cli.moment", at=each.at.isoformat())
        who = each.who or console.term("cli.audit.unknown")
        place = f" ({each.address})" if each.address else ""
        console.text(f"{at}  {who}{place}  {audited(each.what, console.language)}")
    tell_the_cut(console, answer)
    if not answer.lines:
        console.line("cli.audit.none")
