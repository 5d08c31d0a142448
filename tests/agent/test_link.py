"""The link: what the peer said last, and a thread that nothing ends."""

from typing import Any

import msgspec
import pytest

from beistand.agent.link import CONNECTED_SECONDS, Link
from beistand.domain.config import ModuleConfig
from beistand.domain.errors import Failed, PeerUnreachable
from beistand.domain.pair import Greeting
from beistand.protocol import PushConfig, SetConfig
from fakes.agents import THE_PEER, TwoAgents
from fakes.clock import FakeClock
from fakes.situations import A, B, grant, greeting, standing

HELLO = greeting(standing(B, grant(2, A)))


class AnyPeer:
    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.limits: list[float] = []

    def greet(self, _mine: Greeting, seconds: float) -> Greeting:
        self.limits.append(seconds)
        if self.errors:
            raise self.errors.pop(0)
        return HELLO


def make(peer: AnyPeer, clock: FakeClock, heard: list[Any]) -> Link:
    return Link(clock, lambda: peer, lambda: HELLO, lambda said, was_silent: heard.append(was_silent))


def test_a_peer_is_connected_until_three_greetings_were_lost() -> None:
    clock, heard = FakeClock(), []
    link = make(AnyPeer(), clock, heard)
    assert link.current() is None
    link.turn()
    assert link.current() == HELLO
    clock.advance(CONNECTED_SECONDS + 1)
    assert link.current() is None
    assert link.last() == HELLO
    link.turn()
    assert heard == [True, True]


@pytest.mark.parametrize("error", [PeerUnreachable("peer-silent"), Failed("disk-full"), OSError(24, "files")])
def test_whatever_fails_the_next_greeting_goes_out(error: Exception) -> None:
    peer, clock = AnyPeer(), FakeClock()
    link = make(peer, clock, [])
    peer.errors = [error]
    link.turn()
    assert not link.is_connected()
    link.turn()
    assert link.is_connected()


def test_news_that_cannot_be_handled_end_no_thread() -> None:
    def news(_said: Greeting, _was_silent: bool) -> None:
        raise Failed("state-not-written", path="/", why="I/O error")

    link = Link(FakeClock(), AnyPeer, lambda: HELLO, news)
    link.turn()
    link.turn()


def test_a_new_line_gets_more_time_than_one_that_stands() -> None:
    """Two slow machines make keys and start programs for it: cut off each time, they would never meet."""
    peer = AnyPeer()
    link = make(peer, FakeClock(), [])
    link.turn()
    link.turn()
    assert peer.limits[0] > 10 > peer.limits[1]


def test_a_trouble_that_lasts_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    peer = AnyPeer()
    link = make(peer, FakeClock(), [])
    for error in [OSError(24, "files")] * 20:
        peer.errors = [error]
        link.turn()
    assert capsys.readouterr().err.count("Traceback") == 1


def test_what_the_peer_says_of_itself_is_kept_for_the_day_it_is_silent(two: TwoAgents) -> None:
    """A new network card while all is well must not look like a stranger's at the takeover."""
    two.a.machine.mac = "02:00:00:00:00:1a"
    two.turns(2)
    pair = two.b.store.pair()
    assert pair is not None
    assert pair.peer.mac == "02:00:00:00:00:1a"


def test_the_configuration_of_the_active_reaches_the_standby(two: TwoAgents) -> None:
    two.turns(1)
    two.a.ask(SetConfig(config=two.a.config(attempts=7)))
    two.a.agent.link.turn()
    assert two.b.store.config() == two.a.store.config()
    assert two.b.store.config().attempts == 7


def test_the_standby_never_overwrites_the_configuration_of_the_active(two: TwoAgents) -> None:
    two.turns(1)
    pushed = ModuleConfig(attempts=99, revision=1000)
    with pytest.raises(Exception, match="configure-on-the-active"):
        two.a.ask(PushConfig(config=pushed), THE_PEER)
    assert two.a.store.config().attempts != 99


def test_after_a_takeover_the_new_active_wins_also_over_a_higher_revision(two: TwoAgents) -> None:
    two.a.store.set_config(ModuleConfig(attempts=3, revision=9))
    two.turns(2)
    two.b.store.adopt(grant(3, B, 2))
    two.b.store.set_config(ModuleConfig(attempts=5, revision=8))
    two.turns(3)
    two.b.agent.link.turn()
    assert two.a.store.config().attempts == 5


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"licence_key": "no key"}, "licence-key-form"),
        ({"mail_address": "a@b, c@d"}, "mail-address-form"),
        ({"send_mail": True}, "mail-address-missing"),
    ],
)
def test_a_configuration_with_a_problem_is_refused_by_the_agent_too(
    two: TwoAgents, changes: dict[str, Any], code: str
) -> None:
    config = msgspec.structs.replace(two.a.store.config(), **changes)
    with pytest.raises(Exception, match=code):
        two.a.ask(SetConfig(config=config))
