"""A mail server, a user directory and phones in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from beistand.domain.errors import BeistandError
from beistand.domain.mail import Encryption, MailServer, User
from beistand.domain.mail_address import is_mail_address
from beistand.domain.message import Message, message
from beistand.domain.profile import Profile
from beistand.ports.mail import Mail, Notified
from beistand.protocol import Trial, TrialStep


@dataclass
class FakeMailer:
    """Takes every mail, unless `trouble` names a step and why it fails. `during` runs before the answer."""

    trouble: dict[str, Message] = field(default_factory=dict)
    refused: dict[str, Message] = field(default_factory=dict)
    """Why a recipient is refused, by address."""
    dropped: dict[str, Message] = field(default_factory=dict)
    """Why a mail is not taken once its text was sent, by the recipient's address."""
    taken: list[Mail] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    during: Callable[[], object] = lambda: None

    unbuildable: dict[str, Message] = field(default_factory=dict)
    """Why no mail can be built to a recipient, by address."""
    breaks: set[str] = field(default_factory=set)
    """Recipients at whose mail the library raises what nobody expects."""

    def fault(self, mail: Mail, sender: str) -> Message | None:
        if not is_mail_address(mail.recipient):
            return message("mail-recipient-form", address=mail.recipient)
        return self.unbuildable.get(mail.recipient)

    def send(self, server: MailServer, mail: Mail, own_ip: str) -> Trial:
        self.asked.append(mail.recipient)
        if mail.recipient in self.breaks:
            raise IndexError("string index out of range")
        encryption = ["mail-encryption"] if server.encryption is not Encryption.NONE else []
        greeting = ["mail-greeting"]
        first = encryption + greeting if server.encryption is Encryption.TLS else greeting + encryption
        login = ["mail-login"] if server.user else []
        codes = ["mail-name", "mail-connection", *first, *login, "mail-sender", "mail-recipient"]
        done = []
        for code in (*codes, "mail-accepted"):
            refused = {"mail-recipient": self.refused, "mail-accepted": self.dropped}.get(code, {})
            why = self.fault(mail, server.sender) if code == "mail-name" else refused.get(mail.recipient)
            done.append(_step(code, why or self.trouble.get(code)))
            if not done[-1].works:
                return Trial(steps=tuple(done))
        self.taken.append(mail)
        self.during()
        return Trial(steps=tuple(done))


def _step(code: str, why: Message | None) -> TrialStep:
    return TrialStep(code=code, works=why is None, why=why)


DOWN = {"mail-connection": message("mail-connection-refused", host="mail.example.org", port=587)}
UNKNOWN = message("mail-recipient-refused", recipient="x@example.org", reply="550 no such user")


@dataclass
class FakeUsers:
    people: tuple[User, ...] = ()
    trouble: BeistandError | None = None

    def list(self, profile: Profile) -> tuple[User, ...]:
        if self.trouble is not None:
            raise self.trouble
        return self.people if profile.users is not None else ()


@dataclass
class FakePhones:
    """Phones that all answer."""

    told: list[tuple[str, str]] = field(default_factory=list)
    """(address it came from, contact)."""

    def check_sync(self, address: str, uris: Sequence[str], seconds: float) -> Notified:
        self.told += [(address, each) for each in uris]
        return Notified(phones=len(uris), answered=len(uris))
