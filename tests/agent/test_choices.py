"""What waits for a person lists its choices in the status, whatever it is that waits."""

from typing import Any

from beistand.domain.job import JobState
from beistand.protocol import CancelJob, GetStatus, PlanTakeover, StartTakeover, WatchJob
from fakes.agents import OneOfTwo, TwoAgents


def choices(one: OneOfTwo) -> list[str]:
    status: Any = one.ask(GetStatus())
    return [each.code for each in status.choices]


def test_a_takeover_that_waits_for_silence_can_be_helped_or_ended(two: TwoAgents) -> None:
    """A hangs: nothing but its plug makes it give the address up."""
    two.turns(2)
    two.a.agent_runs = False
    two.clock.advance(60)
    assert choices(two.b) == []
    ask, seen = two.b.wiring.arp.ask, list[list[str]]()

    def look(*words: Any) -> Any:
        running = two.b.agent.worker.running()
        if running is not None and running.stage == "await-silence":
            seen.append(choices(two.b))
            two.b.ask(CancelJob(id=running.id))
        return ask(*words)

    two.b.wiring.arp.ask = look  # type: ignore[method-assign]
    plan: Any = two.b.ask(PlanTakeover())
    accepted = tuple(each.code for each in plan.findings)
    job: Any = two.b.ask(StartTakeover(digest=plan.digest, accept=accepted, operator="anna"))
    while job.state is JobState.RUNNING:
        job = two.b.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
    assert seen == [["switch-off-peer", "end-takeover"]]
    assert job.error.code == "cancelled"
    assert choices(two.b) == []
    assert two.b.is_clean
