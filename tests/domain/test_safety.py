"""The table of DESIGN "Evidence", line by line."""

from datetime import timedelta

import pytest

from beistand.domain.facts import NOBODYS, Facts, PeerSigns, Verdict
from beistand.domain.finding import Severity
from beistand.domain.generation import Copy, CopyState
from beistand.domain.safety import RULES, blocking, findings, not_accepted, verdict
from fakes.situations import A_MAC, HUNG, NOW, RUNNING, STRANGER_MAC, facts, generation, imported

SSH_ONLY = PeerSigns(arp=False, icmp=False, ssh=True, agent=False)
ALIVE = PeerSigns(arp=True, icmp=True, ssh=True, agent=True)

TABLE = [
    # the peer is gone: silent on every layer while the witnesses answer
    (Verdict.PEER_GONE, facts()),
    (Verdict.PEER_GONE, facts(phones_known=1, phones_answering=1)),
    (Verdict.PEER_GONE, facts(phones_known=10, phones_answering=5)),
    (Verdict.PEER_GONE, facts(gateway=None)),
    (Verdict.PEER_GONE, facts(gateway=False)),
    # isolated: no carrier, or neither gateway nor any phone
    (Verdict.ISOLATED, facts(carrier=False, gateway=False, phones_answering=0)),
    (Verdict.ISOLATED, facts(carrier=False)),
    (Verdict.ISOLATED, facts(gateway=False, phones_answering=0)),
    (Verdict.ISOLATED, facts(gateway=None, phones_answering=0)),
    (Verdict.ISOLATED, facts(gateway=None, phones_known=0, phones_answering=0)),
    (Verdict.ISOLATED, facts(gateway=False, phones_answering=0, peer=RUNNING)),
    # partition suspected: no or few phones
    (Verdict.PARTITION, facts(phones_answering=0)),
    (Verdict.PARTITION, facts(phones_answering=4)),
    (Verdict.PARTITION, facts(phones_known=0, phones_answering=0)),
    (Verdict.PARTITION, facts(gateway=False, phones_answering=1)),
    # the peer is alive without the address
    (Verdict.PEER_ALIVE, facts(peer=RUNNING)),
    (Verdict.PEER_ALIVE, facts(peer=HUNG)),
    (Verdict.PEER_ALIVE, facts(peer=SSH_ONLY, phones_answering=0)),
    # the peer holds the address, even if everything but ARP is silent
    (Verdict.PEER_HOLDS, facts(holder_mac=A_MAC)),
    (Verdict.PEER_HOLDS, facts(holder_mac=A_MAC.upper(), peer=RUNNING, sip=True)),
    (Verdict.PEER_HOLDS, facts(holder_mac=A_MAC, peer=HUNG)),
    (Verdict.PEER_HOLDS, facts(holder_mac=A_MAC, gateway=False, phones_answering=0)),
    (Verdict.PEER_HOLDS, facts(sip=True)),
    # a stranger has it: more dangerous than anything else
    (Verdict.FOREIGN, facts(holder_mac=STRANGER_MAC)),
    (Verdict.FOREIGN, facts(holder_mac=STRANGER_MAC, peer=RUNNING, sip=True)),
    (Verdict.FOREIGN, facts(holder_mac=STRANGER_MAC, gateway=False, phones_answering=0)),
    (Verdict.FOREIGN, facts(holder_mac=A_MAC, peer_mac="")),
]


@pytest.mark.parametrize(("expected", "seen"), TABLE)
def test_the_most_dangerous_fact_wins(expected: Verdict, seen: Facts) -> None:
    assert verdict(seen) is expected


FOREIGN_HOLDER = {"foreign-holder": Severity.BLOCK, "holder-since": Severity.INFO}
FINDINGS = [
    (facts(), {}),
    (facts(holder_mac=STRANGER_MAC), {**FOREIGN_HOLDER}),
    (facts(holder_mac=STRANGER_MAC, sip=True), {**FOREIGN_HOLDER, "holder-works": Severity.WARN}),
    (
        facts(
            holder_mac=STRANGER_MAC, peer_answers_as=STRANGER_MAC.upper(), holder_answers_for=("192.0.2.1",)
        ),
        {
            **FOREIGN_HOLDER,
            "holder-is-peer": Severity.BLOCK,
            "holder-answers-for-others": Severity.INFO,
        },
    ),
    (
        # It answers for anything, so that it answers for the peer proves nothing.
        facts(
            holder_mac=STRANGER_MAC,
            peer_answers_as=STRANGER_MAC,
            holder_answers_for=("192.0.2.1", NOBODYS[0]),
        ),
        {**FOREIGN_HOLDER, "holder-answers-for-others": Severity.INFO},
    ),
    (
        facts(holder_mac=STRANGER_MAC, peer=RUNNING, peer_answers_as=A_MAC),
        {**FOREIGN_HOLDER, "holder-beside-peer": Severity.INFO},
    ),
    (facts(holder_mac=A_MAC, peer=HUNG), {"peer-holds-address": Severity.BLOCK}),
    (facts(holder_mac=A_MAC, peer=RUNNING, sip=True), {"peer-still-serves": Severity.CONFIRM}),
    (facts(sip=True), {"peer-holds-address": Severity.BLOCK}),
    (facts(carrier=False), {"isolated": Severity.BLOCK}),
    (facts(gateway=False, phones_answering=0), {"isolated": Severity.BLOCK}),
    (facts(phones_answering=2), {"partition-suspected": Severity.CONFIRM}),
    (facts(phones_known=0, phones_answering=0), {"partition-suspected": Severity.CONFIRM}),
    (facts(peer=ALIVE), {"peer-alive": Severity.INFO}),
    (facts(peer=HUNG), {"peer-alive-without-agent": Severity.WARN}),
    (facts(gateway=False), {"gateway-silent": Severity.WARN}),
    (facts(copy=None), {"no-imported-generation": Severity.BLOCK}),
    (
        facts(copy=Copy(generation=generation(), state=CopyState.VERIFIED, at=NOW)),
        {"no-imported-generation": Severity.BLOCK},
    ),
    (facts(copy=imported(begin=NOW - timedelta(hours=27))), {"data-old": Severity.CONFIRM}),
    (facts(import_running=True), {"import-rolls-back": Severity.INFO}),
    (
        facts(copy=imported(growing=("/var/spool/asterisk/monitor/1.wav",))),
        {"files-were-growing": Severity.INFO},
    ),
]


