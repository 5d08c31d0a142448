"""`beistand status`: what an administrator asks first."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import msgspec

from beistand import __version__
from beistand.agent.deciding import about_takeovers, choices_now, histories
from beistand.agent.licensing import found_in_licences
from beistand.agent.link import OTHER_PROTOCOL
from beistand.agent.out_of_order import out_of_order
from beistand.agent.pausing import known_pause
from beistand.domain.account import has_administrator
from beistand.domain.alarm import SILENCE_SECONDS, peer_alarms
from beistand.domain.choices import setup_choices
from beistand.domain.clocks import data_age
from beistand.domain.facts import Finding, Severity
from beistand.domain.generation import Copy
from beistand.domain.health import copy_findings, oldest_promised, prerequisites
from beistand.domain.job import JobKind
from beistand.domain.message import Field, Message
from beistand.domain.outlook import outlook_findings
from beistand.domain.pair import has_standby
from beistand.domain.pause import pause_finding
from beistand.domain.role import Role
from beistand.domain.schedule import next_run
from beistand.protocol import PeerView, Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from beistand.agent.agent import Agent
    from beistand.domain.pause import Pause

BESIDE = ("local-backup-failed",)
"""Troubles that touch neither the copy on the other appliance nor a takeover."""
CLEAR = ("host-key-changed", "host-key-unknown", "peer-key-refused", OTHER_PROTOCOL)
"""Where the machine answers that should be the peer, and one does not believe or not understand the other."""


def status(agent: Agent) -> Status:
    if trouble := agent.troubles.get("settings"):
        return out_of_order(trouble)
    if not agent.is_initialised:
        return _before_init(agent)
    standing, pair = agent.store.standing(), agent.store.pair()
    usable, attempts = agent.usable(), agent.store.attempts()
    return Status(
        initialised=True,
        role=standing.role,
        state=agent.state,
        host=socket.gethostname(),
        own_address=agent.node.installation.own_address,
        service_address=agent.node.installation.service_ip,
        epoch=standing.epoch,
        version=__version__,
        licence_key=agent.store.licences().server_key,
        pair=pair.id if pair else "",
        paired_since=pair.since if pair else None,
        peer=_peer(agent),
        newest=next(iter(agent.store.copies(1)), None),
        usable=usable,
        usable_age_seconds=_age(agent, usable),
        next_cycle=_next_cycle(agent),
        attempt=attempts.failed + 1 if attempts.next_at else 0,
        attempts=agent.store.config().attempts,
        job=agent.worker.running(),
        newest_takeover=agent.worker.newest(JobKind.TAKEOVER),
        oldest_promised_seconds=_promised(agent, usable),
        config_name="" if agent.store.config().is_removed else agent.store.config().name,
        has_administrator=has_administrator(agent.store.settings().accounts),
        findings=findings(agent),
        choices=choices_now(agent),
        histories=histories(agent),
        pause=_pause(agent),
    )


def _before_init(agent: Agent) -> Status:
    return Status(
        initialised=False,
        state="not-initialised",
        version=__version__,
        host=socket.gethostname(),
        has_administrator=has_administrator(agent.store.settings().accounts),
        findings=_sorted([*agent.network_setup.findings(), *_troubles(agent)]),
        choices=setup_choices(agent.network_setup.stage()),
    )


def _of_parts(agent: Agent) -> Iterator[Finding]:
    yield from agent.own_machine.findings()
    yield from agent.coverage.findings()
    yield from agent.network_file_look.findings()
    yield from agent.keeper.gate_watch.findings()
    yield from agent.directory.findings()
    yield from agent.postman.findings()
    yield from agent.room.findings()
    yield from agent.alarms.findings()


def findings(agent: Agent) -> tuple[Finding, ...]:
    """Return what a person should know now, the most pressing first."""
    found = [
        *agent.keeper.findings(),
        *about_takeovers(agent),
        *agent.network_setup.findings(),
        *_troubles(agent),
        *found_in_licences(agent),
        *_of_parts(agent),
    ]
    mine, pair = agent.appliance(), agent.store.pair()
    if pair is None:
        found.append(Finding(code="not-paired", severity=Severity.WARN))
        return _sorted(found)
    found += _line(agent)
    greeting = agent.link.current()
    # A silent peer's clock cannot be read: what it said of itself long ago still holds for the rest.
    now = agent.peer_clock.now() if greeting else mine.now
    theirs = msgspec.structs.replace(greeting.appliance if greeting else pair.peer, now=now)
    found += prerequisites(mine, theirs)
    found += peer_alarms(greeting.alarm if greeting else None, theirs.host)
    found += outlook_findings(
        agent.lookout.outlook(), greeting.outlook if greeting else None, mine.host, theirs.host
    )
    if pause := _pause(agent):
        found.append(pause_finding(pause, agent.clock.now()))
    standing = agent.store.standing()
    if standing.role is Role.ACTIVE and not has_standby(standing, greeting):
        found.append(Finding(code="no-standby", severity=Severity.WARN))
    elif standing.role is not Role.SUPERSEDED:
        usable, newest = agent.usable(), next(iter(agent.store.copies(1)), None)
        dated = agent.clock_of(usable.generation) if usable else agent.clock.now()
        found += copy_findings(
            agent.store.config(), usable, dated, pair.since, agent.clock.zone(), newest=newest
        )
    return _sorted(found)


def _sorted(found: list[Finding]) -> tuple[Finding, ...]:
    order = [Severity.BLOCK, Severity.CONFIRM, Severity.WARN, Severity.INFO]
    return tuple(sorted(found, key=lambda each: order.index(each.severity)))


def _troubles(agent: Agent) -> list[Finding]:
    """Return what the agent has trouble with; of files that are not read, what stands in them is missing in plans."""
    told = [
        (each, Severity.WARN if each.code in BESIDE else Severity.BLOCK)
        for _, each in sorted(agent.troubles.items())
    ]
    told += [(each, Severity.WARN) for each in agent.wiring.readers.troubles()]
    return [Finding(code=each.code, severity=severity, fields=dict(each.fields)) for each, severity in told]


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


def _peer(agent: Agent) -> PeerView | None:
    pair = agent.store.pair()
    if pair is None:
        return None
    last = agent.link.last()
    return PeerView(
        host=pair.peer.host,
        own_address=pair.peer.own_address,
        connected=agent.link.is_connected(),
        silent_seconds=round(agent.link.silent_seconds(), 1),
        role=_role_of_peer(agent) if last else None,
        serving=last.serving if last and agent.link.is_connected() else False,
    )


def _role_of_peer(agent: Agent) -> Role:
    last, pair = agent.link.last(), agent.store.pair()
    if last and pair and last.grant and last.grant.holder == pair.peer.node:
        return Role.ACTIVE
    return Role.SUPERSEDED if last and last.own_epoch else Role.STANDBY


def _pause(agent: Agent) -> Pause | None:
    pause = known_pause(agent)
    return pause if pause and pause.is_on else None


def _age(agent: Agent, copy: Copy | None) -> float | None:
    if copy is None:
        return 0.0
    age = data_age(copy.generation.begin, agent.clock_of(copy.generation))
    return age.total_seconds() if age is not None else None


def _promised(agent: Agent, copy: Copy | None) -> float:
    begin = copy.generation.begin if copy else agent.clock.now()
    oldest = oldest_promised(agent.store.config(), begin, agent.clock.zone())
    return oldest.total_seconds() if oldest else 0.0


def _next_cycle(agent: Agent) -> str:
    config, attempts = agent.store.config(), agent.store.attempts()
    if not has_standby(agent.store.standing(), agent.link.last()) or not config.active:
        return ""
    if _pause(agent):
        return ""
    when: datetime | None = attempts.next_at
    if when is None and config.schedule is not None:
        when = next_run(config.schedule, agent.clock.now(), agent.clock.zone())
    return when.astimezone(agent.clock.zone()).isoformat(timespec="seconds") if when else ""
