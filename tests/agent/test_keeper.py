"""The keeper of two appliances: who serves, and who gives up, whatever news comes when."""

import pytest

from beistand.domain.boot import LONGEST_WAIT
from beistand.domain.errors import Refused
from beistand.protocol import GetStatus, Release, RetryService, Status
from fakes.agents import TwoAgents, broken
from fakes.pair_of_appliances import ADDRESS
from fakes.situations import B, grant

WAIT = LONGEST_WAIT.total_seconds()


def codes(one) -> set[str]:
    return {each.code for each in one.agent.keeper.findings()}


def test_the_holder_serves_and_the_standby_stays_quiet(two: TwoAgents) -> None:
    two.turns(2)
    assert two.a.serves
    assert two.a.state == "serving"
    assert two.b.is_clean
    assert two.b.state == "standing-by"


def test_news_of_a_higher_grant_takes_the_address_away_at_once(two: TwoAgents) -> None:
    """R3: not at the next turn, which may be busy with a PBX that takes a minute to start."""
    two.turns(2)
    two.b.store.adopt(grant(3, B, 2))
    two.a.agent.link.ask()
    assert not two.a.machine.held
    assert not two.a.services.is_gate_open
    two.a.turn()
    assert two.a.is_clean
    assert two.a.state == "superseded"


def test_news_in_the_middle_of_a_turn_is_not_lost(two: TwoAgents) -> None:
    """The turn that is under way began with the old standing; the next one must not wait its five seconds."""
    start = two.a.services.start

    def start_and_hear(service) -> None:
        start(service)
        two.b.store.adopt(grant(3, B, 2))
        two.a.agent.link.ask()

    two.a.services.start = start_and_hear
    two.a.turn()
    two.a.turn()
    assert two.a.is_clean
    assert two.a.state == "superseded"


def test_a_holder_that_cannot_write_the_higher_grant_gives_up_all_the_same(two: TwoAgents) -> None:
    """F3: a broken disk is no reason to serve beside a higher epoch."""
    two.turns(2)
    two.b.store.adopt(grant(3, B, 2))

    def adopt(_grant) -> bool:
        raise broken()

    two.a.agent.store.adopt = adopt
    with pytest.raises(Exception, match="file-not-written"):
        two.a.agent.link.ask()
    assert not two.a.machine.held
    two.a.turn()
    assert two.a.is_clean


def test_a_boot_with_everything_silent_waits_two_minutes_and_then_serves_unverified(two: TwoAgents) -> None:
    two.b.off()
    two.a.boot()
    two.a.agent.reload()
    two.a.turn()
    assert two.a.state == "checking"
    two.clock.advance(WAIT - 10)
    two.a.turn()
    assert two.a.is_clean
    two.clock.advance(20)
    two.a.turn()
    assert two.a.serves
    assert two.a.state == "unverified"


def test_the_two_minutes_begin_with_the_link(two: TwoAgents) -> None:
    """R2: the switch may be slower than both; what nobody could hear was no silence."""
    two.b.off()
    two.a.boot()
    two.a.agent.reload()
    two.a.machine.has_carrier = False
    for _ in range(60):
        two.a.turn()
        two.clock.advance(5)
    two.a.machine.has_carrier = True
    two.a.turn()
    two.clock.advance(WAIT - 10)
    two.a.turn()
    assert two.a.is_clean
    two.clock.advance(20)
    two.a.turn()
    assert two.a.serves


def test_the_peer_that_comes_back_verifies(two: TwoAgents) -> None:
    two.b.off()
    two.a.boot()
    two.a.agent.reload()
    two.a.turn()
    two.clock.advance(WAIT + 1)
    two.a.turn()
    assert two.a.state == "unverified"
    two.b.boot()
    two.b.agent.reload()
    two.turns(2)
    assert two.a.state == "serving"


def test_strict_mode_is_held_until_a_person_asks(two: TwoAgents) -> None:
    """I7: one click leads to a server, also where no time-out ever does."""
    import msgspec

    two.a.wiring.installation_now = msgspec.structs.replace(two.a.wiring.installation_now, strict_boot=True)
    two.b.off()
    two.a.boot()
    two.a.agent.reload()
    two.a.turn()
    two.clock.advance(WAIT + 1)
    two.a.turn()
    assert two.a.state == "held"
    two.a.ask(RetryService())
    two.a.turn()
    assert two.a.serves


def test_a_click_does_not_take_the_address_from_a_stranger(two: TwoAgents) -> None:
    two.stranger.held.add(ADDRESS)
    two.a.boot()
    two.a.agent.reload()
    two.a.turn()
    two.a.ask(RetryService())
    two.a.turn()
    assert two.a.is_clean
    assert "held-by-stranger" in codes(two.a)


def test_who_released_is_quiet_over_a_reboot_until_the_claim_is_taken_back(two: TwoAgents) -> None:
    two.turns(2)
    two.b.agent.keeper.prepare(3)
    two.b.wiring.peer_now.release(3)
    assert two.a.is_clean
    assert two.a.state == "released"
    two.a.boot()
    two.a.agent.reload()
    two.turns(2)
    assert two.a.is_clean
    assert two.a.state == "released"
    two.b.agent.keeper.end_claim()
    two.b.wiring.peer_now.resume(3)
    two.turns(2)
    assert two.a.serves


