"""S4: the table of prerequisites."""

import msgspec
import pytest

from beistand.domain.checks import CHECKS, checks
from beistand.domain.health import RULES
from beistand.domain.pair import Appliance
from beistand.text.catalogue import LANGUAGES, entries
from fakes.situations import A, B, appliance

MINE, THEIRS = appliance(A), appliance(B)


def test_every_prerequisite_stands_in_the_table() -> None:
    assert {rule for _, _, rules in CHECKS for rule in rules} == set(RULES)


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_row_has_a_name(spoken: str) -> None:
    assert [code for code, _, _ in CHECKS if f"check.{code}" not in entries(spoken)] == []


def test_each_row_shows_both_sides_and_what_is_wrong() -> None:
    theirs = msgspec.structs.replace(THEIRS, gateway="192.0.2.253", vlan=7)
    rows = {each.code: each for each in checks(MINE, theirs)}
    assert (rows["vlan"].own, rows["vlan"].peer) == ("-", "7")
    wrong = {code: each.finding.code for code, each in rows.items() if each.finding}
    assert wrong["gateway"] == "gateways-differ"
    assert wrong["vlan"] == "vlans-differ"
    assert "pbx-version" not in wrong


def test_without_a_peer_only_what_one_can_tell_alone_is_wrong() -> None:
    leased: Appliance = msgspec.structs.replace(MINE, is_static=False, licence_key="x")
    rows = checks(leased, None)
    assert {each.peer for each in rows} == {""}
    assert [each.finding.code for each in rows if each.finding] == ["own-address-not-static"]
