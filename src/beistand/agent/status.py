"""`beistand status`: what an administrator asks first."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from beistand import __version__
from beistand.adapters.libraries import libraries_of
from beistand.agent.deciding import choices_now, histories
from beistand.agent.findings import by_severity, findings, pause_on_now, troubles, troubles_of_readers
from beistand.agent.out_of_order import out_of_order
from beistand.domain.account import has_administrator
from beistand.domain.attempts import Attempts
from beistand.domain.choices import setup_choices
from beistand.domain.clocks import data_age
from beistand.domain.config import ModuleConfig
from beistand.domain.finding import Severity
from beistand.domain.health import oldest_promised
from beistand.domain.job import JobKind
from beistand.domain.pair import has_standby
from beistand.domain.role import Role
from beistand.domain.schedule import next_run
from beistand.protocol import PeerView, Status

if TYPE_CHECKING:
    from datetime import datetime

    from beistand.agent.agent import Agent
    from beistand.domain.generation import Copy
    from beistand.domain.judging import Judging
    from beistand.domain.pair import Pair


def status(agent: Agent) -> Status:
    """Return everything that can be said; what cannot be judged is a finding among the others."""
    if trouble := agent.troubles.get("settings"):
        return out_of_order(trouble)
    if not agent.is_initialised:
        return _before_init(agent)
    store, node, part = agent.store, agent.node, (judging := agent.judging()).part
    standing, pair = part("standing", store.standing, None), part("pair", store.pair, None)
    config = part("config", store.config, ModuleConfig())
    usable, attempts = part("copy", agent.usable, None), part("cycles", store.attempts, Attempts())
    return Status(
        initialised=True,
        role=standing.role if standing else None,
        state=agent.state,
        host=socket.gethostname(),
        own_address=node.installation.own_address,
        service_address=node.installation.service_ip,
        epoch=standing.epoch if standing else 0,
        version=__version__,
        libraries=libraries_of(),
        licence_key=part("licences", lambda: store.licences().server_key, "", Severity.WARN),
        pair=pair.id if pair else "",
        paired_since=pair.since if pair else None,
        peer=part("peer", lambda: _peer(agent, pair), None) if pair else None,
        newest=part("copy", lambda: next(iter(store.copies(1)), None), None),
        usable=usable,
        usable_age_seconds=part("copy", lambda: _age(agent, usable), None),
        next_cycle=part("cycles", lambda: _next_cycle(agent), ""),
        attempt=attempts.failed + 1 if attempts.next_at else 0,
        attempts=config.attempts,
        job=agent.worker.running(),
        newest_takeover=agent.worker.newest(JobKind.TAKEOVER),
        oldest_promised_seconds=part("copy", lambda: _promised(agent, usable), 0.0),
        config_name="" if config.is_removed else config.name,
        has_administrator=_has_administrator(agent, judging),
        choices=part("choices", lambda: choices_now(agent), ()),
        histories=part("takeovers", lambda: histories(agent), ()),
        pause=part("pause", lambda: pause_on_now(agent), None, Severity.WARN),
        findings=findings(agent, judging),  # the last one: it tells what failed of all the others, too
    )


def _has_administrator(agent: Agent, judging: Judging) -> bool:
    return judging.part(
        "accounts", lambda: has_administrator(agent.store.settings().accounts), otherwise=True
    )


def _before_init(agent: Agent) -> Status:
    judging = agent.judging()
    part = judging.part
    found = [
        *judging.findings("network-setup", agent.network_setup.findings, Severity.WARN),
        *judging.findings("troubles", lambda: troubles(agent)),
        *judging.findings("readers", lambda: troubles_of_readers(agent), Severity.WARN),
    ]
    return Status(
        initialised=False,
        state="not-initialised",
        version=__version__,
        libraries=libraries_of(),
        host=socket.gethostname(),
        has_administrator=_has_administrator(agent, judging),
        choices=part("choices", lambda: setup_choices(agent.network_setup.stage()), ()),
        findings=by_severity([*found, *judging.failed]),
    )


def _peer(agent: Agent, pair: Pair) -> PeerView:
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
    if pause_on_now(agent):
        return ""
    when: datetime | None = attempts.next_at
    if when is None and config.schedule is not None:
        when = next_run(config.schedule, agent.clock.now(), agent.clock.zone())
    return when.astimezone(agent.clock.zone()).isoformat(timespec="seconds") if when else ""
