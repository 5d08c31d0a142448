"""I7: from every state at most one click leads to exactly one server. I8: what heals by itself needs none."""

import pytest

from beistand.agent.caller import Caller
from beistand.agent.takeovers import show_plan
from beistand.domain.errors import Failed, Refused
from beistand.domain.job import Job, JobState
from beistand.protocol import (
    CancelJob,
    GetStatus,
    PlanTakeover,
    Resume,
    StartTakeover,
    TakeoverPlanAnswer,
    WatchJob,
)
from beistand.text.catalogue import hint, sentence
from fakes.agents import TwoAgents
from fakes.situations import B, grant


def click(one, *accept: str) -> Job:
    plan = one.ask(PlanTakeover())
    assert isinstance(plan, TakeoverPlanAnswer)
    request = StartTakeover(digest=plan.digest, accept=accept, operator="test")
    return ended(one, one.ask(request))


def ended(one, job: Job) -> Job:
    while job.state is JobState.RUNNING:
        job = one.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
    return job


def codes(one) -> set[str]:
    return {each.code for each in one.ask(PlanTakeover()).findings}


def test_a_fork_ends_by_a_click_on_the_one_that_is_held(two: TwoAgents) -> None:
    two.fork()
    two.turns(2)
    job = click(two.b, "peer-still-serves", "own-data", "data-old")
    assert job.state is JobState.DONE, job
    two.turns(3)
    assert two.b.serves
    assert two.a.is_clean
    assert two.a.state == "superseded"


def test_a_fork_ends_by_a_click_on_the_one_that_serves(two: TwoAgents) -> None:
    two.fork()
    two.turns(2)
    job = click(two.a, "own-data")
    assert job.state is JobState.DONE, job
    two.turns(3)
    assert two.a.serves
    assert two.a.state == "serving"
    assert two.b.is_clean
    assert two.b.state == "superseded"


def test_a_superseded_one_takes_over_with_its_own_data(two: TwoAgents) -> None:
    """The other one died for good: what is here is old, and a person says so; nothing is looked for in vain."""
    two.turns(2)
    two.b.store.adopt(grant(3, B, 2))
    two.turns(2)
    assert two.a.state == "superseded"
    two.b.off()
    two.clock.advance(60)
    assert "own-data" in codes(two.a)
    assert "no-imported-generation" not in codes(two.a)
    job = click(two.a, "own-data", "partition-suspected")
    assert job.state is JobState.DONE, job
    two.a.turn()
    assert two.a.serves


def test_who_died_a_moment_ago_is_not_asked_to_release(two: TwoAgents) -> None:
    """S3: one click is enough, also while the last greeting is still warm."""
    two.turns(2)
    assert two.b.agent.link.ask() is not None
    two.a.off()
    assert two.b.agent.link.is_connected()
    shown = two.b.ask(PlanTakeover())
    assert not shown.facts.peer.any, shown.facts
    job = click(two.b, "partition-suspected", "no-imported-generation")
    assert job.state is JobState.DONE, job
    assert "ask-peer-to-release" not in job.stages


def test_who_serves_has_nothing_to_take_over(two: TwoAgents) -> None:
    two.turns(2)
    with pytest.raises(Refused, match="already-active"):
        two.a.ask(PlanTakeover())


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_standby_that_is_not_paired_yet_says_that_and_nothing_else(two: TwoAgents, language: str) -> None:
    """The PBX in use has the service address: to a standby without a pair it would look like a stranger."""
    two.turns(2)
    two.b.store.forget_pair()
    for request in (PlanTakeover(), StartTakeover(digest="x", accept=("foreign-holder",), operator="test")):
        with pytest.raises(Refused) as refused:
            two.b.ask(request)
        assert refused.value.message.code == "takeover-unpaired"
    words = sentence(refused.value.message, language) + hint(refused.value.message, language)
    assert "pair --server" in words
    assert "02:00" not in words
    codes = {each.code for each in two.b.ask(GetStatus()).findings}
    assert "not-paired" in codes
    assert not {each for each in codes if "foreign" in each or "stranger" in each}


