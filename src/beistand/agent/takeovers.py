"""The takeover as the agent does it: show the plan, take the confirmed digest, run it, serve."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from beistand.agent import takeover_facts
from beistand.agent.agent import Agent
from beistand.agent.caller import Caller
from beistand.agent.log import log
from beistand.agent.serving_notes import released_for
from beistand.agent.worker import Progress, Result, Work
from beistand.domain.errors import Failed, Refused
from beistand.domain.facts import Facts
from beistand.domain.finding import Finding, Severity
from beistand.domain.generation import Copy, CopyState
from beistand.domain.health import oldest_promised
from beistand.domain.job import GIVE_WAY, Job, JobKind
from beistand.domain.mail_text import one_line
from beistand.domain.message import Message, message
from beistand.domain.phones import reached
from beistand.domain.safety import OLDEST, REPLUG, data_age, findings, not_accepted, verdict
from beistand.domain.serving import may_take_over
from beistand.operations.converge import serve_seconds
from beistand.operations.importing import restore_points
from beistand.operations.overlooking import overlook
from beistand.operations.runner import run
from beistand.operations.takeover import (
    Reach,
    claimed_epoch,
    describe,
    plan_digest,
    takeover_grant,
    takeover_plan,
    with_claim_of_peer,
)
from beistand.ports.store import Event
from beistand.protocol import PlanTakeover, StartTakeover, TakeoverPlanAnswer

LONGEST_NAME = 200
"""Of who clicked, in characters: it stands in the grant, which the other appliance reads."""


def show_plan(agent: Agent, request: PlanTakeover, caller: Caller) -> TakeoverPlanAnswer:
    """Say what a takeover would do, as was observed; the dry run is the same code as the run."""
    _may_take_over(agent, caller)
    node, copy = agent.node, _copy_to_serve(agent, request.restore_point)
    facts, standing = _seen(agent, agent.watch.recent(copy, request.within_seconds)), node.store.standing()
    plan, found = takeover_plan(facts, standing, node.installation), _findings(agent, facts)
    # What only tells more of it is told where it can be; the digest is of what decides.
    judging = agent.judging()
    part = judging.part
    phones = part(
        "phones", lambda: reached(node.contacts.list(node.profile)), reached(()), severity=Severity.WARN
    )
    answer = TakeoverPlanAnswer(
        digest=plan_digest(plan, facts, found, standing),
        verdict=verdict(facts),
        facts=facts,
        findings=found,
        steps=describe(plan, claimed_epoch(facts, standing), node.installation, node.profile),
        generation=copy.generation if copy else None,
        age_seconds=part("data", lambda: _age(facts, copy), None, Severity.WARN),
        phones=phones.at_once,
        phones_later=phones.later,
        lines=part("lines", lambda: takeover_facts.lines(agent), (), Severity.WARN),
        replug=part("replug", lambda: agent.store.config().replug, (), Severity.CONFIRM),
        network=part("network", lambda: takeover_facts.network(agent, judging), (), Severity.WARN),
    )
    told = tuple(each for each in judging.failed if each not in found)
    return msgspec.structs.replace(answer, findings=(*found, *told))


def start_takeover(agent: Agent, request: StartTakeover, caller: Caller) -> Job:
    """Take the confirmed digest and start the job.

    Raises Refused `plan-changed`, `not-accepted`, `already-active`, `takeover-unpaired`,
    `replug-unknown`, `needs-console`, `forged-differs`, `job-running`.
    """
    accepted_at, began = agent.clock.now(), agent.clock.monotonic()
    _may_take_over(agent, caller)
    node, copy = agent.node, _copy_to_serve(agent, request.restore_point)
    facts, standing = _seen(agent, agent.watch.fresh(copy)), node.store.standing()
    plan, found = takeover_plan(facts, standing, node.installation), _findings(agent, facts)
    if plan_digest(plan, facts, found, standing) != request.digest:
        raise Refused("plan-changed")
    dead, accept = _answered(agent, request)
    forger = _overlooked(facts, request, caller)
    if left := not_accepted(found, accept, forger):
        raise Refused("not-accepted", finding=left[0].code)
    # Who clicked is whoever the agent knows it to be; only at the console a person may say more.
    operator = one_line((request.operator if caller.is_at_console else "") or caller.who)[:LONGEST_NAME]
    grant = takeover_grant(facts, standing, operator)

    def act(progress: Progress) -> datetime:
        for told in _decided(grant.epoch, dead, forger):
            agent.tell(Event(at=accepted_at, message=told, operator=operator))
        if forger:
            overlook(node.store, grant.epoch, forger)
        try:
            # From the click on, so that an active that boots meanwhile does not come between.
            agent.keeper.prepare(grant.epoch)
            progress.take_turn()
            why = run(plan, Reach(node=node, cancelled=progress.cancelled), grant, progress)
        finally:
            agent.keeper.end_claim()
        if why:
            raise Failed(why.code, **why.fields)
        return agent.clock.now()

    work = _work(agent, act, accepted_at, began, dead)
    stages = (*(each.step.describe().code.removeprefix("step.") for each in plan.items), "serve")
    return agent.worker.start_instead(GIVE_WAY, JobKind.TAKEOVER, work, stages)


def _decided(epoch: int, dead: tuple[str, ...], forger: str) -> tuple[Message, ...]:
    """Return what is kept of a click: that it was made, and what a person took upon himself with it."""
    found = [message("takeover-begins", epoch=epoch)]
    if dead:
        found.append(message("audit.lines-stay-dead", items=", ".join(dead)))
    if forger:
        found.append(message("audit.forgery-overlooked", mac=forger))
    return tuple(found)


def _answered(agent: Agent, request: StartTakeover) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the lines that stay dead, and the codes that were accepted. Raises Refused `replug-unknown`."""
    listed = agent.store.config().replug
    if unknown := [each for each in request.stay_dead if each not in listed]:
        raise Refused("replug-unknown", line=unknown[0])
    dead = tuple(each for each in listed if each in request.stay_dead)
    return dead, (*request.accept, REPLUG) if dead and dead == listed else request.accept


