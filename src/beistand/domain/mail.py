"""Mails: the server they go through, their texts, and what is under way (S11, S21, S22)."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from beistand.domain.bounds import LongText, Word
from beistand.domain.message import Message
from beistand.domain.value import Value


class Encryption(StrEnum):
    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class MailServer(Value, frozen=True, kw_only=True):
    """The server that mails are handed to. The password is secret: it reaches no log, page or backup."""

    host: Word = ""
    """Empty: no mail server is configured."""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    encryption: Encryption = Encryption.STARTTLS
    user: Word = ""
    """Empty: no login."""
    password: Word = ""
    sender: Word = ""

    def __repr__(self) -> str:  # a password never reaches a log
        return f"MailServer(host={self.host!r}, port={self.port}, encryption={self.encryption.value})"


class MailText(Value, frozen=True, kw_only=True):
    """A text that an administrator wrote instead of the catalogue's; fields stand in braces."""

    kind: Word
    """Which mail: `users-takeover` is the one to all users after a takeover (S21)."""
    subject: LongText
    body: LongText


class MailState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given-up"


class OutboxEntry(Value, frozen=True, kw_only=True):
    """One mail of the durable outbox: one per occasion and recipient, whatever crashes (F13)."""

    occasion: str
    """What it is about, the same after any crash: `takeover-5`."""
    kind: str
    recipient: str
    subject: str
    body: str
    state: MailState = MailState.WAITING
    since: datetime
    tries: int = 0
    next_at: datetime | None = None
    sent_at: datetime | None = None
    why: Message | None = None
    """Of the last try that failed."""


class User(Value, frozen=True, kw_only=True):
    """A person of the telephone system, from its user directory."""

    name: str
    extension: str
    address: str
    """Mail address; empty: none is configured."""
