"""B3, F30: who would be told if something went wrong now, and how far the newest data came."""

from datetime import UTC, datetime, timedelta

import pytest

from beistand.domain.alarm import (
    AlarmPath,
    Lasting,
    alarm_path,
    lasting,
    own_alarms,
    peer_alarms,
    where_it_stays,
)
from beistand.domain.finding import Severity
from beistand.domain.generation import Copy, CopyState
from beistand.domain.mail import MailState, OutboxEntry
from beistand.domain.mail_text import USERS_TAKEOVER
from beistand.domain.message import message
from fakes.situations import generation, imported

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DOWN = message("mail-timeout", host="mail.example.org")


def mail(minutes: int, kind: str = "problem-found", *, state: MailState = MailState.WAITING) -> OutboxEntry:
    return OutboxEntry(
        occasion=f"{kind}-{minutes}",
        kind=kind,
        recipient="admin@example.org",
        subject="s",
        body="b",
        since=NOW - timedelta(minutes=minutes),
        state=state,
        why=DOWN,
    )


def test_mails_that_nobody_takes_are_the_peers_to_tell() -> None:
    path = alarm_path([mail(5), mail(11), mail(60, state=MailState.GIVEN_UP)], NOW, 0.0)
    assert (path.mails_waiting, path.mails_seconds, path.mails_why) == (2, 660.0, DOWN)
    (found,) = peer_alarms(path, "pbx-a")
    assert (found.code, found.severity, found.fields["peer"]) == ("peer-mails-wait", Severity.BLOCK, "pbx-a")
    assert "mail-timeout" in str(found.fields["why"])


@pytest.mark.parametrize(
    "mails",
    [
        [],
        [mail(9)],
        [mail(600, USERS_TAKEOVER)],
        [mail(600, state=MailState.SENT)],
        [mail(-600)],
    ],
)
def test_what_is_no_alarm_of_the_mails(mails: list[OutboxEntry]) -> None:
    """The last one: it waits since a moment that is still to come, so a clock was set back (F9)."""
    assert peer_alarms(alarm_path(mails, NOW, 0.0), "pbx-a") == ()


@pytest.mark.parametrize(("seconds", "codes"), [(0.0, []), (299.0, []), (300.0, ["cycle-overdue"])])
def test_a_cycle_that_does_not_begin_is_told_on_both_sides(seconds: float, codes: list[str]) -> None:
    path = AlarmPath(cycle_overdue_seconds=seconds)
    assert [each.code for each in own_alarms(path)] == codes
    assert [each.code for each in peer_alarms(path, "b")] == [f"peer-{each}" for each in codes]


def test_a_peer_that_says_nothing_of_it_is_well() -> None:
    assert peer_alarms(None, "b") == ()


def walk(seen: list[tuple[float, bool]]) -> list[bool]:
    state, states = Lasting(), []
    for now, is_so in seen:
        state = lasting(state, is_so=is_so, now=now, begin=60.0, end=30.0)
        states.append(state.is_on)
    return states


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([(0, True), (59, True), (60, True), (61, True)], [False, False, True, True]),
        ([(0, True), (59, False), (60, True), (119, True)], [False, False, False, False]),
        ([(0, True), (60, True), (61, False), (90, False), (91, False)], [False, True, True, True, False]),
        ([(0, True), (60, True), (61, False), (90, True), (91, False)], [False, True, True, True, True]),
    ],
)
def test_what_comes_and_goes_does_not_flap(seen: list[tuple[float, bool]], expected: list[bool]) -> None:
    assert walk(seen) == expected


def newer(state: CopyState, stage: str = "") -> Copy:
    return Copy(generation=generation(sequence=8), state=state, at=NOW, failed_stage=stage)


@pytest.mark.parametrize(
    ("newest", "code"),
    [
        (None, "stays-not-taken"),
        (imported(), "stays-not-taken"),
        (newer(CopyState.FAILED, "backup"), "stays-not-taken"),
        (newer(CopyState.TAKEN), "stays-not-transferred"),
        (newer(CopyState.FAILED, "connect"), "stays-not-transferred"),
        (newer(CopyState.FAILED, "transfer"), "stays-not-transferred"),
        (newer(CopyState.TRANSFERRED), "stays-not-imported"),
        (newer(CopyState.VERIFIED), "stays-not-imported"),
        (newer(CopyState.FAILED, "verify"), "stays-not-imported"),
        (newer(CopyState.FAILED, "import"), "stays-not-imported"),
    ],
)
def test_each_stage_at_which_newer_data_may_stay(newest: Copy | None, code: str) -> None:
    assert where_it_stays(newest, imported()).code == code


def test_newer_is_what_the_lineage_says_not_what_the_clock_says() -> None:
    """F9: the newest one is dated in 1970, the older one in the year to come."""
    dead = Copy(
        generation=generation(sequence=8, begin=datetime(1970, 1, 1, tzinfo=UTC)),
        state=CopyState.TRANSFERRED,
        at=NOW,
    )
    ahead = imported(begin=NOW + timedelta(days=365))
    assert where_it_stays(dead, ahead).code == "stays-not-imported"
    assert where_it_stays(ahead, dead).code == "stays-not-taken"
