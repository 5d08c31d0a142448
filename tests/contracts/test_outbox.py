"""The contract of the outbox: one mail per occasion and person, and what notes it, in one transaction."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beistand.adapters import store as adapter
from beistand.adapters.state_file import MIGRATIONS
from beistand.adapters.store import SqliteStore
from beistand.domain.licence import LicenceSet
from beistand.domain.mail import MailState, OutboxEntry
from beistand.domain.role import Side
from fakes.situations import A, standing
from fakes.store import MemoryStore

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def mail(occasion: str = "takeover-4", recipient: str = "a@example.org", **changes: Any) -> OutboxEntry:
    values = {"kind": "users-takeover", "subject": "s", "body": "b", "since": NOW, **changes}
    return OutboxEntry(occasion=occasion, recipient=recipient, **values)


@pytest.fixture(params=["fake", "real"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "fake":
        yield MemoryStore(standing(A, None))
        return
    opened = SqliteStore(tmp_path / "state.db")
    opened.initialise(A, Side.EVEN, LicenceSet(), None)
    yield opened
    opened.close()


def test_a_mail_is_put_in_once(store: Any) -> None:
    assert store.enqueue([mail(), mail(recipient="b@example.org")]) == 2
    assert store.enqueue([mail(subject="again"), mail(occasion="takeover-5")]) == 1
    assert [(each.occasion, each.recipient, each.subject) for each in store.outbox()] == [
        ("takeover-5", "a@example.org", "s"),
        ("takeover-4", "b@example.org", "s"),
        ("takeover-4", "a@example.org", "s"),
    ]


def test_the_document_comes_with_the_mails(store: Any) -> None:
    store.enqueue([mail()], ("told", b"4"))
    assert store.get("told") == b"4"
    store.enqueue([], ("told", b"5"))
    assert store.get("told") == b"5"


def test_what_became_of_mails_is_kept(store: Any) -> None:
    one, other = mail(), mail(recipient="b@example.org")
    store.enqueue([one, other])
    sent = msgspec.structs.replace(one, state=MailState.SENT, tries=1, sent_at=NOW)
    store.put_mails([sent, mail(recipient="nobody@example.org")])
    assert store.outbox(state=MailState.SENT) == (sent,)
    assert store.outbox(state=MailState.WAITING) == (other,)
    assert store.outbox(limit=1) == (other,)


def test_the_mails_about_one_occasion_are_counted(store: Any) -> None:
    store.enqueue([mail(recipient=f"{number}@example.org") for number in range(150)])
    store.enqueue([mail(occasion="takeover-40"), mail(occasion="takeover-5", state=MailState.SENT)])
    store.put_mails([mail(recipient="7@example.org", state=MailState.GIVEN_UP)])
    assert store.mails_about("takeover-4") == {MailState.WAITING: 149, MailState.GIVEN_UP: 1}
    assert store.mails_about("takeover-5") == {MailState.SENT: 1}
    assert store.mails_about("takeover-6") == {}


def test_old_mails_are_forgotten_but_none_that_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "MAILS_KEPT", 3)
    store = SqliteStore(tmp_path / "state.db")
    gone = [mail(recipient=f"{number}@example.org", state=MailState.SENT) for number in range(6)]
    store.enqueue([mail(recipient="waits@example.org"), *gone])
    assert [each.recipient for each in store.outbox()] == [
        f"{number}@example.org" for number in (5, 4, 3)
    ] + ["waits@example.org"]
    store.close()


def test_a_state_of_the_version_before_gets_its_outbox(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "state.db"
    with sqlite3.connect(path) as db:
        for statement in MIGRATIONS[0]:
            db.execute(statement)
        db.execute("PRAGMA user_version = 1")
    db.close()
    store = SqliteStore(path)
    assert store.enqueue([mail(since=NOW + timedelta(days=1))]) == 1
    store.close()
