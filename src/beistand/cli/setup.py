"""`beistand setup`: join an existing installation, with a way back."""

import os
from pathlib import Path
from threading import Event

import click

from beistand.cli.console import Console
from beistand.cli.init import make, one_role
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.errors import Refused
from beistand.domain.finding import Finding, Severity
from beistand.domain.role import Role
from beistand.domain.setup import CHANGE_SECONDS, under_way
from beistand.protocol import (
    ConfirmSetup,
    GetNetwork,
    GetSetup,
    GetStatus,
    Init,
    NetworkView,
    PlanSetup,
    SetupPlan,
    SetupView,
    StartSetup,
    Status,
    UndoSetup,
)
from beistand.text.catalogue import sentence

PLAN_SECONDS = 30.0
LOOK_SECONDS = 1.0


@click.command("setup")
@click.option("--own-address", default="", help="New address of this machine itself, in the present subnet.")
@click.option("--interface", default="", help="Network interface, where more than one has a static address.")
@click.option(
    "--service-address", default="", help="Present address that the phones know, where there are several."
)
@click.option("--profile", default="asterisk", help="Kind of appliance; see: beistand profile list.")
@click.option("--active", is_flag=True, help="Its PBX serves the phones now; so it is without either.")
@click.option("--standby", is_flag=True, help="It stands by; its address stays its own.")
@click.option("--force", is_flag=True, help="With --standby: stop a PBX that has calls or phones, unasked.")
@click.option("--strict-boot", is_flag=True, help="After a boot with a silent peer wait for a click.")
@click.option("--dry-run", is_flag=True, help="Show what would be changed, and change nothing.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.option(
    "--confirm", "act", flag_value="confirm", help="Say, in a session to the new address: it works."
)
@click.option(
    "--at-console", is_flag=True, help="With --confirm: I sit at the machine and saw that it works."
)
@click.option("--undo", "act", flag_value="undo", help="Put everything back as it was.")
@click.option("--accept", multiple=True, help="With --undo: accept this risk by its code.")
@click.option("--state", "act", flag_value="state", help="Say how far the setup is.")
@verb
def command(  # noqa: PLR0913  one for each option
    console: Console,
    *,
    active: bool,
    standby: bool,
    force: bool,
    act: str | None,
    dry_run: bool,
    yes: bool,
    at_console: bool,
    accept: tuple[str, ...],
    strict_boot: bool,
    own_address: str,
    interface: str,
    service_address: str,
    profile: str,
) -> None:
    """Make a machine whose PBX has an address already an appliance: that address becomes the service address.

    The machine gets an own one. Whoever does not come over it within two minutes gets everything back as it was.
    """
    role = one_role(active, standby)
    with Client() as client:
        if act == "confirm":
            _confirm(console, client, at_console=at_console)
        elif act == "undo":
            _undo(console, client, accept, yes=yes, dry_run=dry_run)
        elif act == "state":
            _state(console, client.call(GetSetup(), SetupView))
        elif role == Role.STANDBY:
            given = (own_address, interface, service_address, profile)
            _stand_by(console, client, given, strict_boot=strict_boot, dry_run=dry_run, force=force)
        else:
            if not own_address:
                own_address = _asked(console, "--own-address", "cli.setup.ask-own-address")
            plan = PlanSetup(
                own_address=own_address,
                interface=interface,
                service_address=service_address,
                profile=profile,
            )
            _change_over(console, client, plan, strict_boot=strict_boot, dry_run=dry_run, yes=yes)


def _change_over(
    console: Console, client: Client, asked: PlanSetup, *, strict_boot: bool, dry_run: bool, yes: bool
) -> None:
    plan = client.call(asked, SetupPlan, PLAN_SECONDS)
    _show(console, plan)
    if dry_run:
        console.document(plan)
        return
    _need_yes(console, "cli.setup.sure", yes=yes)
    start = StartSetup(
        own_address=plan.own_address,
        interface=plan.interface,
        service_address=plan.service_address,
        profile=plan.profile,
        strict_boot=strict_boot,
        language="de" if console.language == "de" else "en",
    )
    view = client.call(start, SetupView, CHANGE_SECONDS)
    console.document(view)
    _state(console, view, quiet=console.as_json)
    if console.is_interactive:
        _follow(console, client)


def _show(console: Console, plan: SetupPlan) -> None:
    console.line("cli.setup.plan", service=plan.service_address.split("/")[0], own=plan.own_address)
    console.line("cli.setup.plan-files", manager=plan.manager, interface=plan.interface)
    for change in plan.changes:
        console.text(f"  {change.path}")
        for line in change.lines:
            console.text(f"    {line}")