def test_a_person_takes_back_a_release_only_after_a_look_around(two: TwoAgents) -> None:
    """The claim may have been granted behind a broken line: the old boot check says nothing any more."""
    two.turns(2)
    two.b.wiring.peer_now.release(3)
    two.stranger.held.add(ADDRESS)
    two.a.ask(RetryService())
    two.a.turn()
    assert two.a.is_clean
    two.stranger.held.clear()
    two.clock.advance(2)
    two.a.turn()
    assert two.a.serves


def test_a_claim_below_our_own_epoch_is_refused_not_ignored(two: TwoAgents) -> None:
    two.turns(2)
    with pytest.raises(Refused, match="claim-overtaken"):
        two.a.ask(Release(epoch=1))
    assert two.a.serves


def test_a_fork_is_shown_on_both_sides_and_stays(two: TwoAgents) -> None:
    two.fork()
    two.turns(5)
    assert two.a.serves
    assert two.b.is_clean
    assert (two.a.state, two.b.state) == ("forked", "forked")
    assert "is-forked" in codes(two.a)
    assert "is-forked" in codes(two.b)


def test_a_fork_is_told_once(two: TwoAgents, capsys) -> None:
    two.fork()
    capsys.readouterr()
    two.turns(10)
    assert capsys.readouterr().err.count("fork-found") == 2


def test_an_agent_that_is_started_again_goes_on_serving_without_a_look_around(two: TwoAgents) -> None:
    two.turns(2)
    two.b.off()
    two.a.start()
    two.a.agent.reload()
    two.a.turn()
    assert two.a.serves
    assert two.a.state == "serving"


def test_a_pbx_that_does_not_start_is_tried_again_and_told(two: TwoAgents) -> None:
    """F27."""
    two.a.services.broken = {"asterisk.service"}
    two.turns(1)
    assert two.a.state == "active-failed"
    assert "service-not-started" in codes(two.a)
    two.a.services.broken = set()
    two.a.turn()
    assert two.a.state == "active-failed"
    two.a.ask(RetryService())
    two.a.turn()
    assert two.a.state == "serving"


def test_a_cable_that_is_out_is_named_and_nothing_else_is_blamed(two: TwoAgents) -> None:
    """Without its own address nobody can ask the PBX, which runs: the cable is the cause."""
    two.turns(2)
    two.a.machine.has_carrier = False
    two.clock.advance(20)
    two.turns(2)
    status = two.a.ask(GetStatus())
    assert isinstance(status, Status)
    told = {each.code for each in status.findings}
    assert "no-link" in told
    assert not told & {"pbx-silent", "own-address-not-static"}
    two.a.machine.has_carrier = True
    two.turns(2)
    assert two.a.serves
    assert two.a.state == "serving"


def test_a_rival_that_is_gone_is_a_finding_no_more(two: TwoAgents) -> None:
    two.turns(2)
    two.a.agent.keeper._alarm("02:00:00:00:00:99")
    assert "rival-holds-address" in codes(two.a)
    two.a.agent.keeper._alarm("")
    assert "rival-holds-address" not in codes(two.a)


def test_a_grant_of_another_pair_means_nothing_here(two: TwoAgents) -> None:
    """A standby that was another's may know a high number: it must never end our service."""
    two.turns(2)
    two.b.store.adopt(grant(50, "c" * 16, 48))
    two.turns(2)
    assert two.a.serves
    assert two.a.store.standing().epoch == 2


def test_a_damaged_note_of_the_boot_check_is_as_good_as_none(two: TwoAgents) -> None:
    two.turns(2)
    (two.a.folder / "run" / "boot-check").write_bytes(b"{")
    two.turns(2)
    assert two.a.serves


def test_a_stale_holder_does_not_serve_beside_one_whose_agent_is_dead(two: TwoAgents) -> None:
    """F19: nobody tells it of the higher grant, but somebody answers for the address."""
    two.turns(2)
    two.a.off()
    two.b.store.adopt(grant(3, B, 2))
    two.b.agent.keeper.prepare(3)
    two.b.turn()
    assert two.b.serves
    two.b.agent.keeper.stop()
    two.b.agent_runs = False
    two.a.boot()
    two.a.agent.reload()
    for _ in range(40):
        two.a.turn()
        two.clock.advance(5)
        assert two.a.is_clean
    assert two.a.state == "held"
    assert "held-by-peer" in codes(two.a)
    two.b.start()
    two.b.agent.reload()
    two.turns(2)
    assert two.b.serves
    assert two.a.state == "superseded"


@pytest.mark.parametrize("first", ["a", "b"])
def test_after_a_power_cut_of_the_site_the_newer_holder_serves_whoever_boots_first(
    two: TwoAgents, first: str
) -> None:
    """F20."""
    two.turns(2)
    two.b.store.adopt(grant(3, B, 2))
    for each in (two.a, two.b):
        each.off()
    order = [two.a, two.b] if first == "a" else [two.b, two.a]
    for each in order:
        each.boot()
        each.agent.reload()
        for _ in range(10):
            each.turn()
            two.clock.advance(5)
    two.turns(3)
    assert two.b.serves
    assert two.a.is_clean


def test_an_address_that_was_taken_away_is_back_before_the_next_turn(two: TwoAgents) -> None:
    two.turns(2)
    held = two.a.machine.held
    assert held
    held.clear()
    two.a.agent.keeper.put_back()
    assert two.a.machine.held


def test_who_may_not_serve_puts_nothing_back(two: TwoAgents) -> None:
    two.turns(2)
    two.b.agent.keeper.put_back()
    assert not two.b.machine.held