def _overlooked(facts: Facts, request: StartTakeover, caller: Caller) -> str:
    """Return the MAC that root takes for a forgery, empty where there is none to overlook.

    Raises Refused `needs-console`, `forged-differs`.
    """
    if not request.forged:
        return ""
    if not caller.is_at_console:
        raise Refused("needs-console")
    if request.forged.strip().lower() != facts.holder_mac.lower():
        raise Refused("forged-differs", forged=request.forged, mac=facts.holder_mac or "-")
    return facts.holder_mac


def _work(
    agent: Agent,
    act: Callable[[Progress], datetime],
    accepted_at: datetime,
    began: float,
    dead: tuple[str, ...],
) -> Work:
    """Return the work of a takeover that was accepted at this moment; `began` is the same in monotonic seconds.

    `dead` are the lines that nobody could replug.
    """

    def work(progress: Progress) -> Result:
        granted_at = act(progress)
        # Granted: whoever cancels now, or has just done so, comes too late.
        progress.enter("serve", serve_seconds(agent.node.profile))
        outcome = agent.keeper.take_up()
        ended_at = agent.clock.now()
        log("takeover", level="warning", epoch=agent.store.standing().epoch, answers=outcome.answers)
        if outcome.failure is not None:
            raise Failed(outcome.failure.code, **outcome.failure.fields)
        seconds = round(agent.clock.monotonic() - began, 3)
        epoch = agent.store.standing().epoch
        return {
            "epoch": epoch,
            "accepted_at": accepted_at.timestamp(),
            "granted_at": granted_at.timestamp(),
            "answered_at": ended_at.timestamp(),
            "seconds": seconds,
            **({"dead_lines": ", ".join(dead)} if dead else {}),
            **agent.aftermath.begin(epoch, seconds, dead),
        }

    return work


def _seen(agent: Agent, facts: Facts) -> Facts:
    return with_claim_of_peer(facts, released_for(agent.node.store))


def _findings(agent: Agent, facts: Facts) -> tuple[Finding, ...]:
    """Return what speaks against it; data is old when it is older than the schedule promises (F28)."""
    judging = agent.judging()

    def promised() -> timedelta | None:
        if facts.copy is None:
            return None
        begin = facts.copy.generation.begin
        return oldest_promised(agent.store.config(), begin, agent.clock.zone())

    # Where nobody can say what was promised, a person says that the data is young enough.
    oldest = judging.part("schedule", promised, None, Severity.CONFIRM)
    none: tuple[str, ...] = ()
    replug = judging.part("replug", lambda: agent.store.config().replug, none, Severity.CONFIRM)
    return findings(facts, OLDEST if oldest is None else oldest, replug, judging)


def _may_take_over(agent: Agent, caller: Caller) -> None:
    """Refuse where there is nothing to take over, or nobody to take it from.

    A holder without a pair that a forgery keeps from serving has root at its console, who may overlook that.
    """
    node, standing, serving = agent.node, agent.node.store.standing(), agent.keeper.is_serving
    is_chosen_between = agent.keeper.is_forked or agent.forks.open() is not None
    if not may_take_over(standing, serving=serving, is_chosen_between=is_chosen_between):
        raise Refused("already-active")
    is_alone = node.store.pair() is None and not (standing.is_holder and caller.is_at_console)
    if is_alone and (standing.is_holder or not standing.has_own_data):
        # Without a peer every evidence misleads: the PBX in use would count as a stranger.
        raise Refused("already-active" if standing.is_holder else "takeover-unpaired")
    agent.own_machine.refuse_without_own_address()


def _copy_to_serve(agent: Agent, restore_point: str) -> Copy | None:
    if not restore_point:
        return agent.to_serve()
    for generation in restore_points(agent.node):
        if generation.id == restore_point:
            return agent.copy_of(generation)
    raise Refused("unknown-restore-point", generation=restore_point)


def _age(facts: Facts, copy: Copy | None) -> float | None:
    if copy is None or copy.state not in (CopyState.IMPORTED, CopyState.PROVEN):
        return 0.0
    age = data_age(facts)
    return age.total_seconds() if age is not None else None
