"""The way out where an impossible number is known here: a person at the console has it forgotten (ADR 22)."""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING

from beistand.agent.forks import FORK
from beistand.agent.log import log
from beistand.agent.serving_notes import forget_released
from beistand.domain.errors import Refused
from beistand.domain.message import message
from beistand.domain.role import NOBODY, POSSIBLE_EPOCH, Grant
from beistand.ports.store import Event
from beistand.protocol import EpochView, ForgetEpoch, GetEpoch

if TYPE_CHECKING:
    from beistand.agent.acts import Acts
    from beistand.agent.agent import Agent
    from beistand.agent.caller import Caller

WORDS = ("forget", "vergessen")
ALL = 1000


def acts(agent: Agent) -> Acts:
    """Return what is done for each request of this family."""
    return {
        GetEpoch: lambda _request, _caller: _view(agent),
        ForgetEpoch: partial(_forget, agent),
    }


def _view(agent: Agent) -> EpochView:
    standing, pair = agent.node.store.standing(), agent.store.pair()
    holder = standing.grant.holder if standing.grant else NOBODY
    names = {NOBODY: "", standing.me: socket.gethostname()}
    if pair is not None:
        names[pair.peer.node] = pair.peer.host
    return EpochView(
        epoch=str(standing.epoch),
        holder=names.get(holder, holder),
        is_impossible=standing.epoch > POSSIBLE_EPOCH,
    )


def _forget(agent: Agent, request: ForgetEpoch, caller: Caller) -> EpochView:
    """Know the highest number that was seen at work instead, held by nobody.

    Raises Refused `epoch-possible` where the present one may be right: then it counts. `forget-word`.
    """
    store, standing = agent.node.store, agent.node.store.standing()
    if standing.epoch <= POSSIBLE_EPOCH:
        raise Refused("epoch-possible", epoch=standing.epoch)
    if request.word.strip().lower() not in WORDS:
        raise Refused("forget-word")
    with agent.pairing:
        epoch = _seen_at_work(agent)
        grant = Grant(
            epoch=epoch, holder=NOBODY, parent=0, operator=caller.who, at=agent.clock.now(), evidence=""
        )
        store.forget_epoch(grant)
        # What was released, or forked, by such a number binds nobody any more.
        forget_released(store)
        store.put(FORK, b"")
    log("epoch-forgotten", level="warning", forgotten=str(standing.epoch), epoch=epoch)
    told = message("epoch-forgotten", forgotten=str(standing.epoch), epoch=epoch)
    agent.tell(Event(at=agent.clock.now(), message=told, operator=caller.who))
    agent.keeper.soon()
    return _view(agent)


def _seen_at_work(agent: Agent) -> int:
    """Return the highest possible number under which something was done here, or that the peer tells now."""
    standing, greeting = agent.store.standing(), agent.link.current()
    told = greeting.grant.epoch if greeting and greeting.grant else 0
    numbers = (
        *(standing.own_epoch, standing.settled_epoch, told),
        *(each.generation.epoch for each in agent.store.copies(ALL)),
    )
    return max((each for each in numbers if each <= POSSIBLE_EPOCH), default=0)
