"""What a person can do about the state of this appliance, for `beistand status`, the pages and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beistand.domain.choices import Choice, HeldBy, Predicament, choices, job_choices, setup_choices
from beistand.domain.finding import Finding, Severity
from beistand.domain.job import JobKind

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.fork import History
    from beistand.domain.message import Field

HELD_BY = {"held-by-peer": HeldBy.PEER, "held-by-stranger": HeldBy.STRANGER}


def choices_now(agent: Agent) -> tuple[Choice, ...]:
    """Return them, the likeliest first; nothing where nobody is waited for."""
    if of_a_job := job_choices(agent.worker.running()):
        return of_a_job
    keeper = agent.keeper
    of_the_standing = choices(
        Predicament(
            state=agent.state,
            serving=keeper.is_serving,
            held_by=_held_by(agent),
            is_fork_open=agent.forks.open() is not None,
            is_undo_open=_is_undo_open(agent),
        )
    )
    return (*setup_choices(agent.network_setup.stage()), *of_the_standing)


def histories(agent: Agent) -> tuple[History, ...]:
    """Return what this appliance and the other one recorded each for itself; our own one first."""
    mine = agent.forks.mine()
    if mine is None:
        return ()
    theirs = agent.forks.theirs()
    return (mine,) if theirs is None else (mine, theirs)


def about_takeovers(agent: Agent) -> tuple[Finding, ...]:
    """Return what takeovers left: data of which another one took over, or beside; a broken-off one to be undone."""
    return (*agent.own_data.findings(), *agent.forks.findings(), *_about_undo(agent))


def _is_undo_open(agent: Agent) -> bool:
    """Tell whether a takeover broke off and what it began is still to be undone: the journal has it."""
    running = agent.worker.running()
    if running is not None and running.kind is JobKind.TAKEOVER:
        return False  # the journal of one that is under way
    return agent.store.plan() is not None


def _about_undo(agent: Agent) -> tuple[Finding, ...]:
    if not _is_undo_open(agent):
        return ()
    pair = agent.store.pair()
    fields: dict[str, Field] = {"peer": pair.peer.host if pair else "-"}
    return (Finding(code="undo-open", severity=Severity.BLOCK, fields=fields),)


def _held_by(agent: Agent) -> HeldBy:
    if agent.keeper.state != "held":
        return HeldBy.NOBODY
    for each in agent.keeper.findings():
        if each.code in HELD_BY:
            return HELD_BY[each.code]
    greeting = agent.link.current()
    if greeting is not None and greeting.serving:
        return HeldBy.PEER
    return HeldBy.STRICT if agent.node.installation.strict_boot else HeldBy.NOBODY
