"""A pair ends on both sides, and each ends well; a copy becomes nothing without a word to the other one."""

import pytest

from beistand.agent.recovery import Recovery
from beistand.domain.errors import BeistandError
from beistand.domain.role import Role
from beistand.protocol import EndPair, GetStatus, Status, UndoInit, Unpair
from fakes.agents import THE_PEER, OneOfTwo, TwoAgents
from fakes.keys import FakeKeys


@pytest.fixture
def pair(two: TwoAgents) -> TwoAgents:
    for each in (two.a, two.b):
        each.wiring.keys = FakeKeys()
    two.turns(2)
    return two


def codes(one: OneOfTwo) -> set[str]:
    answer = one.ask(GetStatus())
    assert isinstance(answer, Status)
    return {each.code for each in answer.findings}


@pytest.mark.parametrize("asked", ["a", "b"])
def test_both_sides_forget_the_other_and_its_keys(pair: TwoAgents, asked: str) -> None:
    (pair.a if asked == "a" else pair.b).ask(Unpair())
    for each in (pair.a, pair.b):
        assert each.store.pair() is None
        assert each.wiring.keys.forgotten == [False]
        assert "not-paired" in codes(each)
        assert not codes(each) & {"peer-silent", "peer-key-refused", "host-key-changed"}
        assert any(event.message.code == "unpaired" for event in each.store.events(5))
    pair.turns(2)
    assert pair.a.serves
    assert pair.b.is_clean
    assert pair.b.store.standing().role is Role.STANDBY


def test_the_active_still_boots_by_itself_afterwards(pair: TwoAgents) -> None:
    pair.a.ask(Unpair())
    pair.a.off()
    pair.a.boot()
    pair.a.agent.reload()
    pair.turns(2)
    assert pair.a.serves


def test_a_silent_peer_is_asked_about_first(pair: TwoAgents) -> None:
    pair.b.off()
    with pytest.raises(BeistandError, match="unpair-peer-silent"):
        pair.a.ask(Unpair())
    assert pair.a.store.pair() is not None
    assert pair.a.wiring.keys.forgotten == []
    pair.a.ask(Unpair(force=True))
    assert pair.a.store.pair() is None


def test_whoever_was_forgotten_meanwhile_can_end_it_alone(pair: TwoAgents) -> None:
    pair.a.store.forget_pair()
    pair.a.agent.reload()
    pair.b.ask(Unpair())
    assert pair.b.store.pair() is None


def test_of_another_pair_nothing_ends(pair: TwoAgents) -> None:
    with pytest.raises(BeistandError, match="other-pair"):
        pair.b.ask(EndPair(pair="f" * 32), THE_PEER)
    assert pair.b.store.pair() is not None
    pair.a.ask(Unpair())
    with pytest.raises(BeistandError, match="not-paired"):
        pair.a.ask(Unpair())


@pytest.mark.parametrize("which", ["a", "b"])
def test_a_copy_is_undone_without_a_word_to_anybody(pair: TwoAgents, which: str) -> None:
    one = pair.a if which == "a" else pair.b
    other = pair.b if which == "a" else pair.a
    one.agent.own_machine.learn(one.wiring.installation_now)
    one.wiring.machine.now = type(one.wiring.machine.now)(cards=("02:00:00:00:00:cc",), host="pbx-c")
    one.wiring.profiles = Loads(one)
    one.services.enabled = {"asterisk.service"}
    one.folder.joinpath("etc").mkdir(exist_ok=True)
    one.off()
    one.boot()
    Recovery(one.agent).begin()
    assert codes(one) == {"machine-is-copy"}
    one.ask(UndoInit())
    assert not one.store.is_initialised()
    assert one.wiring.keys.forgotten == [True]
    assert other.store.pair() is not None
    assert one.is_clean


class Loads:
    def __init__(self, one: OneOfTwo) -> None:
        self._one = one

    def load(self, _name: str) -> object:
        return self._one.wiring.profile
