"""A line heals: the newer grant's server is heard at once; the older one withdraws, contradicting nobody (F21)."""

from beistand.domain.healing import SILENT_SECONDS
from beistand.protocol import Greet
from contracts.segments import until
from fakes.agents import TwoAgents
from fakes.pair_of_appliances import ADDRESS
from fakes.situations import A_MAC, B_MAC, B, grant


def cut_and_taken_over(two: TwoAgents) -> None:
    """Both serve their side of a broken line; b by a click that a never heard of."""
    two.turns(2)
    two.cut()
    two.clock.advance(SILENT_SECONDS + 1)
    two.b.agent.keeper.prepare(3)
    two.b.store.adopt(grant(3, B, 2))
    two.b.agent.keeper.take_up()
    assert two.a.machine.held
    assert two.b.machine.held
    for each in (two.a, two.b):
        each.agent.keeper.stop()  # the announcing threads: what is sent from here on is what these tests are about
        each.agent.healing.turn()
    two.segment.frames.clear()


def test_the_loser_withdraws_in_the_first_look_after_the_healing(two: TwoAgents) -> None:
    cut_and_taken_over(two)
    two.heal()
    two.a.agent.healing.turn()
    assert not two.a.machine.held
    assert not two.a.services.is_gate_open
    assert two.b.machine.held


def test_the_winner_ends_it_as_well(two: TwoAgents) -> None:
    """Whichever side notices first."""
    cut_and_taken_over(two)
    two.heal()
    two.b.agent.healing.turn()
    assert not two.a.machine.held
    assert two.b.machine.held


def test_only_the_winner_announces_when_the_other_is_seen(two: TwoAgents) -> None:
    cut_and_taken_over(two)
    two.a.wiring.peer_now.lost = two.b.wiring.peer_now.lost = {Greet}
    two.heal()
    two.a.agent.healing.turn()
    two.b.agent.healing.turn()
    until(lambda: bool(two.segment.frames))
    two.b.agent.keeper._announcer._round.end()
    assert two.a.agent.keeper._announcer._round is None
    assert {mac for mac, address, _ in two.segment.frames if address == ADDRESS} <= {B_MAC}


def test_a_peer_that_was_told_of_our_grant_is_not_contradicted(two: TwoAgents) -> None:
    """Its claim can only mean a higher number; ours, of which it never heard, is defended."""
    cut_and_taken_over(two)
    assert two.a.agent.keeper._is_overruled(B_MAC)
    assert not two.b.agent.keeper._is_overruled(A_MAC)


def test_a_peer_that_is_heard_gets_no_such_grace(two: TwoAgents) -> None:
    two.turns(2)
    two.a.agent.link.ask()
    assert not two.a.agent.keeper._is_overruled(B_MAC)


def test_a_machine_whose_agent_is_silent_is_greeted_once(two: TwoAgents) -> None:
    """What the link tries every two seconds anyhow needs no second one that tries it all the time."""
    cut_and_taken_over(two)
    two.b.agent_runs = False
    two.heal()
    asked = []
    two.a.agent.link.ask = lambda seconds=0.0: asked.append(seconds)  # type: ignore[method-assign]
    for _ in range(5):
        two.a.agent.healing.turn()
    assert len(asked) == 1


def test_an_old_word_of_the_peer_takes_nothing_from_the_other(two: TwoAgents) -> None:
    """What b said before the line broke arrives when it has healed: a does not announce on the strength of it."""
    two.turns(2)
    old = two.b.agent.greeting()
    assert old is not None
    cut_and_taken_over(two)
    two.heal()
    two.a.agent.link.greeted(old)
    assert two.a.agent.keeper._announcer._round is None
    assert two.segment.frames == []
    assert two.a.agent.keeper._is_overruled(B_MAC)
