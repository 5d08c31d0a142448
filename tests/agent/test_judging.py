"""Status, plan and notices never fail as a whole: each part is broken in turn, and the rest is still told."""

from collections.abc import Callable
from typing import Any

import pytest

from beistand.domain.errors import Failed
from beistand.domain.finding import Severity
from beistand.domain.judging import EVIDENCE_NOT_JUDGED, NOT_JUDGED
from beistand.domain.notices import PROBLEM_SECONDS
from beistand.domain.safety import not_accepted
from beistand.protocol import GetNetwork, GetStatus, PlanTakeover
from beistand.text import LANGUAGES, hint, sentence
from beistand.text.catalogue import entries
from fakes.agents import OneOfTwo, TwoAgents

PARTS: list[tuple[str, Callable[[OneOfTwo], Any], str]] = [
    ("keeper", lambda one: one.agent.keeper, "findings"),
    ("takeovers", lambda one: one.agent.own_data, "findings"),
    ("takeovers", lambda one: one.agent.forks, "findings"),
    ("network-setup", lambda one: one.agent.network_setup, "findings"),
    ("own-machine", lambda one: one.agent.own_machine, "findings"),
    ("strays", lambda one: one.agent.strays, "findings"),
    ("gate", lambda one: one.agent.keeper.gate_watch, "findings"),
    ("readers", lambda one: one.wiring.readers, "troubles"),
    ("coverage", lambda one: one.agent.coverage, "findings"),
    ("network-files", lambda one: one.agent.network_file_look, "findings"),
    ("directory", lambda one: one.agent.directory, "findings"),
    ("postman", lambda one: one.agent.postman, "findings"),
    ("room", lambda one: one.agent.room, "findings"),
    ("alarms", lambda one: one.agent.alarms, "findings"),
    ("line", lambda one: one.agent.link, "why_unreached"),
    ("outlook", lambda one: one.agent.lookout, "outlook"),
    ("prerequisites", lambda one: one.agent, "appliance"),
    ("copy", lambda one: one.agent, "usable"),
    ("licences", lambda one: one.agent.store, "licences"),
    ("standing", lambda one: one.agent.store, "standing"),
    ("pair", lambda one: one.agent.store, "pair"),
    ("config", lambda one: one.agent.store, "config"),
    ("cycles", lambda one: one.agent.store, "attempts"),
    ("accounts", lambda one: one.agent.store, "settings"),
    ("pause", lambda one: one.agent.store, "get"),
    ("choices", lambda one: one.agent.store, "plan"),
]
BUG, EXPECTED = ValueError("a peer said so"), Failed("file-not-written", path="/x", why="I/O error")


def boom(error: Exception) -> Callable[..., Any]:
    def fails(*_arguments: object, **_named: object) -> Any:
        raise error

    return fails


def not_judged(found: Any) -> set[str]:
    return {str(each.fields["part"]) for each in found if each.code in (NOT_JUDGED, EVIDENCE_NOT_JUDGED)}


@pytest.mark.parametrize("error", [BUG, EXPECTED])
@pytest.mark.parametrize(("part", "holder", "method"), PARTS)
def test_a_part_that_breaks_is_named_and_the_rest_is_told(
    two: TwoAgents, part: str, holder: Callable[[OneOfTwo], Any], method: str, error: Exception
) -> None:
    two.turns(2)
    healthy = {each.code for each in two.b.ask(GetStatus()).findings}
    setattr(holder(two.b), method, boom(error))
    status = two.b.ask(GetStatus())
    assert part in not_judged(status.findings)
    assert status.state == "standing-by"
    if holder(two.b) is not two.b.agent.store and part not in ("copy", "prerequisites"):
        assert healthy <= {each.code for each in status.findings}


@pytest.mark.parametrize(("part", "holder", "method"), PARTS[:17])
def test_a_part_that_breaks_keeps_no_alarm_back_and_is_one(
    two: TwoAgents, part: str, holder: Callable[[OneOfTwo], Any], method: str
) -> None:
    two.turns(2)
    setattr(holder(two.b), method, boom(BUG))
    for _ in range(2):
        two.b.agent.notices.look()
        two.clock.advance(PROBLEM_SECONDS + 1)
    two.b.agent.notices.look()
    told = [str(each.message) for each in two.b.store.events() if each.message.code == "audit.alarm-begins"]
    assert any(f"not-judged part={part} " in each for each in told), told


def test_the_reason_stays_the_same_from_look_to_look(two: TwoAgents) -> None:
    """What a person confirms is what was shown, and no mail tells it twice."""
    two.turns(2)
    two.b.agent.room.findings = boom(BUG)  # type: ignore[method-assign]
    first, second = (two.b.ask(GetStatus()).findings for _ in range(2))
    assert first == second
    assert any("internal-error reference=" in str(each.fields.get("why")) for each in first)


@pytest.mark.parametrize(
    "broken",
    [
        lambda one: (one.wiring.contacts, "list"),
        lambda one: (one.wiring.lines, "list"),
        lambda one: (one.agent.store, "config"),
        lambda one: (one.agent, "appliance"),
    ],
)
def test_a_plan_is_possible_whatever_only_tells_more_of_it(two: TwoAgents, broken: Any) -> None:
    two.turns(2)
    two.a.off()
    holder, method = broken(two.b)
    setattr(holder, method, boom(BUG))
    plan = two.b.ask(PlanTakeover())
    assert not_judged(plan.findings)
    codes = {each.code for each in plan.findings}
    assert not_accepted(plan.findings, codes) == ()


@pytest.mark.parametrize("method", ["icmp", "tcp"])
def test_a_sign_of_life_that_cannot_be_asked_for_is_no_silence(two: TwoAgents, method: str) -> None:
    """It blocks, as the peer's life would be told; a person who has seen that it is off may accept it by name."""
    two.turns(2)
    two.a.off()
    setattr(two.b.wiring.signs, method, boom(BUG))
    plan = two.b.ask(PlanTakeover())
    found = [each for each in plan.findings if each.code == EVIDENCE_NOT_JUDGED]
    assert [each.severity for each in found] == [Severity.BLOCK]
    assert found[0] in not_accepted(plan.findings, ())


def test_the_table_of_prerequisites_shows_its_rows(two: TwoAgents) -> None:
    """A stored peer whose address no type checked, from before they did."""
    import msgspec

    two.turns(2)
    two.a.off()
    two.clock.advance(60)
    pair = two.b.store.pair()
    assert pair is not None
    peer = msgspec.structs.replace(pair.peer, own_address="nowhere")
    two.b.agent.store.pair = lambda: msgspec.structs.replace(pair, peer=peer)
    view = two.b.ask(GetNetwork())
    row = next(each for each in view.checks if each.code == "own-address")
    assert row.finding.code == NOT_JUDGED
    assert len(view.checks) > 10
    assert "prerequisites" in not_judged(two.b.ask(GetStatus()).findings)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_has_a_name_in_each_language(two: TwoAgents, language: str) -> None:
    two.turns(2)
    for part, holder, method in PARTS:
        if holder(two.b) is not two.b.agent.store:
            setattr(holder(two.b), method, boom(BUG))
        assert f"part.{part}" in entries(language)
    for each in two.b.ask(GetStatus()).findings:
        assert "part." not in sentence(each, language)
        assert hint(each, language) or each.severity is Severity.INFO
