"""When a cycle runs, and what becomes of its try (S9, S10, S12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from beistand.agent.pausing import pause_on
from beistand.domain.attempts import WAIT_BETWEEN_TRIES, Attempts
from beistand.domain.config import ModuleConfig
from beistand.domain.errors import Refused
from beistand.domain.finding import Severity
from beistand.domain.health import prerequisites
from beistand.domain.job import Job, JobKind
from beistand.domain.licence import LicenceSet
from beistand.domain.licensing import licence_findings
from beistand.domain.pair import Appliance, Greeting, has_standby
from beistand.domain.role import Role
from beistand.domain.schedule import CLOCK_TOLERANCE, is_due
from beistand.operations.committing import why_not_committed
from beistand.operations.cycle import run_cycle
from beistand.operations.tries import counted

if TYPE_CHECKING:
    from datetime import datetime

    from beistand.agent.agent import Agent
    from beistand.agent.worker import Progress, Result, Work
    from beistand.ports.node import Node

UNASKED_SECONDS = 30.0
"""Between two cycles that nobody asked for, at least: on a full disk nothing durable says that one was begun."""


def is_cycle_due(node: Node, config: ModuleConfig, attempts: Attempts, now: datetime) -> bool:
    """Tell whether the agent should start a cycle by itself now; none while they are paused.

    While a failed run waits for its next try, what falls due meanwhile is part of that run (S10).
    """
    if not config.active or config.is_removed or pause_on(node.store) is not None:
        return False
    if attempts.next_at is not None:
        # Further away than any wait: it was noted by a clock that was wrong (F9).
        return now >= attempts.next_at or attempts.next_at - now > WAIT_BETWEEN_TRIES + CLOCK_TOLERANCE
    return config.schedule is not None and is_due(config.schedule, attempts.last_run, now, node.clock.zone())


def check_may_cycle(node: Node, config: ModuleConfig, greeting: Greeting | None, *, is_serving: bool) -> None:
    """See that a cycle may run here at all.

    Raises Refused `not-paired`, `not-the-active`, `no-standby`, `not-serving`, `module-config-missing`,
    `module-inactive`, `cycles-paused`.
    """
    if node.peer is None:
        raise Refused("not-paired")
    if node.store.standing().role is not Role.ACTIVE:
        raise Refused("not-the-active", role=node.store.standing().role)
    if not has_standby(node.store.standing(), greeting):
        raise Refused("no-standby")
    if not is_serving:
        raise Refused("not-serving")
    if config.is_removed:
        raise Refused("module-config-missing")
    if not config.active:
        raise Refused("module-inactive")
    if pause := pause_on(node.store):
        raise Refused("cycles-paused", who=pause.who, since=pause.since.isoformat())


def cycle_work(node: Node, mine: Appliance, greeting: Greeting | None, *, asked: bool) -> Work:
    """Return the work of one try; its end is counted in the store."""

    def work(progress: Progress) -> Result:
        if not asked:
            _answer_schedule(node)
        with counted(node):
            if greeting is not None:
                check_prerequisites(mine, greeting.appliance)
                check_licences(node, greeting.licences)
            copy = run_cycle(node, progress, asked=asked)
        return {
            "generation": copy.generation.id,
            "state": copy.state,
            "seconds": round(copy.seconds, 3),
            "bytes_on_wire": copy.bytes_on_wire,
            "growing": len(copy.generation.growing),
        }

    return work


def check_prerequisites(mine: Appliance, theirs: Appliance) -> None:
    """Refuse while the two appliances do not fit together (S4).

    Raises Refused with the first blocking finding.
    """
    for finding in prerequisites(mine, theirs):
        if finding.severity is Severity.BLOCK:
            raise Refused(finding.code, **finding.fields)


def check_licences(node: Node, theirs: LicenceSet) -> None:
    """Refuse while a licence stands on both sides (S5, F8). Raises Refused `licence-on-both`."""
    day = node.clock.now().astimezone(node.clock.zone()).date()
    for finding in licence_findings(node.store.licences(), theirs, day):
        if finding.severity is Severity.BLOCK:
            raise Refused(finding.code, **finding.fields)


def _answer_schedule(node: Node) -> None:
    attempts = node.store.attempts()
    node.store.set_attempts(msgspec.structs.replace(attempts, last_run=node.clock.now()))


def start_cycle(agent: Agent, *, asked: bool) -> Job:
    """Start one try now. Raises Refused as `check_may_cycle`, and `job-running`."""
    node, config = agent.node, agent.store.config()
    check_may_cycle(node, config, agent.link.last(), is_serving=agent.keeper.is_serving)
    work = cycle_work(node, agent.appliance(), agent.link.current(), asked=asked)

    def work_and_tell(progress: Progress) -> Result:
        try:
            return work(progress)
        finally:
            # A greeting carries the newest copy only: the next cycle may begin before the next turn.
            if agent.link.is_connected():
                agent.link.ask()

    return agent.worker.start(JobKind.CYCLE, work_and_tell)


def tell_commit(agent: Agent) -> None:
    """Log why the PBX could not be asked to write what it had acknowledged, as long as that is so (B15)."""
    why = why_not_committed(agent.store) if agent.is_initialised else None
    if why is None:
        agent.complaints.end("commit")
    else:
        agent.complaints.tell("commit", why)


def start_due_cycle(agent: Agent) -> None:
    """Start what the schedule or the next try asks for, if anything; called at every turn."""
    if not agent.is_initialised or agent.worker.running() is not None:
        return
    node, config = agent.node, agent.store.config()
    if node.peer is None or not agent.keeper.is_serving:
        return
    if not has_standby(node.store.standing(), agent.link.last()):
        return
    now = agent.clock.monotonic()
    if now < agent.next_unasked:
        return
    if is_cycle_due(node, config, agent.store.attempts(), agent.clock.now()):
        agent.next_unasked = now + UNASKED_SECONDS
        start_cycle(agent, asked=False)
