"""A takeover that breaks off: what it began is undone, now or later, and until then it is told that it is not."""

from threading import Event

import pytest

from beistand.agent.recovery import AGAIN_SECONDS, Recovery
from beistand.domain.job import Job, JobKind, JobState
from beistand.protocol import GetStatus, PlanTakeover, Resume, StartTakeover, WatchJob
from fakes.agents import OneOfTwo, TwoAgents

EVERYTHING = ("peer-still-serves", "no-imported-generation", "partition-suspected", "data-old")
STRANGER = "02:00:00:00:00:99"


def ended(one: OneOfTwo, job: Job) -> Job:
    while job.state is JobState.RUNNING:
        job = one.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
    return job


def click(one: OneOfTwo) -> Job:
    plan = one.ask(PlanTakeover())
    return ended(one, one.ask(StartTakeover(digest=plan.digest, accept=EVERYTHING, operator="anna")))


def codes(one: OneOfTwo) -> set[str]:
    return {each.code for each in one.ask(GetStatus()).findings}


def choices(one: OneOfTwo) -> list[str]:
    return [each.code for each in one.ask(GetStatus()).choices]


def undo_later(two: TwoAgents) -> None:
    """Let the peer be heard again, and as much time pass as lies between two tries."""
    recovery = Recovery(two.b.agent)
    two.clock.advance(AGAIN_SECONDS)
    two.b.agent.link.ask()
    recovery.tick()


@pytest.fixture
def broken_off(two: TwoAgents) -> Job:
    """A released, a stranger took the address meanwhile, and the word to go on never reached A."""
    two.turns(2)
    two.b.wiring.arp.fast_probe = lambda _interface, _address, _overlooked="": STRANGER
    two.b.wiring.peer_now.lost = {Resume}
    return click(two.b)


def test_an_undo_that_fails_is_told_with_why_it_was_to_be_undone(two: TwoAgents, broken_off: Job) -> None:
    assert broken_off.state is JobState.FAILED
    assert broken_off.error is not None
    assert broken_off.error.code == "undo-failed"
    assert STRANGER in str(broken_off.error.fields["why"])
    assert "peer-silent" in str(broken_off.error.fields["undo"])


def test_status_tells_that_it_is_not_undone_and_what_can_be_done(two: TwoAgents, broken_off: Job) -> None:
    assert two.a.is_clean
    assert "undo-open" in codes(two.b)
    assert choices(two.b) == ["wait-for-peer", "take-over-again", "take-back-there"]


def test_it_is_still_told_after_a_restart(two: TwoAgents, broken_off: Job) -> None:
    two.b.start()
    two.b.wiring.peer_now.lost = {Resume}
    Recovery(two.b.agent).begin()
    two.b.turn()
    found = [each.code for each in two.b.ask(GetStatus()).findings]
    assert found.count("undo-open") == 1
    assert "undo-failed" not in found


def test_a_takeover_under_way_is_no_open_undo(two: TwoAgents) -> None:
    two.turns(2)
    seen: list[set[str]] = []

    def look(_interface: str, _address: str, _overlooked: str = "") -> str:
        assert two.b.store.plan() is not None
        seen.append(codes(two.b))
        return STRANGER

    two.b.wiring.arp.fast_probe = look
    click(two.b)
    assert [each & {"undo-open"} for each in seen] == [set()]
    assert "undo-open" not in codes(two.b)


def test_what_is_undone_later_is_no_takeover(two: TwoAgents, broken_off: Job) -> None:
    """The pages show a takeover that is done as one: this job took nothing over."""
    two.b.wiring.peer_now.lost = set()
    begun: list[Job] = []
    start = two.b.agent.worker.start
    two.b.agent.worker.start = lambda *what: begun.append(start(*what))
    undo_later(two)
    job = ended(two.b, begun[0])
    assert (job.kind, job.state, dict(job.result)) == (JobKind.UNDO, JobState.DONE, {})
    two.turns(3)
    assert two.a.serves
    assert "undo-open" not in codes(two.b)
    assert choices(two.b) == []


def test_a_click_waits_for_an_undo_that_runs(two: TwoAgents, broken_off: Job) -> None:
    """I7: one click is enough, also in the moment in which the last one is undone."""
    worker, begun, asked = two.b.agent.worker, Event(), Event()
    peer, cancel = two.b.wiring.peer_now, worker.cancel
    peer.lost, resume = set(), peer.resume
    two.b.wiring.arp.fast_probe = lambda _interface, _address, _overlooked="": ""

    def resume_slowly(epoch: int) -> None:
        begun.set()
        assert asked.wait(5)
        resume(epoch)

    def cancel_and_tell(job: str) -> None:
        cancel(job)
        asked.set()

    peer.resume, worker.cancel = resume_slowly, cancel_and_tell
    undo_later(two)
    assert begun.wait(5)
    assert click(two.b).state is JobState.DONE
    two.turns(2)
    assert two.b.serves
    assert two.a.is_clean
