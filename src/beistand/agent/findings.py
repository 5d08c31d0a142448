"""What a person should know now: every part is asked by itself, and none that fails silences the others."""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from beistand.adapters.libraries import libraries_of
from beistand.agent.deciding import about_takeovers
from beistand.agent.licensing import found_in_licences, today
from beistand.agent.link import OTHER_PROTOCOL
from beistand.agent.pausing import known_pause
from beistand.domain.alarm import SILENCE_SECONDS, peer_alarms
from beistand.domain.finding import Finding, Severity
from beistand.domain.health import copy_findings, prerequisites
from beistand.domain.library_age import library_findings
from beistand.domain.message import Field, Message
from beistand.domain.outlook import outlook_findings
from beistand.domain.pair import has_standby
from beistand.domain.pause import pause_finding
from beistand.domain.role import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from beistand.agent.agent import Agent
    from beistand.domain.judging import Judging
    from beistand.domain.pair import Appliance, Pair
    from beistand.domain.pause import Pause

BESIDE = ("local-backup-failed",)
"""Troubles that touch neither the copy on the other appliance nor a takeover."""
CLEAR = ("host-key-changed", "host-key-unknown", "peer-key-refused", OTHER_PROTOCOL)
"""Where the machine answers that should be the peer, and one does not believe or not understand the other."""
ORDER = (Severity.BLOCK, Severity.CONFIRM, Severity.WARN, Severity.INFO)

Part = tuple[str, Severity, "Callable[[], Iterable[Finding]]"]
"""A name, how much it weighs that the part cannot be judged, and what looks. BLOCK where its silence could hide
something that stops a takeover, an alarm or the service."""


def findings(agent: Agent, judging: Judging | None = None) -> tuple[Finding, ...]:
    """Return what a person should know now, the most pressing first; what failed in `judging` before is among it."""
    judging = judging or agent.judging()
    found: list[Finding] = []
    for name, severity, look in _parts(agent):
        found += judging.findings(name, look, severity)
    pair = judging.part("pair", agent.store.pair, None)
    if pair is not None:
        for name, severity, look in _parts_of_pair(agent, pair):
            found += judging.findings(name, look, severity)
        both = judging.part("prerequisites", lambda: _both(agent, pair), None)
        found += prerequisites(*both, judging) if both else ()
    elif all(each.fields["part"] != "pair" for each in judging.failed):
        found.append(Finding(code="not-paired", severity=Severity.WARN))
    return by_severity([*found, *judging.failed])


def _parts(agent: Agent) -> tuple[Part, ...]:
    return (
        ("keeper", Severity.BLOCK, agent.keeper.findings),
        ("takeovers", Severity.BLOCK, partial(about_takeovers, agent)),
        ("network-setup", Severity.WARN, agent.network_setup.findings),
        ("troubles", Severity.BLOCK, partial(troubles, agent)),
        ("readers", Severity.WARN, partial(troubles_of_readers, agent)),
        ("licences", Severity.WARN, partial(found_in_licences, agent)),
        ("libraries", Severity.WARN, lambda: library_findings(libraries_of(), today(agent))),
        ("own-machine", Severity.BLOCK, agent.own_machine.findings),
        ("strays", Severity.BLOCK, agent.strays.findings),
        ("coverage", Severity.WARN, agent.coverage.findings),
        ("network-files", Severity.BLOCK, agent.network_file_look.findings),
        ("gate", Severity.BLOCK, agent.keeper.gate_watch.findings),
        ("directory", Severity.WARN, agent.directory.findings),
        ("postman", Severity.BLOCK, agent.postman.findings),
        ("room", Severity.WARN, agent.room.findings),
        ("alarms", Severity.BLOCK, agent.alarms.findings),
    )