def _follow(console: Console, client: Client) -> None:
    """Count down until somebody confirms in another session, or everything has gone back, or cannot yet."""
    never, view = Event(), client.call(GetSetup(), SetupView)
    while view.stage in ("waiting", "undoing") and view.trouble is None:
        told = under_way(view.stage)
        left = console.term("cli.setup.left", seconds=view.seconds_left)
        left = sentence(told, console.language) if told else left
        click.echo(f"\r\033[K{left}", nl=False)
        never.wait(LOOK_SECONDS)
        view = client.call(GetSetup(), SetupView, CHANGE_SECONDS)
    click.echo("\r\033[K", nl=False)
    _state(console, view)
    if view.stage != "confirmed":
        raise SystemExit(1)


def _state(console: Console, view: SetupView, *, quiet: bool = False) -> None:
    if not quiet:
        console.document(view)
    own, service = view.own_address.split("/")[0], view.service_address.split("/")[0]
    match view.stage:
        case "":
            console.line("cli.setup.never")
        case "waiting":
            console.line("cli.setup.waiting", own=own, seconds=view.seconds_left)
        case "confirmed":
            console.line("cli.setup.confirmed", own=own, service=service)
        case "undone":
            why = sentence(view.why, console.language) if view.why else "-"
            console.line("cli.setup.undone", service=service, why=why)
    if told := under_way(view.stage):
        console.text(sentence(told, console.language))
    if view.trouble is not None:
        found = Finding(code=view.trouble.code, severity=Severity.BLOCK, fields=view.trouble.fields)
        console.findings([found])


def _confirm(console: Console, client: Client, *, at_console: bool) -> None:
    request = ConfirmSetup(reached=reached(), at_console=at_console)
    _state(console, client.call(request, SetupView))


def _undo(console: Console, client: Client, accept: tuple[str, ...], *, yes: bool, dry_run: bool) -> None:
    view = client.call(GetSetup(), SetupView)
    if view.stage in ("waiting", "confirmed"):
        console.line(
            "cli.setup.undo",
            service=view.service_address.split("/")[0],
            own=view.own_address.split("/")[0],
            files=", ".join(view.files),
        )
        if dry_run:
            console.document(view)
            return
        _need_yes(console, "cli.setup.sure-undo", yes=yes)
    _state(console, client.call(UndoSetup(accept=accept), SetupView, CHANGE_SECONDS))


def _stand_by(
    console: Console,
    client: Client,
    given: tuple[str, str, str, str],
    *,
    strict_boot: bool,
    dry_run: bool,
    force: bool,
) -> None:
    """Take the machine's only static address as its own one; nothing of the network is changed."""
    own, interface, service, profile = given
    service = service or _asked(console, "--service-address", "cli.init.ask-service-address")
    address, name = _own(client, own, interface)
    request = Init(
        role=Role.STANDBY,
        interface=name,
        own_address=address,
        service_address=service.partition("/")[0],
        profile=profile,
        strict_boot=strict_boot,
        language="de" if console.language == "de" else "en",
    )
    if dry_run:
        console.document(request)
        console.line("cli.setup.standby-plan", own=address, interface=name, service=request.service_address)
        return
    make(console, client, request, force=force)
    status = client.call(GetStatus(), Status)
    console.document(status)
    console.line("cli.init.done", host=status.host, role=Role.STANDBY, key=status.licence_key)
    console.line("cli.init.next-standby")


def _own(client: Client, own: str, interface: str) -> tuple[str, str]:
    """Return the machine's static address and its interface. Raises Refused where it is not clear which."""
    view = client.call(GetNetwork(), NetworkView)
    found = [
        (address, name)
        for address, name in zip(view.candidates, view.interfaces, strict=True)
        if interface in ("", name) and own.partition("/")[0] in ("", address.partition("/")[0])
    ]
    if not found:
        raise Refused("setup-no-address", interface=interface or "-", address=own or "-")
    if len(found) > 1:
        addresses = ", ".join(f"{address} ({name})" for address, name in found)
        raise Refused("setup-several-own-addresses", addresses=addresses)
    return found[0]


def _need_yes(console: Console, question: str, *, yes: bool) -> None:
    if yes:
        return
    if not console.is_interactive:
        raise click.UsageError("--yes is missing")
    if not console.confirm(question):
        raise SystemExit(1)


def _asked(console: Console, option: str, question: str) -> str:
    if not console.is_interactive:
        raise click.UsageError(f"{option} is missing")
    return console.ask(question)


def reached(environment: str = "SSH_CONNECTION") -> str:
    """Return the address of this machine that this session's SSH connection came to; empty at the console.

    sudo leaves the variable out: then a parent of this process still has it (sshd(8), proc(5)).
    """
    said = os.environ.get(environment, "")
    pid = os.getppid()
    while not said and pid > 1:
        try:
            pairs = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            break
        found = (each for each in pairs if each.startswith(f"{environment}=".encode()))
        said, pid = next(found, b"=").decode(errors="replace").partition("=")[2], int(state[1])
    words = said.split()
    return words[2] if len(words) == 4 else ""