@pytest.mark.parametrize(("seen", "expected"), FINDINGS)
def test_a_finding_tells_what_stands_against_it(seen: Facts, expected: dict[str, Severity]) -> None:
    assert {each.code: each.severity for each in findings(seen)} == expected


def test_every_rule_has_a_line_in_the_table() -> None:
    shown = {code for _, expected in FINDINGS for code in expected}
    found = {finding.code for seen, _ in FINDINGS for rule in RULES if (finding := rule(seen))}
    assert shown == found | {"data-old"}


@pytest.mark.parametrize(
    ("seen", "code"),
    [(facts(holder_mac=STRANGER_MAC), "foreign-holder"), (facts(carrier=False), "isolated")],
)
def test_where_the_probe_would_fail_in_any_case_nothing_can_be_accepted(seen: Facts, code: str) -> None:
    """A stranger answers it; without a link it cannot be made."""
    found = findings(seen)
    assert [each.code for each in not_accepted(found, [code])] == [code]


@pytest.mark.parametrize(
    "seen", [seen for seen, _ in FINDINGS if seen.holder_mac != STRANGER_MAC and seen.carrier]
)
def test_everything_else_can_be_accepted_by_its_name(seen: Facts) -> None:
    found = findings(seen)
    assert not not_accepted(found, blocking(found))
    assert {each.code for each in not_accepted(found, ())} == set(blocking(found))


def test_what_the_schedule_promises_decides_what_is_old() -> None:
    seen = facts(copy=imported(begin=NOW - timedelta(hours=2)))
    assert blocking(findings(seen, timedelta(hours=1))) == ("data-old",)
    assert blocking(findings(seen, timedelta(hours=3))) == ()


def test_the_worst_stands_first() -> None:
    seen = facts(holder_mac=STRANGER_MAC, gateway=False, import_running=True)
    assert [each.code for each in findings(seen)] == [
        "foreign-holder",
        "gateway-silent",
        "holder-since",
        "import-rolls-back",
    ]


def test_what_has_to_be_replugged_needs_a_confirmation() -> None:
    found = findings(facts(), replug=("ISDN 1", "fax"))
    (first,) = [each for each in found if each.code == "replug-first"]
    assert (first.severity, first.fields) == (Severity.CONFIRM, {"items": "ISDN 1, fax"})
    assert "replug-first" in blocking(found)
    assert not_accepted(found, ["replug-first"]) == ()
    assert "replug-first" not in {each.code for each in findings(facts())}


# --- a forgery (D17) --------------------------------------------------------------------------------


def test_root_overlooks_exactly_the_stranger_whose_mac_was_typed() -> None:
    found = findings(facts(holder_mac=STRANGER_MAC))
    assert not_accepted(found, (), STRANGER_MAC) == ()
    for other in ("", A_MAC, "foreign-holder", STRANGER_MAC[:-1]):
        assert [each.code for each in not_accepted(found, ["foreign-holder"], other)] == ["foreign-holder"]


@pytest.mark.parametrize(
    ("seen", "left"),
    [
        (facts(holder_mac=A_MAC, peer=HUNG), "peer-holds-address"),
        (facts(holder_mac=A_MAC, peer=RUNNING), "peer-still-serves"),
        (facts(holder_mac=STRANGER_MAC, peer_answers_as=STRANGER_MAC), "holder-is-peer"),
        (facts(holder_mac=STRANGER_MAC, copy=None), "no-imported-generation"),
    ],
)
def test_the_peer_is_never_overlooked_and_nothing_else_is(seen: Facts, left: str) -> None:
    """I1 and I2 stay: an override of a stranger is none of the peer."""
    assert [each.code for each in not_accepted(findings(seen), (), seen.holder_mac)] == [left]
