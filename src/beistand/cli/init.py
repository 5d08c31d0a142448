"""`beistand init`: make this machine an appliance."""

import click
import msgspec

from beistand.cli.console import Console
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.errors import BeistandError
from beistand.domain.role import Role
from beistand.protocol import Done, GetStatus, Init, Status, UndoInit
from beistand.text.catalogue import sentence

ENDS_CALLS = "init-ends-calls"
"""Code of the risk that a person accepts by typing a word, or a script by --force."""
UNDO_SECONDS = 120.0
INIT_SECONDS = 60.0
"""The PBX may run already and is asked for its version."""


@click.command("init")
@click.option("--active", is_flag=True, help="This machine serves the phones now.")
@click.option("--standby", is_flag=True, help="This machine stands by.")
@click.option("--force", is_flag=True, help="With --standby: stop a PBX that has calls or phones, unasked.")
@click.option("--undo", is_flag=True, help="Make this machine no appliance again.")
@click.option("--yes", is_flag=True, help="With --undo: ask nothing.")
@click.option("--interface", help="Network interface of the own address.")
@click.option("--address", help="Own address with prefix length, as 192.0.2.1/24.")
@click.option("--service-address", help="The address that the phones know.")
@click.option("--profile", help="Kind of appliance; see: beistand profile list.")
@click.option("--strict-boot", is_flag=True, help="After a boot with a silent peer wait for a click.")
@verb
def command(  # noqa: PLR0913  one for each option
    console: Console,
    *,
    active: bool,
    standby: bool,
    force: bool,
    undo: bool,
    yes: bool,
    strict_boot: bool,
    **given: str | None,
) -> None:
    """Make this machine an appliance: identity, licence, and on the active the first grant."""
    if undo:
        if active or standby or any(given.values()):
            raise click.UsageError("--undo stands alone")
        _undo(console, yes=yes)
        return
    request = Init(
        role=Role(_given(console, "--active or --standby", "cli.init.ask-role", one_role(active, standby))),
        interface=_given(console, "--interface", "cli.init.ask-interface", given["interface"]),
        own_address=_given(console, "--address", "cli.init.ask-address", given["address"]),
        service_address=_given(
            console, "--service-address", "cli.init.ask-service-address", given["service_address"]
        ),
        profile=_given(console, "--profile", "cli.init.ask-profile", given["profile"], default="asterisk"),
        strict_boot=strict_boot,
        language="de" if console.language == "de" else "en",
    )
    with Client() as client:
        make(console, client, request, force=force)
        status = client.call(GetStatus(), Status)
    console.document(status)
    console.line("cli.init.done", host=status.host, role=request.role, key=status.licence_key)
    console.line("cli.init.next-active" if request.role is Role.ACTIVE else "cli.init.next-standby")


def one_role(active: bool, standby: bool) -> str | None:
    """Return the role that was given, None without one. Raises UsageError for both."""
    if active and standby:
        raise click.UsageError("--active and --standby exclude each other")
    return Role.ACTIVE if active else Role.STANDBY if standby else None


def make(console: Console, client: Client, request: Init, *, force: bool) -> None:
    """Have the agent do it; where it would end calls, show them and ask for a word first."""
    try:
        client.call(request, Done, INIT_SECONDS)
    except BeistandError as error:
        told = error.message
        if told.code != ENDS_CALLS or not (force or console.is_interactive):
            raise
        if not force:
            console.text(sentence(told, console.language))
            word = console.term("cli.init.word")
            if console.ask("cli.init.ask-word").strip().lower() != word:
                raise SystemExit(1) from None
        client.call(msgspec.structs.replace(request, accept=(ENDS_CALLS,)), Done, INIT_SECONDS)


def _undo(console: Console, *, yes: bool) -> None:
    if not yes:
        if not console.is_interactive:
            raise click.UsageError("--yes is missing")
        if not console.confirm("cli.init.sure-undo"):
            raise SystemExit(1)
    with Client() as client:
        console.document(client.call(UndoInit(), Done, UNDO_SECONDS))
    console.line("cli.init.undone")


def _given(
    console: Console, option: str, question: str, value: str | None, default: str | None = None
) -> str:
    """Return what was given, else ask; without anybody to ask take the default, else it is wrong usage."""
    if value:
        return value
    if not console.is_interactive:
        if default:
            return default
        raise click.UsageError(f"{option} is missing")
    answer = console.ask(question, default)
    if option.startswith("--active") and answer not in (Role.ACTIVE, Role.STANDBY):
        raise click.UsageError(f"{answer}: active or standby")
    return answer
