"""R5 with two real agents: both histories are kept and shown, and one click leads to exactly one server."""

import msgspec
import pytest

from beistand.domain.fork import Counted, Recorded
from beistand.protocol import GetStatus, Status
from fakes.agents import OneOfTwo, TwoAgents
from fakes.situations import A, B, grant


def status(one: OneOfTwo) -> Status:
    answer = one.ask(GetStatus())
    assert isinstance(answer, Status)
    return answer


def codes(one: OneOfTwo) -> list[str]:
    return [each.code for each in status(one).choices]


def counted(two: TwoAgents) -> None:
    """What the loop does beside: each counts what it recorded, and tells it."""
    for each in (two.a, two.b):
        parted = each.agent.forks._parted()
        if parted is not None:
            each.agent.forks.count(*parted)
    two.turns(1)


def two_clicks(two: TwoAgents) -> None:
    """B takes over behind a broken line, and a, which did not serve, is clicked on, too."""
    two.turns(2)
    two.cut()
    two.clock.advance(10)
    for one, made in (
        (two.b, msgspec.structs.replace(grant(3, B, 2), over=2)),
        (two.a, msgspec.structs.replace(grant(4, A, 2), over=0)),
    ):
        one.agent.keeper.prepare(made.epoch)
        one.store.adopt(made)
        one.agent.keeper.take_up()
    two.heal()


def test_two_clicks_in_a_partition_are_a_fork_on_both_sides(two: TwoAgents) -> None:
    two_clicks(two)
    two.turns(3)
    assert (two.a.state, two.b.state) == ("serving", "superseded")
    for each in (two.a, two.b):
        assert "histories-forked" in {finding.code for finding in status(each).findings}
    assert codes(two.a) == ["keep-serving-here", "serve-there"]
    assert codes(two.b) == ["keep-serving-there", "serve-here", "look-at-kept-data"]


def test_a_fork_is_remembered_over_a_restart_of_both(two: TwoAgents) -> None:
    two_clicks(two)
    two.turns(3)
    for each in (two.a, two.b):
        each.start()
        each.agent.reload()
    two.turns(2)
    for each in (two.a, two.b):
        assert "histories-forked" in {finding.code for finding in status(each).findings}


def test_a_click_that_knew_of_both_ends_the_fork(two: TwoAgents) -> None:
    two_clicks(two)
    two.turns(3)
    chosen = msgspec.structs.replace(grant(6, A, 4), over=3)
    two.a.agent.keeper.prepare(6)
    two.a.store.adopt(chosen)
    two.a.agent.keeper.take_up()
    two.turns(2)
    for each in (two.a, two.b):
        assert "histories-forked" not in {finding.code for finding in status(each).findings}
    assert two.a.serves
    assert two.b.is_clean


def test_both_histories_are_told_to_both(two: TwoAgents) -> None:
    two.fork()
    two.turns(2)
    assert (two.a.state, two.b.state) == ("forked", "forked")
    two.a.agent.wiring.records.recorded = Recorded(
        records=(Counted(kind="calls", count=7),), files=3, bytes=100
    )
    counted(two)
    for each, own, other in ((two.a, A, B), (two.b, B, A)):
        mine, theirs = status(each).histories
        assert (mine.node, theirs.node) == (own, other)
        assert mine.since == theirs.since
    assert status(two.b).histories[1].recorded.records == (Counted(kind="calls", count=7),)
    assert codes(two.a) == ["keep-serving-here", "serve-there"]
    assert codes(two.b) == ["keep-serving-there", "serve-here"]


def test_a_turn_between_the_click_and_its_grant_takes_nothing_away(two: TwoAgents) -> None:
    """Who serves and chooses to go on serving never stops: the check of the new number beside that of the old one."""
    two.fork()
    two.turns(2)
    assert two.a.serves
    two.a.agent.keeper.prepare(4)
    for _ in range(3):
        two.turns(1)
        two.a.agent.keeper.settle()
        assert two.a.serves
    two.a.store.adopt(grant(4, A, 2))
    two.a.agent.keeper.take_up()
    assert two.a.serves
    assert two.a.state == "serving"


def test_a_claim_that_came_to_nothing_leaves_the_check_as_it_was(two: TwoAgents) -> None:
    two.fork()
    two.turns(2)
    unverified = two.a.agent.keeper.unverified_seconds()
    two.a.agent.keeper.prepare(4)
    assert two.a.agent.keeper.unverified_seconds() == pytest.approx(unverified)
    two.turns(1)
    assert two.a.state == "forked"


def test_who_never_served_beside_another_has_nothing_to_compare(two: TwoAgents) -> None:
    two.turns(3)
    assert status(two.a).histories == status(two.b).histories == ()
    assert status(two.a).choices == status(two.b).choices == ()


def test_a_configuration_changed_on_both_sides_is_told(
    two: TwoAgents, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both bear one number: the one of the appliance that serves now is kept, and that is said."""
    two.turns(2)
    for one, name in ((two.a, "one"), (two.b, "other")):
        one.store.set_config(one.config(name=name, revision=7))
    two.turns(2)
    two.a.agent.link.turn()
    assert two.b.store.config().name == "one"
    assert capsys.readouterr().err.count("config-changed-on-both") == 1
