"""No wait without a deadline that the person is told: the end that each stage of a takeover tells is its real one."""

import shutil
from contextlib import suppress
from threading import Event
from typing import NoReturn

import pytest

from beistand.adapters.ssh import ACT_SECONDS
from beistand.domain.errors import BeistandError, PeerUnreachable
from beistand.domain.job import Job, JobKind, JobState
from beistand.domain.waits import until
from beistand.operations.converge import START_ANSWER_SECONDS
from beistand.ports.progress import Progress
from beistand.protocol import CancelJob, PlanTakeover, StartTakeover, WatchJob
from fakes.agents import OneOfTwo, TwoAgents

EVERYTHING = ("peer-still-serves", "no-imported-generation", "partition-suspected")


def click(one: OneOfTwo) -> Job:
    plan = one.ask(PlanTakeover())
    return one.ask(StartTakeover(digest=plan.digest, accept=EVERYTHING, operator="test"))


def ended(one: OneOfTwo, job: Job) -> Job:
    while job.state is JobState.RUNNING:
        job = one.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
    return job


class Waits:
    """What an appliance waited for, by the stage that it told meanwhile, and the seconds that it told for it."""

    def __init__(self, one: OneOfTwo) -> None:
        self._one = one
        self.seen: list[tuple[str, float, float]] = []

    def spend(self, seconds: float) -> None:
        job = self._one.agent.worker.running()
        assert job is not None
        told = until(job)
        assert told is not None, f"nothing is told at {job.stage}"
        self._one.world.clock.advance(seconds)
        self.seen.append((job.stage, float(told.fields["seconds"]), seconds))

    def silence(self, _epoch: int) -> NoReturn:
        """Be the peer that takes the whole time of an act, and has not answered then."""
        self.spend(ACT_SECONDS)
        raise PeerUnreachable("peer-silent", server="192.0.2.1")

    @property
    def stages(self) -> list[str]:
        return [stage for stage, _, _ in self.seen]

    def check(self) -> None:
        for stage in self.stages:
            told = {each for which, each, _ in self.seen if which == stage}
            assert len(told) == 1
            assert sum(each for which, _, each in self.seen if which == stage) <= told.pop()


def test_a_release_that_fails_and_its_undo_end_within_what_was_told(two: TwoAgents) -> None:
    """The peer is asked to release, is silent, and is silent again when it shall take that back."""
    two.turns(2)
    waits = Waits(two.b)
    two.b.wiring.peer_now.release = two.b.wiring.peer_now.resume = waits.silence
    begin = two.clock.monotonic()
    job = ended(two.b, click(two.b))
    assert (job.state, job.stage, job.failed_stage) == (JobState.FAILED, "undo", "ask-peer-to-release")
    assert waits.stages == ["ask-peer-to-release", "undo"]
    waits.check()
    assert two.clock.monotonic() - begin <= sum(told for _, told, _ in waits.seen)
    assert two.b.store.plan() is not None


def test_a_pbx_that_takes_all_its_time_and_never_answers_ends_within_what_was_told(two: TwoAgents) -> None:
    two.turns(2)
    two.a.off()
    two.clock.advance(60)
    waits, start = Waits(two.b), two.b.services.start

    def slowly(service) -> None:
        waits.spend(service.start_seconds)
        start(service)
        two.b.machine.answers_sip = False

    def nobody(_own: str, _address: str, _port: int, seconds: float) -> bool:
        if waits.seen:
            waits.spend(seconds)
        return False

    two.b.services.start = slowly
    two.b.wiring.sip.options = nobody
    job = ended(two.b, click(two.b))
    assert (job.state, job.stage) == (JobState.FAILED, "serve")
    assert len(waits.seen) == len(two.b.wiring.profile.services) + 1
    assert waits.seen[-1] == ("serve", job.within_seconds, START_ANSWER_SECONDS)
    waits.check()


class Import:
    """Runs on b; once it is ended it goes its whole way back, which takes as long as the test wants."""

    def __init__(self, two: TwoAgents) -> None:
        self.is_back = Event()
        self.job = two.b.agent.worker.start(JobKind.RECEIVE, self._work)
        while self.job.stage != "import":
            self.job = two.b.ask(WatchJob(id=self.job.id, seen=self.job.revision, seconds=5))

    def _work(self, progress: Progress) -> dict[str, str]:
        progress.stage("import")
        progress.cancelled.wait(10)
        progress.turn_back("take-back")
        self.is_back.wait(10)
        progress.check()
        return {}


@pytest.mark.shows("F14")
def test_a_click_in_the_middle_of_an_import_is_accepted_however_long_its_way_back_is(two: TwoAgents) -> None:
    """F14: what was confirmed runs once the import is whole again, before anybody is asked to release."""
    two.turns(2)
    receiving = Import(two)
    job = click(two.b)
    assert job.stages == ("end-import", "ask-peer-to-release", "make-data-ready", "fast-probe", "serve")
    two.clock.advance(600)
    assert two.a.serves
    receiving.is_back.set()
    assert ended(two.b, job).state is JobState.DONE
    assert ended(two.b, receiving.job).state is JobState.CANCELLED
    assert two.b.serves


def test_a_takeover_cancelled_while_it_waits_claims_nothing_any_more(two: TwoAgents) -> None:
    two.turns(2)
    receiving = Import(two)
    job = click(two.b)
    while job.stage != "end-import":
        job = two.b.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
    assert two.b.agent.keeper.claims > 0
    two.b.ask(CancelJob(id=job.id))
    assert ended(two.b, job).state is JobState.CANCELLED
    assert two.b.agent.keeper.claims == 0
    assert two.a.serves
    receiving.is_back.set()


def test_a_takeover_that_cannot_be_noted_claims_nothing_any_more(two: TwoAgents) -> None:
    """An active that boots would be held for as long as the claim stands."""
    two.turns(2)
    shutil.rmtree(two.b.folder / "run")
    (two.b.folder / "run").write_text("no folder")
    with suppress(BeistandError):
        job = ended(two.b, click(two.b))
        assert job.state is JobState.FAILED
    assert two.b.agent.keeper.claims == 0
    two.turns(1)
    assert two.a.serves
