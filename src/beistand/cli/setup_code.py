"""`beistand setup-code`: the way into the pages for the first administrator, and for one who is locked out."""

import click

from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.role import Role
from beistand.protocol import GetStatus, MakeSetupCode, SetupCode, Status


@click.command("setup-code")
@verb
def command(console: Console) -> None:
    """Make a one-time code: whoever types it into the pages within an hour becomes an administrator."""
    with Client() as client:
        answer = client.call(MakeSetupCode(), SetupCode)
        status = client.call(GetStatus(), Status)
    console.document(answer)
    console.pairs(
        [
            ("cli.setup-code.code", answer.code),
            ("cli.setup-code.until", console.term("cli.moment", at=answer.expires.isoformat())),
            ("cli.setup-code.url", answer.url),
            (
                "cli.setup-code.fingerprint",
                answer.fingerprint or console.term("cli.setup-code.no-certificate"),
            ),
        ]
    )
    if status.role is not Role.ACTIVE and status.peer is not None and status.peer.connected:
        console.line("cli.setup-code.on-the-active", peer=status.peer.host)
