"""What a person can do about the state of this appliance, for `beistand status`, the pages and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beistand.domain.choices import Choice, HeldBy, Predicament, choices

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.facts import Finding
    from beistand.domain.fork import History

HELD_BY = {"held-by-peer": HeldBy.PEER, "held-by-stranger": HeldBy.STRANGER}


def choices_now(agent: Agent) -> tuple[Choice, ...]:
    """Return them, the likeliest first; nothing where nobody is waited for."""
    keeper = agent.keeper
    return choices(
        Predicament(
            state=keeper.state,
            serving=keeper.is_serving,
            held_by=_held_by(agent),
            is_fork_open=agent.forks.open() is not None,
        )
    )


def histories(agent: Agent) -> tuple[History, ...]:
    """Return what this appliance and the other one recorded each for itself; our own one first."""
    mine = agent.forks.mine()
    if mine is None:
        return ()
    theirs = agent.forks.theirs()
    return (mine,) if theirs is None else (mine, theirs)


def about_histories(agent: Agent) -> tuple[Finding, ...]:
    """Return what is found about the data of an appliance that another one took over from, or took over beside."""
    return (*agent.own_data.findings(), *agent.forks.findings())


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
