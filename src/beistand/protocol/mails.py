"""Mail server, texts, outbox and the people of the telephone system (S11, S21, S22)."""

from beistand.domain.mail import Encryption, MailText, OutboxEntry, User
from beistand.domain.message import Message
from beistand.domain.value import Value


class GetMail(Value, frozen=True, kw_only=True, tag="mail", tag_field="verb"):
    """Answers MailView."""


class SetMailServer(Value, frozen=True, kw_only=True, tag="mail-server-set", tag_field="verb"):
    """Answers MailView."""

    host: str
    port: int
    encryption: Encryption
    user: str = ""
    password: str | None = None
    """None: as it is."""
    sender: str = ""

    def __repr__(self) -> str:
        return f"SetMailServer(host={self.host!r}, port={self.port})"


class SetMailText(Value, frozen=True, kw_only=True, tag="mail-text-set", tag_field="verb"):
    """Answers MailView. An empty subject and body bring back the catalogue's text."""

    text: MailText


class SendTestMail(Value, frozen=True, kw_only=True, tag="mail-test", tag_field="verb"):
    """Send one mail now, step by step; may take 40 seconds. Answers Trial."""

    address: str


class ListUsers(Value, frozen=True, kw_only=True, tag="users", tag_field="verb"):
    """Answers UserList."""


class RetryMails(Value, frozen=True, kw_only=True, tag="mail-retry", tag_field="verb"):
    """Try everything that waits or was given up now. Answers MailView."""


class TryStandby(Value, frozen=True, kw_only=True, tag="standby-try", tag_field="verb"):
    """Say step by step what works on the way to the standby (S13). Answers Trial."""

    server: str = ""
    """Before pairing: the address to look at; empty: the peer's."""


# --- answers ------------------------------------------------------------------------------------


class UsersTold(Value, frozen=True, kw_only=True):
    """What became of the mail to all users about the takeover under which this appliance serves (S21)."""

    epoch: int
    """Of the takeover."""
    is_over: bool
    """False: the mails are still to be put into the outbox, and that is tried again by itself."""
    sent: int = 0
    waiting: int = 0
    given_up: int = 0
    why: Message | None = None
    """Why there are none; as long as it is not over, why there are none yet."""

    @property
    def all(self) -> int:
        return self.sent + self.waiting + self.given_up

    @property
    def is_moving(self) -> bool:
        """Tell whether the agent may be putting them into the outbox, or sending them."""
        return self.waiting > 0 or not self.is_over


class MailView(Value, frozen=True, kw_only=True):
    """Everything but the password."""

    host: str
    port: int
    encryption: Encryption
    user: str
    has_password: bool
    sender: str
    texts: tuple[MailText, ...]
    """As they would be sent in the installation's language."""
    outbox: tuple[OutboxEntry, ...]
    """Newest first, the last hundred."""
    users_told: UsersTold | None = None
    """None where this appliance did not become the active one by a takeover."""


class TrialStep(Value, frozen=True, kw_only=True):
    code: str
    """`trial.<code>` in the catalogue says what was tried."""
    works: bool
    why: Message | None = None
    seconds: float = 0.0


class Trial(Value, frozen=True, kw_only=True):
    steps: tuple[TrialStep, ...]
    """In order, up to the first that does not work."""

    @property
    def works(self) -> bool:
        return all(each.works for each in self.steps)


class UserList(Value, frozen=True, kw_only=True):
    users: tuple[User, ...]
    problem: Message | None = None
    """Why the directory could not be read."""
