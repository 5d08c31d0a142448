"""A rule that fails never makes a takeover easier."""

import pytest

from beistand.domain import safety
from beistand.domain.facts import Facts
from beistand.domain.finding import Finding, Severity
from beistand.domain.safety import RULES, Rule, findings, foreign_holder, not_accepted
from fakes.situations import STRANGER_MAC, facts

PROTECTING = {rule for rule in RULES if rule not in safety.ON_FAILURE}


def failing(_facts: Facts) -> Finding | None:
    raise OverflowError


@pytest.mark.parametrize("rule", RULES, ids=lambda each: each.__name__)
def test_a_rule_that_fails_is_told_and_all_others_still_speak(
    rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = facts(holder_mac=STRANGER_MAC)
    whole = {each.code for each in findings(seen)}
    broken = tuple(_instead(each, rule) for each in RULES)
    monkeypatch.setattr(safety, "RULES", broken)
    if rule in safety.ON_FAILURE:
        monkeypatch.setitem(safety.ON_FAILURE, failing, safety.ON_FAILURE[rule])
    found = findings(seen)
    assert len([each for each in found if "part" in each.fields]) == 1
    own = rule(seen)
    assert {each.code for each in found} >= whole - ({own.code} if own else set())
    if rule in PROTECTING:
        assert any(each.severity is Severity.BLOCK and "part" in each.fields for each in found)


def _instead(each: Rule, rule: Rule) -> Rule:
    return failing if each is rule else each


def test_what_nobody_may_accept_nobody_may_accept_unseen() -> None:
    """The rule about a stranger at the address fails on a value that no type should have let in."""
    seen = facts(holder_mac=5)
    stopping = not_accepted(findings(seen), {each.code for each in findings(seen)})
    assert [each.acceptable for each in stopping] == [False]
    assert foreign_holder in PROTECTING
