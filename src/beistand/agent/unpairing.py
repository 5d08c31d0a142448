"""`beistand unpair`: the pair ends on both sides, and each of them ends well (a standby can be retired)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beistand.agent.log import log
from beistand.domain.attempts import Attempts
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.message import message
from beistand.ports.store import Event
from beistand.protocol import Done, EndPair, Unpair

if TYPE_CHECKING:
    from beistand.agent.acts import Acts
    from beistand.agent.agent import Agent
    from beistand.agent.caller import Caller


def acts(agent: Agent) -> Acts:
    return {
        Unpair: lambda request, caller: unpair(agent, request, caller),
        EndPair: lambda request, _caller: ended_by_peer(agent, request),
    }


def unpair(agent: Agent, request: Unpair, caller: Caller) -> Done:
    """End the pair: the peer first, then here. Raises Refused `not-paired`, `job-running`, `unpair-peer-silent`."""
    pair, peer = agent.store.pair(), agent.node.peer
    if pair is None or peer is None:
        raise Refused("not-paired")
    if (job := agent.worker.running()) is not None:
        raise Refused("job-running", job=job.id, kind=job.kind)
    try:
        peer.end_pair(pair.id)
    except BeistandError as error:
        if not request.force and error.message.code not in ("not-paired", "other-pair"):
            raise Refused("unpair-peer-silent", peer=pair.peer.host, why=str(error.message)) from error
        log("unpaired-alone", level="warning", peer=pair.peer.host, why=str(error.message))
    _end(agent, caller.who)
    return Done()


def ended_by_peer(agent: Agent, request: EndPair) -> Done:
    """The peer ends the pair. Raises Refused `other-pair`, `job-running`: then nothing has ended."""
    pair = agent.store.pair()
    if pair is None or pair.id != request.pair:
        raise Refused("other-pair")
    if (job := agent.worker.running()) is not None:
        raise Refused("job-running", job=job.id, kind=job.kind)
    # The answer goes over the line that is open: its key is asked for at the next one only.
    _end(agent, pair.peer.host)
    return Done()


def _end(agent: Agent, who: str) -> None:
    """Forget the peer: the record first, so that nobody is let in who is no peer any more, then the keys."""
    pair = agent.store.pair()
    if pair is None:
        return
    with agent.pairing:
        agent.store.forget_pair()
        agent.store.set_attempts(Attempts())
        agent.wiring.keys.forget(own=False)
    told = message("unpaired", peer=pair.peer.host, who=who)
    log(told.code, level="warning", **told.fields)
    agent.tell(Event(at=agent.clock.now(), message=told, operator=who))
    agent.reload()
    agent.link.forget()
    agent.keeper.soon()
