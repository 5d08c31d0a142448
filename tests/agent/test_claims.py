"""What the model of the grant protocol found wrong in the agent, shown on two real agents (I1, I3, I7, I9)."""

from threading import Thread

from beistand.domain.boot import LONGEST_WAIT
from beistand.domain.job import JobState
from beistand.protocol import PlanTakeover, RetryService, StartTakeover, WatchJob
from fakes.agents import OneOfTwo, TwoAgents
from fakes.pair_of_appliances import ADDRESS
from fakes.situations import A, B, grant

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


def test_a_request_to_release_that_comes_late_costs_no_click(two: TwoAgents) -> None:
    """I8: nothing comes of that claim any more, and nobody would ever take the release back."""
    two.turns(2)
    two.b.wiring.peer_now.release(3)
    assert not two.a.machine.held
    two.turns(3)
    assert two.a.serves
    assert two.a.state == "serving"


def test_who_released_waits_for_the_claim_that_is_under_way(two: TwoAgents) -> None:
    """I1: however often it asks."""
    two.turns(2)
    two.b.agent.keeper.prepare(3)
    two.b.wiring.peer_now.release(3)
    two.turns(3)
    assert two.a.state == "released"
    assert two.a.is_clean
    two.b.agent.keeper.end_claim()
    two.turns(3)
    assert two.a.serves


def test_who_released_waits_for_whom_it_cannot_ask(two: TwoAgents) -> None:
    """Behind a broken line the claim may have been granted: the old word of a greeting ends no release."""
    two.turns(2)
    two.b.wiring.peer_now.release(3)
    two.cut()
    two.a.turn()
    assert two.a.state == "released"
    assert two.a.is_clean


def test_a_newer_server_whose_pbx_still_starts_is_told_as_a_server(two: TwoAgents) -> None:
    """R3: the line heals meanwhile; with a peer that seems to serve nothing, the newer one would let go again."""
    two.turns(2)
    two.cut()
    start, seen = two.b.services.start, []

    def start_slowly(service) -> None:
        two.heal()
        two.a.agent.link.ask()
        seen.append((two.b.agent.greeting().serving, set(two.a.machine.held), set(two.b.machine.held)))
        start(service)

    two.b.services.start = start_slowly
    assert click(two.b) is JobState.DONE
    assert seen[0] == (True, set(), {ADDRESS})
    assert two.b.serves


def test_a_loser_gives_up_the_address_before_its_disk_is_asked(two: TwoAgents) -> None:
    """R3: a disk that stalls would keep two servers up for as long."""
    two.turns(2)
    two.b.store.adopt(grant(3, B, 2))
    seen = []
    for name in ("put", "adopt", "tell"):
        write = getattr(two.a.store, name)

        def late(*given, write=write, **named) -> object:
            seen.append(set(two.a.machine.held))
            return write(*given, **named)

        setattr(two.a.store, name, late)
    two.a.agent.link.ask()
    assert len(seen) >= 2
    assert set().union(*seen) == set()
    assert two.a.store.standing().epoch == 3


def test_a_click_before_the_first_greeting_asks_the_peer_first(two: TwoAgents) -> None:
    """I9: its machine answers; the agent over there knows a grant that the number has to be above."""
    two.turns(2)
    two.b.off()
    two.a.store.adopt(grant(4, A, 2))
    two.clock.advance(60)
    two.b.boot()
    two.b.agent.reload()
    assert click(two.b) is JobState.DONE
    assert two.b.store.standing().epoch == 5
    two.turns(2)
    assert two.b.serves
    assert two.a.is_clean


def test_a_claim_that_failed_lets_the_other_serve_again(two: TwoAgents) -> None:
    two.turns(2)
    two.b.wiring.arp.fast_probe = lambda _interface, _address, _overlooked="": "02:00:00:00:00:99"
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

    def heal_behind(interface, addresses, seconds, *, as_nobody=False):
        answers = ask(interface, addresses, seconds, as_nobody=as_nobody)
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
