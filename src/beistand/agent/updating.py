"""The guided update of both appliances: pause, look how far it is, resume (S4)."""

from functools import partial
from threading import Lock

import msgspec

from beistand.agent.acts import Acts
from beistand.agent.agent import Agent
from beistand.agent.caller import Caller
from beistand.agent.cycles import UNASKED_SECONDS
from beistand.agent.link import OTHER_PROTOCOL
from beistand.agent.log import log
from beistand.agent.pausing import known_pause, note, pause_on
from beistand.agent.prerequisites import network
from beistand.domain.errors import Refused
from beistand.domain.finding import Finding, Severity
from beistand.domain.job import JobKind
from beistand.domain.pair import Appliance, Pair
from beistand.domain.pause import Pause, Versions
from beistand.domain.role import Role
from beistand.domain.update import Seen, Side, update_steps
from beistand.protocol import GetNetwork, GetUpdate, PauseCycles, ResumeCycles, UpdateView


def acts(agent: Agent) -> Acts:
    """Return what is done for each request of this family."""
    changing = Lock()
    return {
        GetUpdate: lambda _request, caller: view(agent, caller),
        PauseCycles: partial(_pause, agent, changing),
        ResumeCycles: partial(_resume, agent, changing),
    }


def _pause(agent: Agent, changing: Lock, _request: PauseCycles, caller: Caller) -> UpdateView:
    """Let the cycles rest. Raises Refused `not-paired`, `not-the-active`."""
    standing, pair = agent.node.store.standing(), agent.node.store.pair()
    if pair is None:
        raise Refused("not-paired")
    if standing.role is not Role.ACTIVE:
        raise Refused("not-the-active", role=standing.role)
    with changing:
        if pause_on(agent.store) is None:
            heard = agent.link.current()
            pause = Pause(
                who=caller.who,
                since=agent.clock.now(),
                epoch=standing.epoch,
                active=_versions(agent.appliance()),
                standby=_versions(heard.appliance if heard else pair.peer),
            )
            note(agent.store, pause)
            log("pause-begins", level="warning", who=pause.who)
    agent.link.greet_now()
    return view(agent, caller)


def _resume(agent: Agent, changing: Lock, _request: ResumeCycles, caller: Caller) -> UpdateView:
    """Let cycles run again. Raises Refused `cycles-not-paused`."""
    with changing:
        pause = pause_on(agent.node.store)
        if pause is None:
            raise Refused("cycles-not-paused")
        note(agent.store, msgspec.structs.replace(pause, end=agent.clock.now(), ended_by=caller.who))
    log("pause-ends", level="warning", who=caller.who)
    agent.link.greet_now()
    # Whoever resumes wants to run the first cycle, and to see it: what fell due meanwhile does not come before.
    agent.next_unasked = agent.clock.monotonic() + UNASKED_SECONDS
    return view(agent, caller)


def view(agent: Agent, caller: Caller) -> UpdateView:
    """Return how far an update of the pair is."""
    is_active, pair = agent.node.store.standing().is_holder, agent.store.pair()
    if pair is None:
        return UpdateView(is_active=is_active)
    checks, pause = network(agent, GetNetwork(), caller).checks, known_pause(agent)
    active, standby = _sides(agent, pair, pause)
    running = agent.worker.running()
    steps = update_steps(
        Seen(
            pause=pause,
            active=active,
            standby=standby,
            differences=(*_refusal(agent), *(each.finding for each in checks if each.finding)),
            newest=next(iter(agent.store.copies(1)), None),
            is_cycling=running is not None and running.kind in (JobKind.CYCLE, JobKind.RECEIVE),
        )
    )
    return UpdateView(
        is_active=is_active, pause=pause, steps=steps, active=active, standby=standby, checks=checks
    )


def _sides(agent: Agent, pair: Pair, pause: Pause | None) -> tuple[Side, Side]:
    """Return the active and the standby, as they are heard."""
    heard, refusal = agent.link.current(), _refusal(agent)
    mine, theirs = agent.appliance(), heard.appliance if heard else pair.peer
    versions = _versions(theirs)
    if refusal:
        # Who speaks another protocol says at least its version.
        versions = Versions(beistand=str(refusal[0].fields["version"]), pbx=theirs.pbx_version)
    own = Side(host=mine.host, is_heard=True, now=_versions(mine))
    peer = Side(host=theirs.host, is_heard=bool(heard or refusal), now=versions)
    active, standby = (own, peer) if agent.store.standing().is_holder else (peer, own)
    if pause is None:
        return active, standby
    return (
        msgspec.structs.replace(active, before=pause.active),
        msgspec.structs.replace(standby, before=pause.standby),
    )


def _refusal(agent: Agent) -> tuple[Finding, ...]:
    """Return what a peer of another protocol answers instead of greetings."""
    why = agent.link.why_unreached()
    if why is None or why.code != OTHER_PROTOCOL:
        return ()
    return (Finding(code=why.code, severity=Severity.BLOCK, fields=dict(why.fields)),)


def _versions(appliance: Appliance) -> Versions:
    return Versions(beistand=appliance.beistand_version, pbx=appliance.pbx_version)
