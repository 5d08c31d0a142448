"""D17: one host that answers ARP vetoes no takeover for ever. Root at the console alone may overlook it, by its MAC."""

import pytest

from beistand.agent.caller import Caller
from beistand.domain.account import AccountRole
from beistand.domain.errors import Refused
from beistand.domain.job import Job, JobState
from beistand.protocol import PlanTakeover, StartTakeover, WatchJob
from fakes.agents import ROOT, OneOfTwo, TwoAgents
from fakes.pair_of_appliances import ADDRESS
from fakes.situations import A_MAC, STRANGER_MAC

OTHERS = ("no-imported-generation", "partition-suspected", "peer-still-serves", "own-data", "data-old")
ANNA = Caller(
    uid=33,
    user="w",
    account="anna",
    role=AccountRole.ADMINISTRATOR,
    credential="1",
    sure_as="anna",
    sure_mark="m",
)


def forged(two: TwoAgents) -> OneOfTwo:
    """The active is dead, and a stranger answers for the service address."""
    two.turns(2)
    two.a.off()
    two.stranger.held.add(ADDRESS)
    two.clock.advance(60)
    return two.b


def click(one: OneOfTwo, mac: str, caller: Caller = ROOT, accept: tuple[str, ...] = OTHERS) -> Job:
    plan = one.ask(PlanTakeover())
    job = one.ask(StartTakeover(digest=plan.digest, accept=accept, operator="root", forged=mac), caller)
    while job.state is JobState.RUNNING:
        job = one.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
    return job


def test_the_plan_shows_what_speaks_for_it_and_which_one_would_be_overlooked(two: TwoAgents) -> None:
    standby = forged(two)
    two.stranger.held |= {"198.51.100.77"}
    plan = standby.ask(PlanTakeover())
    found = {each.code: each for each in plan.findings}
    assert not found["foreign-holder"].acceptable
    assert found["holder-answers-for-others"].fields["addresses"] == "198.51.100.77"
    assert "holder-since" in found
    (probe,) = [each for each in plan.steps if each.code == "step.fast-probe-beside"]
    assert probe.fields["mac"] == STRANGER_MAC


@pytest.mark.parametrize("typed", [STRANGER_MAC, STRANGER_MAC.upper(), f" {STRANGER_MAC} "])
def test_root_overlooks_it_by_its_mac(two: TwoAgents, typed: str) -> None:
    standby = forged(two)
    job = click(standby, typed)
    assert job.state is JobState.DONE, job
    assert standby.serves
    told = [each for each in standby.store.events(50) if each.message.code == "audit.forgery-overlooked"]
    assert [(each.message.fields["mac"], each.operator) for each in told] == [(STRANGER_MAC, "root")]


@pytest.mark.parametrize("mac", ["", A_MAC, "yes", "foreign-holder"])
def test_without_exactly_its_mac_it_stops_everything(two: TwoAgents, mac: str) -> None:
    standby = forged(two)
    with pytest.raises(Refused, match="not-accepted" if not mac else "forged-differs"):
        click(standby, mac, accept=(*OTHERS, "foreign-holder"))
    assert standby.is_clean


def test_no_page_and_no_program_overlooks_anything(two: TwoAgents, monkeypatch: pytest.MonkeyPatch) -> None:
    standby = forged(two)
    monkeypatch.setattr(standby.agent.accounts, "fresh", lambda caller: caller)
    with pytest.raises(Refused, match="needs-console"):
        click(standby, STRANGER_MAC, ANNA)
    assert standby.is_clean


def test_who_else_has_the_address_stops_it_all_the_same(two: TwoAgents) -> None:
    """I1, I2: the forgery answers first, the peer behind it, whose agent is dead."""
    two.turns(2)
    two.stranger.held.add(ADDRESS)
    two.segment.machines.remove(two.stranger)
    two.segment.machines.insert(0, two.stranger)
    two.a.agent_runs = False
    two.clock.advance(60)
    job = click(two.b, STRANGER_MAC)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert (job.error.code, job.error.fields["mac"]) == ("address-in-use", A_MAC)
    assert two.b.is_clean
    assert two.a.serves


def test_a_reboot_is_not_held_by_what_was_overlooked(two: TwoAgents) -> None:
    standby = forged(two)
    click(standby, STRANGER_MAC)
    standby.boot()
    standby.agent.reload()
    for _ in range(4):
        standby.turn()
        two.clock.advance(60)
    assert standby.serves


def test_a_reboot_is_held_by_anybody_else(two: TwoAgents) -> None:
    standby = forged(two)
    click(standby, STRANGER_MAC)
    two.gateway.held.add(ADDRESS)
    standby.boot()
    standby.agent.reload()
    for _ in range(4):
        standby.turn()
        two.clock.advance(60)
    assert standby.is_clean
    assert standby.agent.keeper.findings()[0].fields["mac"] == two.gateway.mac


def test_another_grant_overlooks_nothing(two: TwoAgents) -> None:
    """What root took for a forgery once may be a machine of the house next year."""
    standby = forged(two)
    click(standby, STRANGER_MAC)
    two.stranger.held.clear()
    two.a.boot()
    two.a.agent.reload()
    two.turns(3)
    assert click(two.a, "", accept=OTHERS).state is JobState.DONE
    two.turns(3)
    two.a.off()
    two.clock.advance(60)
    two.stranger.held.add(ADDRESS)
    with pytest.raises(Refused, match="not-accepted"):
        click(standby, "", accept=OTHERS)


def test_a_holder_without_a_pair_is_helped_at_its_console(two: TwoAgents) -> None:
    """It is held at each boot by whoever answers, and there is no other appliance to turn to."""
    two.a.store.forget_pair()
    two.stranger.held.add(ADDRESS)
    two.a.boot()
    two.a.agent.reload()
    two.a.turn()
    assert two.a.state == "held"
    assert click(two.a, STRANGER_MAC).state is JobState.DONE
    assert two.a.serves
