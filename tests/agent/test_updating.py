"""S4: the pause of the cycles, and an update of one side alone, with two agents."""

from collections.abc import Callable
from datetime import time, timedelta
from typing import cast

import msgspec
import pytest

from agent.test_clicks import click, ended
from beistand.agent.cycles import UNASKED_SECONDS, start_due_cycle
from beistand.agent.recovery import Recovery
from beistand.agent.status import status
from beistand.domain.errors import BeistandError, PeerRefused
from beistand.domain.job import JobKind, JobState
from beistand.domain.message import message
from beistand.domain.pair import Greeting
from beistand.domain.profile import Profile
from beistand.domain.schedule import Interval, Schedule
from beistand.protocol import (
    GetStatus,
    GetUpdate,
    PauseCycles,
    Release,
    Resume,
    ResumeCycles,
    StartCycle,
    UpdateView,
)
from fakes.agents import THE_PEER, OneOfTwo, PeerOver, TwoAgents
from fakes.situations import B, grant, imported


def code(one: OneOfTwo, request: msgspec.Struct) -> str:
    with pytest.raises(BeistandError) as refused:
        one.ask(request)
    return refused.value.message.code


def found(one: OneOfTwo) -> set[str]:
    return {each.code for each in status(one.agent).findings}


def view(one: OneOfTwo) -> UpdateView:
    return cast("UpdateView", one.ask(GetUpdate()))


def states(one: OneOfTwo) -> str:
    return " ".join(each.state for each in view(one).steps)


@pytest.fixture
def minutely(two: TwoAgents) -> TwoAgents:
    """A cycle is due at each minute."""
    schedule = Schedule(interval=Interval.MINUTE, every=1, start=two.clock.now().date(), at=time(0, 0))
    two.a.store.set_config(two.a.config(schedule=schedule))
    two.turns(2)
    two.clock.advance(120)
    two.turns()
    return two


def begins_by_itself(one: OneOfTwo) -> bool:
    start_due_cycle(one.agent)
    job = one.agent.worker.running()
    begun = job is not None or bool(one.store.attempts().last_run)
    while (job := one.agent.worker.running()) is not None:
        one.agent.worker.watch(job.id, job.revision, 1.0)
    return begun


# --- the pause ------------------------------------------------------------------------------------


def test_while_paused_no_cycle_begins_and_one_by_hand_is_refused(minutely: TwoAgents) -> None:
    minutely.a.ask(PauseCycles())
    assert not begins_by_itself(minutely.a)
    assert code(minutely.a, StartCycle()) == "cycles-paused"
    assert status(minutely.a.agent).next_cycle == ""
    minutely.a.ask(ResumeCycles())
    # Who resumed runs the first one; what fell due meanwhile comes a little later by itself.
    assert not begins_by_itself(minutely.a)
    minutely.clock.advance(UNASKED_SECONDS + 1)
    minutely.turns()
    assert begins_by_itself(minutely.a)


def test_both_sides_tell_who_paused_and_since_when(two: TwoAgents) -> None:
    two.turns(2)
    two.a.ask(PauseCycles())
    since = two.clock.now()
    two.turns()
    for each in (two.a, two.b):
        paused = status(each.agent).pause
        assert paused is not None
        assert (paused.who, paused.since) == ("root", since)
        assert "cycles-paused" in found(each)
    two.clock.advance(timedelta(hours=25).total_seconds())
    two.turns()
    assert "cycles-paused-long" in found(two.a) & found(two.b)


def test_a_pause_survives_restarts_and_the_older_one_stays(two: TwoAgents) -> None:
    two.turns(2)
    two.a.ask(PauseCycles())
    since = status(two.a.agent).pause
    two.clock.advance(60)
    two.a.start()
    two.a.agent.reload()
    two.turns()
    two.a.ask(PauseCycles())
    assert status(two.a.agent).pause == since


def test_a_takeover_ends_it_and_it_is_no_setting_of_the_pair(two: TwoAgents) -> None:
    two.turns(2)
    two.a.ask(PauseCycles())
    two.turns()
    two.b.store.adopt(grant(3, B, 2))
    two.turns(2)
    for each in (two.a, two.b):
        assert status(each.agent).pause is None
        assert view(each).pause is None
    two.b.store.adopt(grant(4, "a" * 16, 3))
    two.turns(2)
    assert status(two.a.agent).pause is None


def test_the_age_of_the_copy_is_told_while_paused(minutely: TwoAgents) -> None:
    """B3: a pause hides nothing."""
    minutely.a.store.record(imported())
    minutely.a.ask(PauseCycles())
    minutely.clock.advance(timedelta(hours=5).total_seconds())
    minutely.turns()
    assert {"copy-stale", "cycles-paused"} <= found(minutely.a)
    assert status(minutely.a.agent).usable_age_seconds > timedelta(hours=5).total_seconds()


def test_only_the_active_pauses_and_only_a_pause_is_resumed(two: TwoAgents) -> None:
    two.turns(2)
    assert code(two.b, PauseCycles()) == "not-the-active"
    assert code(two.b, ResumeCycles()) == "cycles-not-paused"
    assert code(two.a, ResumeCycles()) == "cycles-not-paused"
    assert not view(two.b).is_active


# --- an update ------------------------------------------------------------------------------------


