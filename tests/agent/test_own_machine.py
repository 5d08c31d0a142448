"""A copy of an appliance's disk knows that it is one, and does nothing; the machine itself is never asked at a boot."""

import msgspec
import pytest

from beistand.agent.own_machine import DOCUMENT
from beistand.agent.recovery import Recovery
from beistand.domain.errors import BeistandError
from beistand.protocol import ConfirmMachine, GetMachine, GetStatus, MachineView, Status
from fakes.agents import OneOfTwo, TwoAgents
from fakes.network import Machine
from fakes.pair_of_appliances import ADDRESS

OTHER_CARD = "02:00:00:00:00:cc"


def known(one: OneOfTwo) -> None:
    """Its machine was written down, as `init` does."""
    one.agent.own_machine.learn(one.wiring.installation_now)


def on_other_cards(one: OneOfTwo, *cards: str) -> None:
    one.wiring.machine.now = msgspec.structs.replace(one.wiring.machine.now, cards=cards)


def boot(one: OneOfTwo) -> None:
    one.off()
    one.boot()
    Recovery(one.agent).begin()
    one.turn()


def status(one: OneOfTwo) -> Status:
    answer = one.ask(GetStatus())
    assert isinstance(answer, Status)
    return answer


def codes(one: OneOfTwo) -> set[str]:
    return {each.code for each in status(one).findings}


@pytest.mark.parametrize("is_paired", [True, False])
def test_a_copy_of_the_active_does_nothing_and_names_the_original(two: TwoAgents, is_paired: bool) -> None:
    two.turns(2)
    known(two.a)
    two.a.agent.own_machine.tick()
    if not is_paired:
        two.a.store.forget_pair()
    on_other_cards(two.a, OTHER_CARD)
    two.a.off()
    two.segment.frames.clear()
    boot(two.a)
    two.clock.advance(600)
    two.a.turn()
    assert two.a.is_clean
    assert two.segment.frames == []
    (finding,) = status(two.a).findings
    assert finding.code == "machine-is-copy"
    assert finding.fields["host"] == "pbx-a"
    assert two.a.agent.greeting() is None


def test_a_copy_of_the_standby_cannot_take_over(two: TwoAgents) -> None:
    two.turns(2)
    known(two.b)
    on_other_cards(two.b, OTHER_CARD)
    boot(two.b)
    assert codes(two.b) == {"machine-is-copy"}
    assert not two.b.agent.is_initialised


def test_the_machine_itself_boots_without_a_click(two: TwoAgents) -> None:
    """I8: also with one of its cards replaced, and after somebody renewed its machine-id."""
    two.turns(2)
    known(two.a)
    on_other_cards(two.a, two.a.wiring.machine.now.cards[0], OTHER_CARD)
    boot(two.a)
    two.turns(2)
    assert two.a.serves
    on_other_cards(two.a, OTHER_CARD)
    two.a.wiring.machine.now = msgspec.structs.replace(two.a.wiring.machine.now, machine_id="2" * 32)
    boot(two.a)
    two.turns(2)
    assert two.a.serves


def test_new_cards_are_confirmed_with_its_name_and_it_serves_again(two: TwoAgents) -> None:
    two.turns(2)
    known(two.a)
    on_other_cards(two.a, OTHER_CARD)
    boot(two.a)
    recovery = Recovery(two.a.agent)
    recovery.begin()
    with pytest.raises(BeistandError, match="machine-other-name"):
        two.a.ask(ConfirmMachine(host="pbx-b"))
    view = two.a.ask(ConfirmMachine(host="pbx-a"))
    assert isinstance(view, MachineView)
    assert not view.is_copy
    two.clock.advance(11)
    recovery.tick()
    two.turns(3)
    assert two.a.serves
    boot(two.a)
    assert two.a.agent.is_initialised


def test_nothing_is_confirmed_where_nothing_is_asked(two: TwoAgents) -> None:
    known(two.a)
    with pytest.raises(BeistandError, match="machine-not-asked"):
        two.a.ask(ConfirmMachine(host="pbx-a"))


def test_a_card_that_is_replaced_while_it_serves_stops_nothing(two: TwoAgents) -> None:
    """A restart of the agent finds the address held since this boot."""
    two.turns(2)
    known(two.a)
    on_other_cards(two.a, OTHER_CARD)
    two.a.start()
    Recovery(two.a.agent).begin()
    two.turns(2)
    assert two.a.serves
    boot(two.a)
    two.turns(2)
    assert two.a.serves


def test_an_older_installation_learns_its_machine_by_itself(two: TwoAgents) -> None:
    assert two.a.store.get(DOCUMENT) is None
    two.a.agent.own_machine.tick()
    view = two.a.ask(GetMachine())
    assert isinstance(view, MachineView)
    assert (view.is_known, view.is_copy) == (True, False)


@pytest.mark.parametrize("trouble", ["no-own-address", "a-twin", "no-cable"])
def test_it_learns_nothing_while_something_speaks_against_it(two: TwoAgents, trouble: str) -> None:
    """Of a copy that was made before anything was written down: its own address is not there, or is somebody's."""
    if trouble == "no-own-address":
        two.a.machine.own_ip = "192.0.2.77"
    elif trouble == "a-twin":
        two.segment.machines.append(Machine("02:00:00:00:00:63", two.a.machine.own_ip))
    else:
        two.a.machine.has_carrier = False
    two.a.agent.own_machine.tick()
    assert two.a.store.get(DOCUMENT) is None


def test_nobody_serves_without_the_own_address(two: TwoAgents) -> None:
    """An older copy, which nobody wrote anything down of."""
    two.b.off()
    two.a.store.forget_pair()
    two.a.machine.own_ip = "192.0.2.77"
    boot(two.a)
    two.clock.advance(600)
    two.a.turn()
    assert two.a.is_clean
    assert "own-address-gone" in codes(two.a)
    two.a.machine.own_ip = "192.0.2.1"
    two.clock.advance(2)
    two.a.turn()
    assert two.a.serves


def test_a_twin_with_the_same_own_address_finds_the_original(two: TwoAgents) -> None:
    """The original's kernel does not answer a question that seems to come from itself: it is asked as nobody."""
    two.b.off()
    two.a.store.forget_pair()
    twin = Machine("02:00:00:00:00:63", two.a.machine.own_ip, held={ADDRESS})
    two.a.boot()
    two.segment.machines.append(twin)
    Recovery(two.a.agent).begin()
    two.a.turn()
    assert two.a.is_clean
    assert "held-by-stranger" in codes(two.a)