def test_a_holder_that_is_not_paired_is_told_that_it_is_the_active(two: TwoAgents) -> None:
    """Its way on is to try again (`beistand retry`), never to take over from nobody."""
    two.a.store.forget_pair()
    two.a.boot()
    two.a.agent.reload()
    assert not two.a.agent.keeper.is_serving
    with pytest.raises(Refused, match="already-active"):
        show_plan(two.a.agent, PlanTakeover(), Caller(uid=33, user="w", account="anna", credential="1"))


def test_a_page_looks_at_what_the_watch_saw_and_the_watch_looks_on(two: TwoAgents) -> None:
    """The page answers at once; the click looks for itself again when that was too long ago."""
    two.turns(2)
    first = two.b.ask(PlanTakeover())
    two.clock.advance(4)
    assert two.b.ask(PlanTakeover(within_seconds=20)).facts.at == first.facts.at
    assert two.b.ask(PlanTakeover(within_seconds=3)).facts.at > first.facts.at
    two.turns(1)  # the peer is heard again
    job = click(two.b, "peer-still-serves", "no-imported-generation")
    assert job.stages == ("ask-peer-to-release", "make-data-ready", "fast-probe", "serve")


def test_a_release_whose_taking_back_was_lost_is_taken_back_later(two: TwoAgents) -> None:
    """I8: the standby lost its power, or the line, between the release and the grant."""
    from beistand.agent.recovery import Recovery

    two.turns(2)
    two.stranger.held.add("192.0.2.77")
    two.b.wiring.peer_now.lost = {Resume}
    two.b.wiring.arp.fast_probe = lambda _interface, _address, _overlooked="": "02:00:00:00:00:99"
    job = click(two.b, "peer-still-serves", "no-imported-generation")
    assert job.state is JobState.FAILED
    assert two.a.state == "released"
    two.b.wiring.peer_now.lost = set()
    two.b.start()
    recovery = Recovery(two.b.agent)
    two.b.wiring.peer_now.lost = {Resume}
    recovery.begin()
    assert two.b.store.plan() is not None
    assert "undo-open" in {each.code for each in two.b.ask(GetStatus()).findings}
    two.b.wiring.peer_now.lost = set()
    two.turns(2)
    two.clock.advance(30)
    two.b.agent.link.ask()
    recovery.tick()
    undoing = two.b.agent.worker.running()
    assert undoing is None or ended(two.b, undoing).state is JobState.DONE
    assert two.b.store.plan() is None
    two.turns(2)
    assert two.a.serves


def cancel_behind_the_grant(two: TwoAgents) -> None:
    two.turns(2)
    two.a.off()
    two.clock.advance(60)
    close = two.b.store.close_plan

    def close_and_cancel(granted) -> None:
        close(granted)
        two.b.ask(CancelJob(id=two.b.agent.worker.running().id))

    two.b.store.close_plan = close_and_cancel


def test_a_cancel_behind_the_grant_comes_too_late(two: TwoAgents) -> None:
    cancel_behind_the_grant(two)
    job = click(two.b, "no-imported-generation", "partition-suspected")
    assert job.state is JobState.DONE
    assert two.b.serves


def test_a_cancel_behind_the_grant_hides_no_pbx_that_does_not_start(two: TwoAgents) -> None:
    """The stage says how far it came: before the last one nothing was taken over."""
    cancel_behind_the_grant(two)
    two.b.services.broken.add("asterisk.service")
    job = click(two.b, "no-imported-generation", "partition-suspected")
    assert job.state is JobState.FAILED
    assert job.stage == job.stages[-1] == "serve"
    assert job.error is not None
    assert job.error.code == "service-not-started"


def test_settings_that_are_damaged_are_told_and_read_again(two: TwoAgents) -> None:
    """The agent must not be dead without a word, nor need a restart when the file is right again."""
    from threading import Event

    from beistand.agent.daemon import Loop

    two.a.wiring.trouble = Failed("settings-wrong", path="/etc/beistand/installation.toml", why="line 3")
    two.a.start()
    loop = Loop(two.a.agent, Event())
    loop.recovery.begin()
    status = two.a.ask(GetStatus())
    assert status.state == "out-of-order"
    assert [each.code for each in status.findings] == ["settings-wrong"]
    two.a.wiring.trouble = None
    two.clock.advance(20)
    loop.turn()
    two.turns(1)
    assert two.a.ask(GetStatus()).state == "serving"