def installs(one: OneOfTwo, version: str) -> None:
    """Another telephone system is there, and asked for its version."""
    one.services.version = cast("Callable[[Profile], str]", lambda _profile: version)
    one.start()
    one.agent.reload()


def test_an_update_of_one_side_alone_is_told_within_one_greeting(two: TwoAgents) -> None:
    two.turns(2)
    assert "pbx-versions-differ" not in found(two.a)
    installs(two.b, "Asterisk 23")
    two.a.agent.link.ask()
    assert "pbx-versions-differ" in found(two.a) & found(two.b)


def test_the_guide_follows_what_is_seen_on_both_sides(two: TwoAgents) -> None:
    two.turns(2)
    assert states(two.a) == "now open open open open"
    two.a.ask(PauseCycles())
    two.turns()
    assert states(two.a) == states(two.b) == "done now open open open"
    installs(two.b, "Asterisk 23")
    two.turns()
    assert states(two.a) == states(two.b) == "done done now open open"
    installs(two.a, "Asterisk 23")
    two.turns()
    assert states(two.a) == states(two.b) == "done done done done now"
    standby = view(two.a).standby
    assert standby is not None
    assert standby.before is not None
    assert (standby.before.pbx, standby.now.pbx) == ("Asterisk 22", "Asterisk 23")
    two.a.ask(ResumeCycles())
    two.clock.advance(10)
    two.a.store.record(imported(begin=two.clock.now()))
    assert states(two.a) == "done done done done done"
    two.clock.advance(timedelta(hours=25).total_seconds())
    assert states(two.a) == "now open open open open"


class OtherProtocol(PeerOver):
    """A peer of a newer version: it takes no greeting, and understands what never changes its meaning."""

    def greet(self, greeting: Greeting, _seconds: float = 5.0) -> Greeting:
        raise PeerRefused(message("protocol-differs", mine=3, yours=4, version="9.0"))


def test_another_protocol_is_told_at_once_and_says_its_version(two: TwoAgents) -> None:
    """F15: the agent of one side was updated alone, and its messages with it."""
    two.turns(2)
    two.a.ask(PauseCycles())
    two.a.wiring.peer_now = OtherProtocol(two.a)
    two.a.agent.reload()
    two.a.agent.link.ask()
    told = [each for each in status(two.a.agent).findings if each.code == "protocol-differs"]
    assert [each.fields["version"] for each in told] == ["9.0"]
    assert states(two.a) == "done done now open open"
    standby = view(two.a).standby
    assert standby is not None
    assert (standby.is_heard, standby.now.beistand) == (True, "9.0")


def test_a_standby_that_understands_nobody_still_knows_of_the_pause(two: TwoAgents) -> None:
    """It was updated first, and with its restart forgot what it had heard."""
    two.turns(2)
    two.a.ask(PauseCycles())
    two.turns()
    two.b.start()
    two.b.wiring.peer_now = OtherProtocol(two.b)
    two.b.agent.reload()
    two.b.agent.link.ask()
    assert {"protocol-differs", "cycles-paused"} <= found(two.b)
    assert "peer-silent" not in found(two.b)
    assert view(two.b).pause == view(two.a).pause


def test_over_another_protocol_release_and_status_still_work(two: TwoAgents) -> None:
    two.turns(2)
    two.a.wiring.peer_now = OtherProtocol(two.a)
    two.a.ask(Release(epoch=9), THE_PEER)
    assert not two.a.serves
    two.a.ask(Resume(epoch=9), THE_PEER)
    two.turns(2)
    assert two.a.serves
    assert two.a.ask(GetStatus())


@pytest.mark.shows("F15")
def test_a_takeover_asks_an_active_of_another_protocol_to_release(two: TwoAgents) -> None:
    """F15: nobody has to pull its plug because its messages are others."""
    two.turns(2)
    two.b.wiring.peer_now = OtherProtocol(two.b)
    two.b.agent.reload()
    two.clock.advance(60)
    two.b.agent.link.ask()
    job = click(two.b, "peer-still-serves", "no-imported-generation")
    assert job.state is JobState.DONE, job
    assert "ask-peer-to-release" in job.stages
    two.b.turn()
    two.a.turn()
    assert two.b.serves
    assert two.a.is_clean


@pytest.mark.shows("F15")
def test_what_was_begun_is_undone_towards_an_active_of_another_protocol(two: TwoAgents) -> None:
    """F15: it was updated after it had released; it is never heard again, and understands `resume` all the same."""
    two.turns(2)
    two.b.wiring.peer_now = OtherProtocol(two.b)
    two.b.wiring.peer_now.lost = {Resume}
    two.b.wiring.arp.fast_probe = lambda _interface, _address, _overlooked="": "02:00:00:00:00:99"
    two.b.agent.reload()
    job = click(two.b, "peer-still-serves", "no-imported-generation")
    assert job.state is JobState.FAILED
    assert two.a.state == "released"
    two.b.wiring.peer_now.lost = set()
    two.clock.advance(60)
    two.b.agent.link.ask()
    assert not two.b.agent.link.is_connected()
    Recovery(two.b.agent).tick()
    undoing = two.b.agent.worker.newest(JobKind.UNDO)
    assert undoing is not None
    assert ended(two.b, undoing).state is JobState.DONE
    assert two.b.store.plan() is None
    two.a.turn()
    assert two.a.serves
