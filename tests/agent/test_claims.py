"""What the model of the grant protocol found wrong in the agent, shown on two real agents (I1, I3, I7, I9)."""

from threading import Thread

from beistand.domain.boot import LONGEST_WAIT
from beistand.domain.job import JobState
from beistand.protocol import PlanTakeover, RetryService, StartTakeover, WatchJob
from fakes.agents import OneOfTwo, TwoAgents
from fakes.pair_of_appliances import ADDRESS
from fakes.situations import B, grant

WAIT = LONGEST_WAIT.total_seconds()
EVERYTHING = ("peer-still-serves", "no-imported-generation", "partition-suspected", "own-data", "data-old")


def click(one: OneOfTwo) -> JobState:
    plan = one.ask(PlanTakeover())
    job = one.ask(StartTakeover(digest=plan.digest, accept=EVERYTHING, operator="test"))
    while job.state is JobState.RUNNING:
        job = one.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
    return job.state


def test_one_click_is_enough_for_who_released_for_a_claim_that_was_never_granted(two: TwoAgents) -> None:
    """I7: a number below that claim would be a grant under which it may not serve."""
    two.turns(2)
    two.a.wiring.peer_now.release(4)
    two.a.off()
    two.clock.advance(60)
    assert click(two.b) is JobState.DONE
    assert two.b.serves
    assert two.b.store.standing().epoch == 5


def test_a_claim_that_was_released_for_is_not_taken_for_known_history(two: TwoAgents) -> None:
    """R5: it may have been granted behind a broken line; the fork of the two must not go unseen."""
    two.turns(2)
    two.a.wiring.peer_now.release(4)
    two.a.off()
    two.clock.advance(60)
    click(two.b)
    minted = two.b.store.standing().grant
    assert minted is not None
    assert (minted.over or minted.parent) < 4


def test_nobody_serves_again_beside_a_claim_that_is_past_its_probe(two: TwoAgents) -> None:
    """I1: whoever takes back a release while the other is about to hold the address waits for it."""
    two.turns(2)
    close, seen = two.b.store.close_plan, []

    def close_late(granted) -> None:
        two.a.ask(RetryService())
        two.a.turn()
        seen.append(set(two.a.machine.held))
        close(granted)

    two.b.store.close_plan = close_late
    assert click(two.b) is JobState.DONE
    assert seen == [set()]
    two.turns(3)
    assert two.b.serves
    assert two.a.is_clean


def test_a_claim_that_failed_lets_the_other_serve_again(two: TwoAgents) -> None:
    two.turns(2)
    two.b.wiring.arp.fast_probe = lambda _interface, _address: "02:00:00:00:00:99"
    assert click(two.b) is JobState.FAILED
    assert two.b.agent.greeting().claims == 0
    two.turns(3)
    assert two.a.serves


def test_an_agent_that_ended_between_grant_and_address_looks_around_first(two: TwoAgents) -> None:
    """I1: while it was dead somebody may have been asked to serve."""
    two.turns(2)
    two.b.wiring.peer_now.release(3)
    two.b.agent.keeper.prepare(3)
    two.b.store.close_plan(grant(3, B, 2))
    two.b.agent.keeper.stop()
    two.b.agent_runs = False
    two.a.ask(RetryService())
    two.a.turn()
    assert two.a.serves
    two.b.start()
    two.b.agent.reload()
    two.b.agent.keeper.put_back()
    assert not two.b.machine.held
    two.segment.cut = []
    two.b.turn()
    assert not (two.a.machine.held and two.b.machine.held)
    two.turns(4)
    assert two.b.serves
    assert two.a.is_clean


def test_an_agent_that_ended_between_grant_and_address_waits_for_no_dead_peer(two: TwoAgents) -> None:
    two.turns(2)
    two.a.off()
    two.clock.advance(60)
    two.b.agent.keeper.prepare(3)
    two.b.store.close_plan(grant(3, B, 2))
    two.b.start()
    two.b.agent.reload()
    two.b.turn()
    assert two.b.serves


def test_no_address_is_added_after_the_news_of_a_higher_grant(two: TwoAgents) -> None:
    """I3: also where the news comes between the question whether to serve and the act."""
    two.turns(2)
    two.b.store.adopt(grant(3, B, 2))
    hold, news = two.a.wiring.addresses.hold, Thread(target=two.a.agent.link.ask)

    def hear_and_hold(installation) -> bool:
        if not news.ident:
            news.start()
            news.join(0.3)  # it waits for us, or is through by now
        assert two.a.store.standing().is_holder
        return hold(installation)

    two.a.wiring.addresses.hold = hear_and_hold
    two.a.agent.keeper.put_back()
    news.join(5)
    assert ADDRESS not in two.a.machine.held
    two.a.turn()
    assert two.a.is_clean


def test_a_look_around_that_began_before_the_news_allows_nothing(two: TwoAgents) -> None:
    """I1: the line healed in the middle of it, and the peer serves below our grant."""
    two.turns(2)
    two.b.store.adopt(grant(3, B, 2))
    two.cut()
    two.b.boot()
    two.b.agent.reload()
    two.b.turn()
    two.clock.advance(WAIT + 1)
    ask = two.b.wiring.arp.ask

    def heal_behind(interface, addresses, seconds):
        answers = ask(interface, addresses, seconds)
        two.heal()
        greeting = two.a.agent.greeting()
        assert greeting is not None
        assert greeting.serving
        two.b.agent.link.greeted(greeting)
        return answers

    two.b.wiring.arp.ask = heal_behind
    two.b.turn()
    assert not two.b.machine.held
    two.b.wiring.arp.ask = ask
    two.turns(4)
    assert two.b.serves
    assert two.a.is_clean
