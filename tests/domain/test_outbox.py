"""F13: when a mail is tried again, and when it is given up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from beistand.domain.mail import MailState, OutboxEntry
from beistand.domain.message import message
from beistand.domain.outbox import after_failure, after_sending, again, is_due, message_id, outbox_findings

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HANGS = message("mail-timeout", host="mail", port=25, seconds=10)
GREY = message("mail-recipient-deferred", recipient="a@example.org", reply="450 later")
UNKNOWN = message("mail-recipient-refused", recipient="a@example.org", reply="550 who?")


def entry(**changes: Any) -> OutboxEntry:
    values = {
        "occasion": "takeover-4",
        "kind": "k",
        "recipient": "a@example.org",
        "subject": "s",
        "body": "b",
    }
    return OutboxEntry(**{**values, "since": NOW, **changes})


def test_the_waits_grow_to_an_hour() -> None:
    waits, mail = [], entry()
    for _ in range(6):
        mail = after_failure(mail, HANGS, NOW)
        assert mail.next_at is not None
        waits.append((mail.next_at - NOW).total_seconds() / 60)
    assert waits == [1, 5, 15, 60, 60, 60]


@pytest.mark.parametrize(
    ("why", "tries", "days", "state"),
    [
        (HANGS, 0, 0, MailState.WAITING),
        (GREY, 0, 0, MailState.WAITING),
        (UNKNOWN, 0, 0, MailState.GIVEN_UP),
        (message("mail-content-refused", reply="554"), 0, 0, MailState.GIVEN_UP),
        (message("mail-sender-refused", sender="x", reply="550"), 0, 0, MailState.WAITING),
        (HANGS, 70, 2.9, MailState.WAITING),
        (HANGS, 70, 3.1, MailState.GIVEN_UP),
        (HANGS, 0, 3000, MailState.WAITING),
    ],
    ids=["hangs", "greylisted", "unknown", "content", "sender", "almost", "three days", "clock jumped"],
)
def test_when_a_mail_is_given_up(why: Any, tries: int, days: float, state: MailState) -> None:
    after = after_failure(entry(tries=tries), why, NOW + timedelta(days=days))
    assert after.state is state
    assert (after.next_at is None) == (state is MailState.GIVEN_UP)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"next_at": NOW + timedelta(minutes=1)}, False),
        ({"next_at": NOW}, True),
        ({"next_at": NOW + timedelta(days=400)}, True),
        ({"state": MailState.SENT}, False),
        ({"state": MailState.GIVEN_UP}, False),
    ],
)
def test_what_is_due(changes: dict[str, Any], expected: bool) -> None:
    assert is_due(entry(**changes), NOW) is expected


def test_what_was_sent_is_done_and_what_was_given_up_can_be_tried_again() -> None:
    sent = after_sending(entry(tries=2, why=HANGS), NOW)
    assert (sent.state, sent.tries, sent.sent_at, sent.why) == (MailState.SENT, 3, NOW, None)
    lost = after_failure(entry(), UNKNOWN, NOW)
    assert is_due(again(lost, NOW), NOW)


def test_a_mail_has_the_same_name_at_every_try() -> None:
    first, later = entry(), entry(tries=5, why=HANGS)
    names = {message_id("a" * 16, each, "pbx@example.org") for each in (first, later)}
    assert len(names) == 1
    assert names.pop().endswith("@example.org>")
    other = message_id("a" * 16, entry(recipient="b@example.org"), "pbx@example.org")
    assert other != message_id("a" * 16, first, "pbx@example.org")


def test_what_an_administrator_should_know() -> None:
    waits, fresh = entry(why=HANGS, tries=1), entry(recipient="b@example.org")
    lost = entry(recipient="c@example.org", state=MailState.GIVEN_UP, why=UNKNOWN)
    found = outbox_findings((waits, fresh, lost), NOW + timedelta(hours=1))
    assert [(each.code, each.fields.get("count")) for each in found] == [
        ("mails-wait", 1),
        ("mail-timeout", None),
        ("mail-given-up", 1),
        ("mail-recipient-refused", None),
    ]
    assert outbox_findings((fresh,), NOW) == ()
    assert outbox_findings((lost,), NOW + timedelta(days=8)) == ()
