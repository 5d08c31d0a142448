"""A recovery takes its time: whoever asks hears so, a click is taken, and nothing serves before it is over."""

from collections.abc import Iterator
from threading import Event

import pytest

from agent.test_clicks import click, ended
from beistand.agent.daemon import Loop
from beistand.domain.errors import BeistandError, PeerUnreachable
from beistand.domain.job import Job, JobKind, JobState
from beistand.domain.message import message
from beistand.domain.waits import until, until_state
from beistand.protocol import (
    CreateBackup,
    GetStatus,
    Greet,
    ListGenerations,
    Offer,
    PlanTakeover,
    Release,
    Resume,
    StartTakeover,
    Status,
    WatchJob,
)
from fakes.agents import THE_PEER, OneOfTwo, TwoAgents
from fakes.situations import generation

EVERYTHING = ("peer-still-serves", "no-imported-generation", "partition-suspected")


class Begins(Event):
    """A part of the agent, which begins when the recovery is over."""

    start = Event.set


class Recovering:
    """b was killed in a takeover, and a, which released for it, is silent when b starts again and asks it."""

    def __init__(self, two: TwoAgents) -> None:
        two.turns(2)
        two.b.wiring.peer_now.lost = {Resume}
        two.b.wiring.arp.fast_probe = lambda _interface, _address, _overlooked="": "02:00:00:00:00:99"
        assert click(two.b, "peer-still-serves", "no-imported-generation").state is JobState.FAILED
        del two.b.wiring.arp.fast_probe
        two.b.start()
        self.two, self.one = two, two.b
        self.is_asked, self.gives_up = Event(), Event()
        self.resume, two.b.wiring.peer_now.resume = two.b.wiring.peer_now.resume, self._silence
        self.stopping, self.part = Event(), Begins()
        self.loop = Loop(self.one.agent, self.stopping)
        self.loop.recovery.look()

    def start(self) -> None:
        """Let the loop run until the recovery waits for the peer."""
        self.loop.start((self.part,))
        assert self.is_asked.wait(10)

    def end(self) -> None:
        self.gives_up.set()
        self.stopping.set()

    @property
    def job(self) -> Job:
        status = self.one.ask(GetStatus())
        assert isinstance(status, Status)
        assert status.job is not None
        return status.job

    def _silence(self, _epoch: int) -> None:
        self.is_asked.set()
        self.gives_up.wait(10)
        raise PeerUnreachable("peer-silent", server="192.0.2.1")


@pytest.fixture
def recovering(two: TwoAgents) -> Iterator[Recovering]:
    found = Recovering(two)
    yield found
    found.end()


def refusal(one: OneOfTwo, request, **by) -> str:
    with pytest.raises(BeistandError) as refused:
        one.ask(request, **by)
    return refused.value.message.code


def test_whoever_asks_hears_that_it_recovers_and_until_when(recovering: Recovering) -> None:
    """It was silent for up to a quarter of an hour: status and pages said that the agent does not run."""
    one = recovering.one
    assert one.ask(GetStatus()).state == "recovering"
    recovering.start()
    status = one.ask(GetStatus())
    assert (status.state, status.job.kind, status.job.stage) == ("recovering", JobKind.RECOVER, "undo")
    assert until(status.job) == message("until.undo", seconds=60)
    assert until_state(status.state, status.role) is not None
    assert "wait-for-peer" in {each.code for each in status.choices}
    assert one.ask(ListGenerations()).copies == ()


def test_nothing_of_the_agent_acts_before_it_has_recovered(recovering: Recovering) -> None:
    one = recovering.one
    recovering.start()
    assert not recovering.part.is_set()
    assert not recovering.loop.has_begun.is_set()
    assert one.agent.keeper.state == "starting"
    assert one.is_clean
    recovering.end()
    assert recovering.loop.has_begun.wait(10)
    assert recovering.part.is_set()
    assert one.ask(GetStatus()).state != "recovering"
    assert one.store.plan() is not None


def test_a_recovery_however_long_is_no_hang(recovering: Recovering) -> None:
    """The watchdog would end it, and the next start would begin anew."""
    recovering.start()
    recovering.two.clock.advance(100_000)
    assert not recovering.loop.hangs()


def test_what_would_collide_with_it_is_refused_with_the_reason(recovering: Recovering) -> None:
    one = recovering.one
    recovering.start()
    assert refusal(one, CreateBackup()) == "job-running"
    assert refusal(one, Offer(generation=generation()), caller=THE_PEER) == "recovering"


def test_a_click_meanwhile_is_taken_and_runs_when_the_data_is_whole(recovering: Recovering) -> None:
    one = recovering.one
    recovering.start()
    plan = one.ask(PlanTakeover())
    job = one.ask(StartTakeover(digest=plan.digest, accept=EVERYTHING, operator="test"))
    assert job.stages[0] == "end-import"
    while job.stage != "end-import":
        job = one.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
    assert recovering.job.id == job.id
    recovering.end()
    assert ended(one, job).state is JobState.DONE
    assert one.store.plan() is None
    assert one.serves


def test_a_peer_that_asks_who_serves_is_answered_meanwhile(recovering: Recovering) -> None:
    """After a power cut at both the one that may serve need not wait for the other one's import to go back."""
    recovering.start()
    two = recovering.two
    greeting = two.a.agent.greeting()
    assert greeting is not None
    answer = recovering.one.ask(Greet(greeting=greeting), THE_PEER)
    assert (answer.serving, answer.claims) == (False, 0)
    assert answer.grant == recovering.one.store.standing().grant


def test_a_release_and_its_taking_back_are_heard_meanwhile(two: TwoAgents) -> None:
    """F15: both never change their meaning. Neither brings anything up: that is left to the first turn."""
    two.turns(2)
    two.a.agent.is_recovering = True
    two.a.ask(Release(epoch=9), THE_PEER)
    assert two.a.is_clean
    two.a.ask(Resume(epoch=9), THE_PEER)
    assert two.a.is_clean
    assert two.a.ask(GetStatus()).state == "recovering"
    two.a.agent.is_recovering = False
    two.turns(2)
    assert two.a.serves
