"""S4: the table of prerequisites."""

import msgspec
import pytest

from beistand.domain.checks import CHECKS, checks, outlook_rows
from beistand.domain.health import ADVICE, RULES, prerequisites
from beistand.domain.outlook import Hearing, Outlook
from beistand.domain.pair import Appliance
from beistand.text.catalogue import LANGUAGES, entries
from fakes.situations import A, B, appliance

MINE, THEIRS = appliance(A), appliance(B)


def test_every_prerequisite_stands_in_the_table() -> None:
    assert {rule for _, _, rules in CHECKS for rule in rules} == {*RULES, *ADVICE}


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_row_has_a_name(spoken: str) -> None:
    rows = [*(code for code, _, _ in CHECKS), *(each.code for each in outlook_rows(None, None, "a", "b"))]
    assert [code for code in rows if f"check.{code}" not in entries(spoken)] == []


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


@pytest.mark.parametrize(
    ("dns", "time_servers", "advice"),
    [
        (("192.0.2.53",), ("192.0.2.123",), {"dns": "one-dns-server", "time-servers": "one-time-server"}),
        (("192.0.2.53", "192.0.2.54"), (), {"time-servers": "no-time-server"}),
        (("192.0.2.53", "192.0.2.54"), ("a", "b"), {}),
    ],
)
def test_advice_stands_in_the_table_only(
    dns: tuple[str, ...], time_servers: tuple[str, ...], advice: dict[str, str]
) -> None:
    both = [msgspec.structs.replace(each, dns=dns, time_servers=time_servers) for each in (MINE, THEIRS)]
    rows = {each.code: each.finding for each in checks(both[0], both[1])}
    told = {
        code: finding.code for code, finding in rows.items() if finding and code in ("dns", "time-servers")
    }
    assert told == advice
    assert {each.code for each in prerequisites(both[0], both[1])} & set(advice.values()) == set()


def test_what_is_seen_of_the_network_has_a_row_each() -> None:
    mine = Outlook(rivals=("02:00:00:00:00:99",), hearing=Hearing())
    theirs = Outlook(
        gateway=False, phones_known=4, phones_answering=3, has_looked=True, hearing=Hearing(lost=3)
    )
    rows = {each.code: each for each in outlook_rows(mine, theirs, "a", "b")}
    assert {code: (each.own, each.peer) for code, each in rows.items()} == {
        "witness-gateway": ("-", "no"),
        "witness-phones": ("-", "3/4"),
        "rivals": ("02:00:00:00:00:99", "yes"),
        "announcements": ("no", "yes"),
    }
    assert [each.finding.code for each in rows.values() if each.finding] == [
        "gateway-no-witness",
        "stranger-at-address",
        "announcements-dropped",
    ]
