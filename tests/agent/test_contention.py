"""Two hold one address, and no grant decides between them: both say so, and the later one gives way."""

import pytest

from beistand.agent.contention import AgeContention
from beistand.domain.serving import gives_way
from contracts.segments import until
from fakes.agents import OneOfTwo, TwoAgents
from fakes.pair_of_appliances import ADDRESS
from fakes.situations import A_MAC, B_MAC, STRANGER_MAC, B, grant


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [(10, 500, True), (500, 10, False), (10.4, 11, False), (11, 10.4, False), (0, 0, False)],
)
def test_the_later_one_gives_way_and_of_equals_the_higher_mac(
    mine: float, theirs: float, expected: bool
) -> None:
    assert gives_way(mine, theirs, my_mac=A_MAC, their_mac=B_MAC) is expected
    assert gives_way(theirs, mine, my_mac=B_MAC, their_mac=A_MAC) is not expected


@pytest.fixture
def both(two: TwoAgents) -> TwoAgents:
    """Both were made the active behind a broken cable; B began ten minutes later. Then the cable is whole again."""
    two.b.store.adopt(grant(3, B, 2))
    for each in (two.a, two.b):
        each.store.forget_pair()
    two.cut()
    two.a.turn()
    two.clock.advance(600)
    two.b.turn()
    two.clock.advance(5)
    assert two.a.serves
    assert two.b.serves
    return two


def contend(one: OneOfTwo, mac: str) -> bool:
    acts = one.agent.keeper._acts
    contention = AgeContention(one.agent, acts)
    contention.note()
    return contention.is_lost(one.agent.node, mac, lambda act: act())


def test_the_one_that_served_first_goes_on(both: TwoAgents) -> None:
    both.heal()
    until(lambda: not both.b.machine.held, 10)
    both.clock.advance(2)
    both.b.turn()
    assert both.b.is_clean
    assert both.b.state == "held"
    codes = {each.code for each in both.b.agent.keeper.findings()}
    assert "held-by-stranger" in codes
    both.a.turn()
    assert both.a.serves
    both.a.off()
    both.clock.advance(2)
    both.b.turn()
    assert both.b.serves  # nobody has to click


def test_a_machine_that_tells_nothing_is_not_given_way_to(two: TwoAgents) -> None:
    two.a.store.forget_pair()
    two.a.turn()
    two.stranger.held.add(ADDRESS)
    assert not contend(two.a, STRANGER_MAC)
    assert two.a.serves


def test_a_frame_alone_ends_nothing(two: TwoAgents) -> None:
    """Who says that it serves for years and does not hold the address is no holder."""
    two.a.store.forget_pair()
    two.a.turn()
    two.a.machine.contenders[STRANGER_MAC] = 1e9
    assert not contend(two.a, STRANGER_MAC)
    assert two.a.serves


def test_between_the_two_of_a_pair_grants_decide(two: TwoAgents) -> None:
    two.turns(2)
    two.b.machine.held.add(ADDRESS)
    two.a.machine.contenders[B_MAC] = 1e9
    assert not contend(two.a, B_MAC)
    assert two.a.serves
