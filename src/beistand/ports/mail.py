"""Mails and the people who get them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from beistand.domain.mail import MailServer, User
from beistand.domain.message import Message
from beistand.domain.profile import Profile
from beistand.domain.value import Value
from beistand.protocol import Trial


class Mail(Value, frozen=True, kw_only=True):
    """One mail to one person."""

    id: str
    """Message-ID with its angle brackets; the same at every try."""
    recipient: str
    subject: str
    body: str
    at: datetime
    language: str = ""


class Mailer(Protocol):
    def fault(self, mail: Mail, sender: str) -> Message | None:
        """Return why this mail can never be sent as it is: `mail-recipient-form` or `mail-not-built`; None: it can.

        Builds it, and asks nobody. An empty or odd sender is not the mail's fault. Never raises.
        """

    def send(self, server: MailServer, mail: Mail, own_ip: str) -> Trial:
        """Hand the mail to the server from the own address; return every step up to the first that failed.

        The steps, in order: mail-name, mail-connection, mail-encryption (if any; before the greeting with TLS),
        mail-greeting, mail-login (if any), mail-sender, mail-recipient, mail-accepted. Where all work, the server
        has taken the mail. Never raises for what the server or the network does, and never lasts longer than a
        minute, whatever hangs. The password goes out only as the server's encryption says, and into no message.
        """


class Users(Protocol):
    def list(self, profile: Profile) -> tuple[User, ...]:
        """Return the people of the telephone system, as its user directory names them now.

        Lines that make no sense are left out. PINs are never read. Empty where the profile has no directory.
        Raises Failed `users-not-read`.
        """


class Notified(Value, frozen=True, kw_only=True):
    """How many phones were told to check their configuration, and how many answered."""

    phones: int
    answered: int


class PhoneTeller(Protocol):
    def check_sync(self, address: str, uris: Sequence[str], seconds: float) -> Notified:
        """Send SIP NOTIFY `Event: check-sync` from this address to each contact, by UDP or TCP as it says.

        Repeats what is not answered (RFC 3261 section 17.1.2) for so long at most; any answer counts. Never raises.
        """