def _parts_of_pair(agent: Agent, pair: Pair) -> tuple[Part, ...]:
    return (
        ("line", Severity.BLOCK, partial(_line, agent)),
        ("peer-words", Severity.BLOCK, agent.peer_words.findings),
        ("peer-alarms", Severity.BLOCK, partial(_peer_alarms, agent, pair)),
        ("outlook", Severity.BLOCK, partial(_outlook, agent, pair)),
        ("pause", Severity.WARN, partial(_paused, agent)),
        ("copy", Severity.BLOCK, partial(_copy, agent, pair)),
    )


def by_severity(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return them with the most pressing first."""
    return tuple(sorted(found, key=lambda each: ORDER.index(each.severity)))


def troubles(agent: Agent) -> list[Finding]:
    """Return what is wrong with this appliance itself."""
    return [
        Finding(
            code=each.code,
            severity=Severity.WARN if each.code in BESIDE else Severity.BLOCK,
            fields=dict(each.fields),
        )
        for _, each in sorted(agent.troubles.items())
    ]


def troubles_of_readers(agent: Agent) -> list[Finding]:
    """Return which files are not read: what stands in them is missing in plans."""
    return [
        Finding(code=each.code, severity=Severity.WARN, fields=dict(each.fields))
        for each in agent.wiring.readers.troubles()
    ]


def pause_on_now(agent: Agent) -> Pause | None:
    """Return the pause of the pair's cycles, if they rest."""
    pause = known_pause(agent)
    return pause if pause and pause.is_on else None


def _both(agent: Agent, pair: Pair) -> tuple[Appliance, Appliance]:
    mine, greeting = agent.appliance(), agent.link.current()
    # A silent peer's clock cannot be read: what it said of itself long ago still holds for the rest.
    now = agent.peer_clock.now() if greeting else mine.now
    return mine, msgspec.structs.replace(greeting.appliance if greeting else pair.peer, now=now)


def _line(agent: Agent) -> list[Finding]:
    """Return what is wrong with the way to the peer; heard or not, a cycle needs our own one."""
    why, is_connected = agent.link.why_unreached(), agent.link.is_connected()
    found = []
    if not is_connected and not agent.link.speaks_otherwise():
        fields: dict[str, Field] = {
            "seconds": round(agent.link.silent_seconds()),
            "why": str(why or Message(code="peer-silent")),
        }
        is_long = agent.link.silent_seconds() >= SILENCE_SECONDS
        severity = Severity.BLOCK if is_long else Severity.WARN
        found.append(Finding(code="peer-silent", severity=severity, fields=fields))
    if why is not None and (is_connected or why.code in CLEAR):
        found.append(Finding(code=why.code, severity=Severity.BLOCK, fields=dict(why.fields)))
    return found


def _peer_alarms(agent: Agent, pair: Pair) -> tuple[Finding, ...]:
    greeting = agent.link.current()
    return (
        peer_alarms(greeting.alarm, greeting.appliance.host)
        if greeting
        else peer_alarms(None, pair.peer.host)
    )


def _outlook(agent: Agent, pair: Pair) -> tuple[Finding, ...]:
    greeting = agent.link.current()
    theirs = greeting.appliance if greeting else pair.peer
    told = greeting.outlook if greeting else None
    return outlook_findings(agent.lookout.outlook(), told, socket.gethostname(), theirs.host)


def _paused(agent: Agent) -> tuple[Finding, ...]:
    pause = pause_on_now(agent)
    return (pause_finding(pause, agent.clock.now()),) if pause else ()


def _copy(agent: Agent, pair: Pair) -> tuple[Finding, ...]:
    standing = agent.store.standing()
    if standing.role is Role.ACTIVE and not has_standby(standing, agent.link.current()):
        return (Finding(code="no-standby", severity=Severity.WARN),)
    if standing.role is Role.SUPERSEDED:
        return ()
    usable, newest = agent.usable(), next(iter(agent.store.copies(1)), None)
    dated = agent.clock_of(usable.generation) if usable else agent.clock.now()
    return copy_findings(agent.store.config(), usable, dated, pair.since, agent.clock.zone(), newest=newest)
