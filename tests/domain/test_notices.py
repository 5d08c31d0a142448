"""S11: every change of state is told once, whatever restarts, and nothing that goes to and fro becomes a storm."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from beistand.domain.attempts import LastTry, TryEnd
from beistand.domain.finding import Finding, Severity
from beistand.domain.message import Message, message
from beistand.domain.notices import (
    Notice,
    Seen,
    Told,
    absence_topic,
    cycle_topic,
    decide,
    peer_topic,
    problem_topics,
    silenced,
    stale_topic,
    standing_topic,
    takeover_topic,
)
from beistand.text import LANGUAGES
from beistand.text.catalogue import term

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REFUSED = message("peer-unreachable", server="192.0.2.2")
FULL = message("peer-disk-full")
NOTICES = (
    "cycle-failed",
    "cycle-given-up",
    "cycle-works",
    "data-stale",
    "data-fresh",
    "peer-silent",
    "peer-back",
    "problem-found",
    "problem-gone",
    "takeover-begins",
    "takeover-done",
    "active-failed",
    "serves-again",
    "handed-over",
    "superseded",
    "held",
    "forked",
    "was-away",
    "reminder",
)


class Recipient:
    """Shows what is to the decision, again and again, and keeps what was told. Each look is a restart, too."""

    def __init__(self) -> None:
        self.told, self.now = Told(), NOW

    def look(self, *topics: Callable[[Told], Any], lasts: float = 1e6) -> list[str]:
        seen: list[Seen] = []
        for each in topics:
            found = each(self.told)
            seen += found if isinstance(found, tuple) else [found] if found else []
        notices, after = decide(self.told, [(each, lasts) for each in seen], self.now)
        self.told = msgspec.json.decode(msgspec.json.encode(after), type=Told)
        return [notice.code for _, notice in notices]


def tried(end: TryEnd, why: Message | None = None, number: int = 1) -> Callable[[Told], Any]:
    last = LastTry(end=end, number=number, attempts=10, at=NOW, next_at=NOW, why=why)
    return lambda told: cycle_topic(last, told)


def standing(state: str, epoch: int) -> Callable[[Told], Any]:
    return lambda told: standing_topic(told, state, epoch, done=Notice(code="takeover-done"), failure=FULL)


def found(*codes: str) -> Callable[[Told], Any]:
    findings = [Finding(code=each, severity=Severity.WARN) for each in codes]
    return lambda told: problem_topics(findings, told)


DONE, FAILED, GIVEN_UP = TryEnd.DONE, TryEnd.FAILED, TryEnd.GIVEN_UP


def test_a_failed_cycle_is_told_and_that_it_works_again() -> None:
    person = Recipient()
    assert person.look(tried(DONE)) == []
    assert person.look(tried(FAILED, REFUSED)) == ["cycle-failed"]
    assert person.look(tried(FAILED, REFUSED, 2)) == []
    assert person.look(tried(FAILED, FULL, 3)) == ["cycle-failed"]
    assert person.look(tried(GIVEN_UP, FULL, 10)) == ["cycle-given-up"]
    assert person.look(tried(FAILED, FULL)) == []
    assert person.look(tried(GIVEN_UP, FULL, 10)) == []
    assert person.look(tried(DONE)) == ["cycle-works"]
    assert person.look(tried(DONE)) == []


def test_nothing_is_told_before_the_first_try() -> None:
    assert Recipient().look(lambda told: cycle_topic(None, told)) == []


def test_a_state_that_goes_to_and_fro_is_no_storm() -> None:
    person = Recipient()
    mails = []
    for minute in range(60):
        person.now = NOW + timedelta(minutes=minute)
        mails += person.look(tried(FAILED, REFUSED) if minute % 2 else tried(DONE))
    assert len(mails) == 4
    person.now += timedelta(hours=2)
    assert person.look(tried(FAILED, REFUSED)) == ["cycle-failed"]


def test_old_data_is_told_and_that_it_is_fresh_again() -> None:
    person = Recipient()
    stale = Finding(code="copy-stale", severity=Severity.WARN, fields={"age": 9000.0, "limit": 7200.0})
    assert person.look(lambda _: stale_topic([])) == []
    assert person.look(lambda _: stale_topic([stale])) == ["data-stale"]
    assert person.look(lambda _: stale_topic([stale])) == []
    assert person.look(lambda _: stale_topic([])) == ["data-fresh"]


def peer(is_connected: bool) -> Callable[[Told], Any]:
    return lambda _: peer_topic("pbx-b", "192.0.2.2", is_connected=is_connected, silent_seconds=130, why=None)


@pytest.mark.parametrize("stays", ["stays-not-taken", "stays-not-transferred", "stays-not-imported"])
def test_the_mail_about_old_data_says_how_far_anything_newer_came(stays: str) -> None:
    stale = Finding(code="copy-stale", severity=Severity.WARN, fields={"age": 9000.0, "limit": 7200.0})
    fields = {"generation": "g", "why": "disk-full path=/"}
    seen = stale_topic([stale, Finding(code=stays, severity=Severity.WARN, fields=fields)])
    assert seen.notice is not None
    assert str(seen.notice.fields["stays"]) == str(message(stays, generation="g", why=""))
    assert Recipient().look(found(stays)) == [], "it is told with the old data, not once more"


def on(day: float, *topics: Callable[[Told], Any], of: Recipient) -> list[str]:
    of.now = NOW + timedelta(days=day)
    return of.look(*topics)


def test_what_is_still_wrong_is_told_once_a_day_in_one_mail() -> None:
    person = Recipient()
    assert on(0, found("gateways-differ"), of=person) == ["problem-found"]
    assert on(0.2, found("gateways-differ"), peer(False), of=person) == ["peer-silent"]
    assert on(0.9, found("gateways-differ"), peer(False), of=person) == []
    assert on(1.0, found("gateways-differ"), peer(False), of=person) == ["reminder"]
    assert on(1.9, found("gateways-differ"), peer(False), of=person) == []
    assert on(2.0, found("gateways-differ"), peer(False), of=person) == ["reminder"]
    assert on(2.1, found(), peer(True), of=person) == ["problem-gone", "peer-back"]
    assert on(9, found(), peer(True), of=person) == []


def test_a_clock_that_jumps_reminds_once_and_silences_nothing() -> None:
    """F9: a year back, a year ahead: each jump may cost one mail."""
    person = Recipient()
    on(0, found("gateways-differ"), of=person)
    assert on(-365, found("gateways-differ"), of=person) == ["reminder"]
    assert on(-365.5, found("gateways-differ"), of=person) == []
    assert on(-363, found("gateways-differ"), of=person) == ["reminder"]
    assert on(365, found("gateways-differ"), of=person) == ["reminder"]
    assert on(365.1, found("gateways-differ"), of=person) == []


def test_the_end_is_told_with_its_begin() -> None:
    told = Told()
    silent, back = peer(False)(told), peer(True)(told)
    _, told = decide(told, [(silent, 120.0)], NOW)
    (told_back,), _ = decide(told, [(back, 10.0)], NOW + timedelta(hours=5))
    fields = told_back[1].fields
    assert fields["since"] == (NOW - timedelta(minutes=2)).isoformat()
    assert fields["until"] == (NOW + timedelta(hours=5, seconds=-10)).isoformat()


def test_a_takeover_is_no_matter_of_reminders() -> None:
    person = Recipient()
    on(0, lambda _: takeover_topic(3, "root"), standing("standing-by", 2), of=person)
    assert on(3, lambda _: takeover_topic(3, "root"), standing("standing-by", 2), of=person) == []


def test_an_appliance_that_was_away_says_so_once() -> None:
    person = Recipient()
    away = absence_topic(NOW - timedelta(hours=7), NOW)
    assert person.look(lambda _: away) == ["was-away"]
    assert person.look(lambda _: away) == []
    assert person.look() == []


def test_a_peer_is_told_when_it_is_silent_for_long() -> None:
    """F30: no news is bad news; a reboot is none."""
    person = Recipient()
    assert person.look(peer(False), lasts=60) == []
    assert person.look(peer(True), lasts=60) == []
    assert person.look(peer(False), lasts=121) == ["peer-silent"]
    assert person.look(peer(False), lasts=3000) == []
    assert person.look(peer(True), lasts=3) == []
    assert person.look(peer(True), lasts=11) == ["peer-back"]


def test_what_is_found_wrong_is_told_each_and_when_it_is_mended() -> None:
    person = Recipient()
    assert person.look(found("gateways-differ", "clocks-differ")) == ["problem-found", "problem-found"]
    assert person.look(found("gateways-differ", "clocks-differ")) == []
    assert person.look(found("clocks-differ")) == ["problem-gone"]
    assert person.look(found("clocks-differ")) == []
    assert person.look(found("clocks-differ", "not-paired", "mails-wait")) == []


def test_a_problem_of_a_moment_is_not_told() -> None:
    assert Recipient().look(found("pbx-versions-differ"), lasts=30) == []


def test_what_is_only_information_is_not_told() -> None:
    info = Finding(code="coverage", severity=Severity.INFO)
    assert Recipient().look(lambda told: problem_topics([info], told)) == []


@pytest.mark.parametrize(
    ("walk", "expected"),
    [
        (["serving:2", "serving:2"], []),
        (["standing-by:2", "serving:3"], ["takeover-done"]),
        (["standing-by:2", "active-failed:3", "serving:3"], ["active-failed", "serves-again"]),
        (["serving:2", "superseded:3", "superseded:3"], ["superseded"]),
        (["superseded:3", "standing-by:5"], []),
        (["serving:2", "standing-by:3"], ["handed-over"]),
        (["serving:2", "checking:2", "serving:2"], []),
        (["serving:2", "held:2", "serving:2"], ["held", "serves-again"]),
        (["unverified:2", "serving:2", "forked:2", "serving:2"], ["forked", "serves-again"]),
        (["superseded:3", "serving:4"], ["takeover-done"]),
    ],
)
def test_who_serves(walk: list[str], expected: list[str]) -> None:
    person, told = Recipient(), []
    for each in walk:
        state, epoch = each.split(":")
        told += person.look(standing(state, int(epoch)))
    assert told == expected


def test_a_takeover_is_told_when_it_begins_once() -> None:
    person = Recipient()
    assert person.look(lambda _: takeover_topic(3, "root")) == ["takeover-begins"]
    assert person.look(lambda _: takeover_topic(3, "root")) == []
    assert person.look(lambda _: takeover_topic(5, "root")) == ["takeover-begins"]


def test_no_two_mails_have_one_name_even_when_mails_were_off_between() -> None:
    person = Recipient()
    notices, person.told = decide(person.told, [(takeover_topic(3, "root"), 0.0)], NOW)
    more, _ = decide(silenced(person.told), [(takeover_topic(3, "root"), 0.0)], NOW)
    assert {name for name, _ in (*notices, *more)} == {"takeover-begins-1", "takeover-begins-2"}


def test_what_is_wrong_when_mails_are_switched_on_is_told() -> None:
    person = Recipient()
    person.told = silenced(person.told)
    assert person.look(tried(GIVEN_UP, FULL, 10), found("clocks-differ"), standing("serving", 2)) == [
        "cycle-given-up",
        "problem-found",
    ]


@pytest.mark.parametrize("spoken", LANGUAGES)
@pytest.mark.parametrize("code", NOTICES)
def test_every_notice_can_be_written(code: str, spoken: str) -> None:
    common = {"host": "h", "address": "a", "when": "w", "problem": "p", "advice": "d"}
    own = {
        "attempt": 1,
        "attempts": 2,
        "next": NOW.isoformat(),
        "peer": "b",
        "peer_address": "x",
        "seconds": 2.0,
        "since": NOW.isoformat(),
        "until": NOW.isoformat(),
        "stays": "",
        "problems": "- p",
        "count": 2,
    }
    fields = {**common, **own, "operator": "root", "users": 3}
    for part in ("subject", "body"):
        name = f"mail.{code}.{part}"
        assert term(name, spoken, **fields) != name
