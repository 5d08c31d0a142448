"""`beistand status`: what an administrator asks first, in about ten lines."""

import click

from beistand.cli.choices import show_choices
from beistand.cli.console import Console
from beistand.cli.jobs import progress_line
from beistand.cli.verb import verb
from beistand.client import Client
from beistand.domain.finding import Severity
from beistand.domain.generation import Copy, CopyState
from beistand.domain.role import Role
from beistand.domain.waits import until_state
from beistand.protocol import GetStatus, PeerView, Status
from beistand.text.catalogue import sentence


@click.command("status")
@verb
def command(console: Console) -> None:
    """Show role, peer, newest copy, next cycle, findings."""
    with Client() as client:
        status = client.call(GetStatus(), Status)
    console.document(status)
    if not status.initialised:
        console.line("cli.status.not-initialised", host=status.host)
    elif status.state == "out-of-order":
        # It cannot read what it is: no line about roles and copies would be true.
        console.line("cli.status.out-of-order", host=status.host)
    else:
        console.pairs(_lines(console, status))
    console.findings(status.findings)
    if pressing := sum(each.severity is Severity.BLOCK for each in status.findings):
        console.line("cli.status.pressing", count=pressing)
    show_choices(console, status)


def _lines(console: Console, status: Status) -> list[tuple[str, str]]:
    role = console.term(f"role.{status.role}") if status.role else "-"
    state = console.term(f"state.{status.state}")
    lines = [
        ("cli.status.appliance", f"{status.host}: {role}, {state}"),
        ("cli.status.addresses", _addresses(console, status)),
        ("cli.status.peer", _peer(console, status.peer)),
        ("cli.status.usable", _usable(console, status)),
        ("cli.status.newest", _newest(console, status.newest)),
        ("cli.status.next", _next(console, status)),
        ("cli.status.version", _version(console, status)),
    ]
    if ends := until_state(status.state, status.role):
        lines.insert(1, ("cli.status.until", sentence(ends, console.language)))
    if status.job:
        kind = console.term(f"job.kind.{status.job.kind}")
        progress = progress_line(console, status.job) if status.job.stage else "…"
        lines.append(("cli.status.job", f"{kind}: {progress}"))
    return lines


def _version(console: Console, status: Status) -> str:
    if not status.libraries:
        return status.version
    return console.term("cli.status.version.value", version=status.version, libraries=status.libraries)


def _addresses(console: Console, status: Status) -> str:
    return console.term(
        "cli.status.addresses.value",
        service=status.service_address,
        own=status.own_address,
        epoch=status.epoch,
    )


def _peer(console: Console, peer: PeerView | None) -> str:
    if peer is None:
        return console.term("cli.status.unpaired")
    role = console.term(f"role.{peer.role}") if peer.role else "?"
    where = f"{peer.host} ({peer.own_address}), {role}"
    if not peer.connected:
        return f"{where}, {console.term('cli.status.silent', seconds=peer.silent_seconds)}"
    is_serving = f", {console.term('state.serving')}" if peer.serving else ""
    return f"{where}, {console.term('cli.status.connected')}{is_serving}"


def _usable(console: Console, status: Status) -> str:
    if any(each.code == "no-standby" for each in status.findings):
        return console.term("cli.status.no-standby")
    if status.role is Role.SUPERSEDED:
        return console.term("cli.status.own-data")
    if status.usable is None:
        return console.term("cli.status.no-copy")
    if status.usable_age_seconds is None:
        return console.term("cli.status.usable.undated", generation=status.usable.generation.id)
    return console.term(
        "cli.status.usable.value",
        generation=status.usable.generation.id,
        age=status.usable_age_seconds,
        state=console.term(f"copy.{status.usable.state}"),
    )


def _newest(console: Console, copy: Copy | None) -> str:
    return describe(console, copy) if copy else console.term("cli.status.no-cycle")


def describe(console: Console, copy: Copy) -> str:
    """Return one line about a copy: its generation, its truthful state, and why it failed."""
    text = f"{copy.generation.id}: {console.term(f'copy.{copy.state}')}"
    if copy.state is CopyState.FAILED:
        stage = console.term(f"job.stage.{copy.failed_stage}") if copy.failed_stage else ""
        why = sentence(copy.why, console.language) if copy.why else ""
        text = ": ".join(each for each in (text, stage, why) if each)
    taken = console.term("cli.status.took", seconds=copy.seconds) if copy.seconds else ""
    return f"{text}{taken}"


def _next(console: Console, status: Status) -> str:
    if status.pause:
        since = status.pause.since.isoformat()
        return console.term("cli.status.paused", who=status.pause.who, since=since)
    if not status.next_cycle:
        return console.term("cli.status.no-next")
    if status.attempt:
        return console.term(
            "cli.status.next-try", at=status.next_cycle, attempt=status.attempt, attempts=status.attempts
        )
    return console.term("cli.status.next.value", at=status.next_cycle)
