"""What is ticked and typed, against what was found: tables, without a page."""

import pytest

from beistand.domain.finding import Finding, Severity
from beistand.domain.message import Message, message
from beistand.text import LANGUAGES
from beistand.text.catalogue import entries
from beistand.web.consent import Consent, accepted, changes, needs_typing, questions, shown_codes, still_open
from beistand.web.situation import situation
from web import scenes

WORDS = {"data-old": "OLD", "isolated": "ISOLATED", "peer-holds-address": "UNPLUG"}


def wording(finding: Finding) -> tuple[Message, str]:
    return message("cancelled"), WORDS.get(finding.code, "")


def codes(shown, consent: Consent) -> tuple[str, ...]:
    return accepted(shown, questions(shown, consent, wording), consent)


@pytest.mark.parametrize(
    ("scene", "consent", "left"),
    [
        ("gone", Consent(), set()),
        ("works", Consent(), {"peer-still-serves"}),
        ("works", Consent(ticked=frozenset({"peer-still-serves"})), set()),
        ("works", Consent(ticked=frozenset({"isolated"})), {"peer-still-serves"}),
        ("isolated", Consent(ticked=frozenset({"isolated"})), {"isolated"}),
        ("isolated", Consent(typed={"isolated": "isolated "}), set()),
        ("isolated", Consent(typed={"isolated": "YES"}), {"isolated"}),
        ("hung", Consent(typed={"peer-holds-address": "UNPLUG"}), set()),
        ("foreign", Consent(ticked=frozenset({"foreign-holder"})), {"foreign-holder"}),
        ("partition", Consent(ticked=frozenset({"partition-suspected"})), set()),
    ],
)
def test_a_risk_is_accepted_by_its_own_answer_only(scene: str, consent: Consent, left: set[str]) -> None:
    shown = scenes.SCENES[scene]()
    assert {each.code for each in still_open(shown, codes(shown, consent))} == left


def test_old_data_is_typed_for_the_generation_that_was_shown() -> None:
    shown = scenes.old()
    typed = {"data-old": "old"}
    assert shown.generation is not None
    right = Consent(typed=typed, shown_generation=shown.generation.id)
    assert codes(shown, right) == ("data-old",)
    assert codes(shown, Consent(typed=typed, shown_generation="20260101T000000Z-1")) == ()


def test_everything_to_be_replugged_is_ticked() -> None:
    shown = scenes.gone(replug=("ISDN 1", "fax"))
    assert codes(shown, Consent(replug={"ISDN 1": "done"})) == ()
    assert codes(shown, Consent(replug={"ISDN 1": "done", "fax": "done"})) == ("replug-first",)
    assert codes(shown, Consent(replug={"ISDN 1": "done", "fax": "dead"})) == ("replug-first",)
    assert codes(shown, Consent(replug={"ISDN 1": "done", "fax": "perhaps"})) == ()
    assert questions(shown, Consent(), wording) == ()


def consent_to(shown) -> Consent:
    return Consent(
        digest=shown.digest,
        shown_verdict=shown.verdict.value,
        shown_codes=shown_codes(shown),
        shown_generation=shown.generation.id if shown.generation else "",
    )


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("works", "gone", {"verdict", "fewer"}),
        ("gone", "works", {"verdict", "more"}),
        ("gone", "partition", {"verdict", "more"}),
        ("gone", "empty", {"generation", "more"}),
    ],
)
def test_what_changed_is_told(before: str, after: str, told: set[str]) -> None:
    first, second = scenes.SCENES[before](), scenes.SCENES[after]()
    if first.generation and second.generation:
        first = scenes.with_generation_of(first, second)
    found = changes(second, consent_to(first))
    assert {each.code.removeprefix("web.takeover.changed.") for each in found} == told
    assert changes(second, consent_to(second)) == ()
    assert changes(second, Consent()) == ()


def test_a_new_question_is_marked() -> None:
    shown = scenes.works()
    (fresh,) = questions(shown, Consent(), wording)
    (later,) = questions(shown, consent_to(scenes.gone()), wording)
    assert not fresh.is_new
    assert later.is_new


@pytest.mark.parametrize(
    ("scene", "level", "verdict"),
    [
        ("gone", "go", "peer-gone"),
        ("alive", "go", "peer-alive"),
        ("falling-silent", "caution", "peer-falls-silent"),
        ("works", "caution", "peer-works"),
        ("partition", "caution", "partition"),
        ("no-witness", "caution", "no-witness"),
        ("old", "caution", "peer-gone"),
        ("own", "caution", "peer-gone"),
        ("empty", "stop", "peer-gone"),
        ("hung", "stop", "peer-holds"),
        ("isolated", "stop", "isolated"),
        ("unplugged", "never", "isolated"),
        ("foreign", "never", "foreign"),
    ],
)
def test_the_worst_finding_makes_the_colour(scene: str, level: str, verdict: str) -> None:
    shown = situation(scenes.SCENES[scene](), "pbx-a", "192.0.2.10", 1.0)
    assert (shown.level, shown.sentence.code) == (level, f"web.takeover.verdict.{verdict}")


def test_who_is_cut_off_knows_nothing_of_the_other() -> None:
    """Silence counts only beside a positive control."""
    rows = {each.about.code: each for each in situation(scenes.unplugged(), "pbx-a", "192.0.2.10", 1.0).rows}
    assert rows["web.takeover.row.carrier"].answer == "unlinked"
    assert {
        rows[f"web.takeover.row.{each}"].answer for each in ("arp", "icmp", "ssh", "agent", "sip", "holder")
    } == {"unknown"}


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_verdict_row_risk_and_word_is_there(spoken: str) -> None:
    known = entries(spoken)
    for name, scene in scenes.SCENES.items():
        shown = scene()
        told = situation(shown, "pbx-a", "192.0.2.10", 1.0)
        needed = [told.sentence.code, told.advice.code, f"web.takeover.level.{told.level}"]
        needed += [part.code for row in told.rows for part in (row.about, row.more) if part]
        needed += [f"web.takeover.answer.{row.answer}" for row in told.rows]
        asked = [each for each in shown.findings if each.acceptable and each.severity is not Severity.INFO]
        needed += [f"web.takeover.risk.{each.code}" for each in asked if each.severity is not Severity.WARN]
        needed += [f"web.takeover.word.{each.code}" for each in asked if needs_typing(each)]
        assert [code for code in needed if code not in known] == [], name
