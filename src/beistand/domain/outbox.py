"""When a mail is tried again, and when it is given up (F13). Pure: time is an argument."""

import hashlib
from datetime import datetime, timedelta

import msgspec

from beistand.domain.alarm import MAILS_BLOCKED_SECONDS
from beistand.domain.finding import Finding, Severity
from beistand.domain.mail import MailState, OutboxEntry
from beistand.domain.message import Field, Message

WAITS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
"""Before the second, third, … try; the last one again and again. Greylisting asks for minutes (RFC 6647)."""
LONGEST_LIFE = timedelta(days=3)
FEWEST_TRIES = 10
"""Before a mail is given up for its age: a clock that jumps ahead must not throw it away at its first failure."""
TOLD_FOR = timedelta(days=7)
"""So long a mail that was given up is a finding."""
PERMANENT = ("mail-recipient-refused", "mail-content-refused", "mail-recipient-form", "mail-not-built")
"""The server will never take this mail to this person: no further try makes it so (RFC 5321 section 4.2.1)."""
OF_ONE_MAIL = (*PERMANENT, "mail-recipient-deferred", "mail-failed")
"""Says nothing about the server: the next mail is tried all the same."""
STEPS_OF_ONE_MAIL = ("mail-recipient", "mail-accepted")
"""The server took the sender: what fails from here on may hang on this person or on this text alone."""
MOST_FAILURES = 3
"""So many mails in a turn may fail at such a step before it counts as the server's failure."""


def after_sending(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    """Return the entry once the server has taken the mail."""
    changes = {
        "state": MailState.SENT,
        "tries": entry.tries + 1,
        "sent_at": now,
        "next_at": None,
        "why": None,
    }
    return msgspec.structs.replace(entry, **changes)


def after_failure(entry: OutboxEntry, why: Message, now: datetime) -> OutboxEntry:
    """Return the entry after a try that failed: the next one is planned, or the mail is given up."""
    tries = entry.tries + 1
    is_old = now - entry.since > LONGEST_LIFE and tries >= FEWEST_TRIES
    is_over = why.code in PERMANENT or is_old
    wait = WAITS[min(tries, len(WAITS)) - 1]
    return msgspec.structs.replace(
        entry,
        state=MailState.GIVEN_UP if is_over else MailState.WAITING,
        tries=tries,
        next_at=None if is_over else now + wait,
        why=why,
    )


def again(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    """Return the entry as one that is due now, with all its tries before it: a person asked for it."""
    changes = {"state": MailState.WAITING, "tries": 0, "next_at": now}
    return msgspec.structs.replace(entry, **changes)


def without_server(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    """Return the entry while no mail server is known: what is no news any more is given up."""
    if is_recent(entry, now):
        return entry
    why = Message(code="mail-server-unknown")
    return msgspec.structs.replace(entry, state=MailState.GIVEN_UP, next_at=None, why=why)


def is_recent(entry: OutboxEntry, now: datetime) -> bool:
    """Tell whether the mail is still news; a month after a takeover nobody wants to read of it."""
    return abs(now - entry.since) < TOLD_FOR


def is_due(entry: OutboxEntry, now: datetime) -> bool:
    """Tell whether the mail should be tried now; a time further away than any wait was noted by a wrong clock."""
    if entry.state is not MailState.WAITING:
        return False
    return entry.next_at is None or entry.next_at <= now or entry.next_at - now > WAITS[-1]


def message_id(node: str, entry: OutboxEntry, sender: str) -> str:
    """Return the same name for the same mail at every try: mail systems drop a second copy by it."""
    digest = hashlib.sha256(f"{node}\0{entry.occasion}\0{entry.recipient}".encode()).hexdigest()[:40]
    return f"<{digest}@{sender.rpartition('@')[2] or 'localhost'}>"


def outbox_findings(entries: tuple[OutboxEntry, ...], now: datetime) -> tuple[Finding, ...]:
    """Return what is wrong with the mails: some wait longer than for their first try, some were given up."""
    waiting = [each for each in entries if each.state is MailState.WAITING and each.why is not None]
    lost = [each for each in entries if each.state is MailState.GIVEN_UP and is_recent(each, now)]
    found = []
    if waiting:
        oldest = min(waiting, key=lambda each: each.since)
        age = max(0.0, (now - oldest.since).total_seconds())
        found += [_wait(len(waiting), age), *_why(oldest)]
    if lost:
        newest = max(lost, key=lambda each: each.since)
        found += [_warn("mail-given-up", count=len(lost), recipient=newest.recipient), *_why(newest)]
    return tuple({each.code: each for each in found}.values())


def _wait(count: int, age: float) -> Finding:
    """No alarm gets out of this appliance: after a while that is as bad as what it would be about (F30)."""
    severity = Severity.BLOCK if age >= MAILS_BLOCKED_SECONDS else Severity.WARN
    return Finding(code="mails-wait", severity=severity, fields={"count": count, "age": age})


def _why(entry: OutboxEntry) -> tuple[Finding, ...]:
    """Return the reason as a finding of its own, with its hint."""
    return (_warn(entry.why.code, **entry.why.fields),) if entry.why else ()


def _warn(code: str, **fields: Field) -> Finding:
    return Finding(code=code, severity=Severity.WARN, fields=fields)
