"""What both appliances of a pair say and hold alike: pair settings, and how far each generation has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from beistand.agent.log import log
from beistand.domain.config import config_digest
from beistand.domain.errors import BeistandError
from beistand.domain.job import JobKind
from beistand.domain.learning import learnt_by_receiver, learnt_by_source
from beistand.domain.message import message
from beistand.domain.role import Role
from beistand.operations.importing import live_generation
from beistand.ports.store import Event

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.config import ModuleConfig
    from beistand.domain.generation import Copy
    from beistand.domain.pair import Greeting

RECORDING = (JobKind.CYCLE, JobKind.RECEIVE, JobKind.SEED)
"""Jobs that record copies themselves."""


def send_settings(agent: Agent, greeting: Greeting) -> None:
    """Send module configuration and pair settings to a peer that has others; the active's count (S17)."""
    node = agent.node
    if node.peer is None or node.store.standing().role is not Role.ACTIVE:
        return
    config, settings = node.store.config(), node.store.settings()
    try:
        # A higher revision there is what the former active changed last: ours is the pair's now.
        if _differs(greeting, config):
            node.peer.push_config(config)
            log("settings-sent", revision=config.revision)
            if greeting.config_revision >= config.revision:
                # Not one that follows ours: it was changed there while nobody could tell us.
                told = message("config-changed-on-both", peer=greeting.appliance.host)
                log(told.code, level="warning", **told.fields)
                agent.tell(Event(at=agent.clock.now(), message=told))
        # Of a pair whose active has no accounts yet the standby keeps those it has.
        if settings.revision not in (0, greeting.settings_revision):
            node.peer.push_settings(settings)
            log("accounts-sent", revision=settings.revision)
    except BeistandError as error:
        agent.complaints.tell("settings-sent", error.message)


def _differs(greeting: Greeting, config: ModuleConfig) -> bool:
    if greeting.config_revision != config.revision:
        return True
    return bool(greeting.config_digest) and greeting.config_digest != config_digest(config)


def learn_peer(agent: Agent, greeting: Greeting) -> None:
    """Keep what the peer says of itself, for the day when it is silent: its MAC above all, which may be new."""
    with agent.pairing:
        running, pair = agent.worker.running(), agent.store.pair()
        if pair is None or (running is not None and running.kind is JobKind.PAIR):
            return
        if pair.peer.node != greeting.appliance.node:
            return
        mine = {"now": pair.peer.now, "own_address": pair.peer.own_address}
        said = msgspec.structs.replace(greeting.appliance, **mine)
        if said != pair.peer:
            agent.store.set_pair(msgspec.structs.replace(pair, peer=said))
            log("peer-changed", host=said.host, mac=said.mac, pbx=said.pbx_version)


def learn_copy(agent: Agent, greeting: Greeting) -> None:
    """Bring our record of the peer's newest generation to what is known together."""
    theirs, running = greeting.newest, agent.worker.running()
    if theirs is None or (running is not None and running.kind in RECORDING):
        return
    new = _learnt(agent, theirs)
    if new is not None:
        agent.store.record(new)


def _learnt(agent: Agent, theirs: Copy) -> Copy | None:
    store, generation = agent.store, theirs.generation
    pair, me = store.pair(), store.standing().me
    if pair is None or generation.pair != pair.id:
        return None
    mine = next((each for each in store.copies() if each.generation.id == generation.id), None)
    if generation.source == me:
        return learnt_by_source(mine, theirs)
    if generation.source != pair.peer.node:
        return None
    live = live_generation(agent.node)
    return learnt_by_receiver(mine, theirs, is_live=live is not None and live.id == generation.id)
