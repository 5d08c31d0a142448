"""What follows a takeover once calls work: phones are told, and all users get a mail (S21).

Both happen once an epoch. What the agent could not do because it died is made up for at its next start.
"""

from __future__ import annotations

from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from beistand.agent.letters import to_users
from beistand.agent.log import log
from beistand.domain.errors import BeistandError, Failed
from beistand.domain.job import JobKind
from beistand.domain.mail import MailState
from beistand.domain.mail_text import USERS_TAKEOVER
from beistand.domain.message import Message, message
from beistand.domain.phones import reached, reached_message
from beistand.domain.safety import dead_lines
from beistand.domain.value import Value
from beistand.ports.mail import Notified
from beistand.ports.store import Event
from beistand.protocol import UsersTold

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.mail import OutboxEntry, User
    from beistand.domain.message import Field
    from beistand.domain.role import Grant

PHONE_SECONDS = 1.6
"""Three requests to a phone that does not answer; nobody waits for it but the job."""
LONGEST_AGO = timedelta(days=1)
"""A takeover that is longer ago is no news to anybody."""
PHONES_TOLD, USERS_TOLD, ENDED = "phones-told", "users-told", "takeover-ended"
"""Documents: the epoch of which it was told, for users with why there was no mail; how long its takeover took."""
NO_SERVER, NO_ADDRESS, TOO_LATE = "mail-server-unknown", "users-without-address", "users-told-too-late"
"""Why no user gets a mail: codes of the catalogue."""


class Ended(Value, frozen=True, kw_only=True):
    epoch: int
    seconds: float
    phones: int = 0
    """So many could be called at once."""
    phones_later: int = 0
    dead: tuple[str, ...] = ()
    """Lines that nobody could replug."""


class Aftermath:
    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lock = Lock()
        self._trouble: Message | None = None
        """Why the users could not be told yet."""

    def begin(self, epoch: int, seconds: float, dead: tuple[str, ...] = ()) -> dict[str, Field]:
        """Note how the takeover was and tell the phones; return how many, for the job's result."""
        agent, told = self._agent, Notified(phones=0, answered=0)
        phones = reached(agent.keeper.after_start.known)
        at_once, later = len(phones.at_once), len(phones.later)
        self._trouble = None
        try:
            ended = Ended(epoch=epoch, seconds=seconds, phones=at_once, phones_later=later, dead=dead)
            agent.store.put(ENDED, msgspec.json.encode(ended))
            told = self.tell_phones(epoch) or told
        except BeistandError as error:
            # Calls work: a full disk may delay the rest, and does not make a failure of the takeover.
            agent.complaints.tell("aftermath", error.message)
        agent.wake.set()  # the mails to the users come with the loop's next turn
        return {
            "phones": told.phones,
            "phones_answered": told.answered,
            "phones_at_once": at_once,
            "phones_later": later,
        }

    def seconds(self, grant: Grant) -> float:
        """Return how long the takeover of this grant took, until now where nobody could measure it."""
        ended = self._ended(grant)
        return ended.seconds if ended else max(0.0, (self._agent.clock.now() - grant.at).total_seconds())

    def phones(self, grant: Grant) -> Message:
        """Say how many phones could be called at once after the takeover of this grant, and how many later."""
        ended = self._ended(grant)
        return reached_message(ended.phones, ended.phones_later) if ended else reached_message(0, 0)

    def dead(self, grant: Grant) -> tuple[Message, ...]:
        """Say which lines nobody could replug for the takeover of this grant, if any."""
        ended = self._ended(grant)
        return (dead_lines(ended.dead),) if ended is not None and ended.dead else ()

    def _ended(self, grant: Grant) -> Ended | None:
        body = self._agent.store.get(ENDED)
        ended = msgspec.json.decode(body, type=Ended) if body else None
        return ended if ended is not None and ended.epoch == grant.epoch else None

    def tick(self) -> None:
        """Do what is left to do after a takeover, if there was one and calls work."""
        agent = self._agent
        if not agent.is_initialised or agent.keeper.state not in ("serving", "unverified"):
            return
        running = agent.worker.running()
        if running is not None and running.kind is JobKind.TAKEOVER:
            return  # it tells the phones itself
        grant = self._taken_over()
        if grant is not None:
            self.tell_phones(grant.epoch)
            self.tell_users(grant)

    def users_told(self) -> UsersTold | None:
        """Return what became of the mail to all users; None where this appliance took nothing over."""
        store = self._agent.store
        grant = self._taken_over() if self._agent.is_initialised else None
        if grant is None:
            return None
        epoch, none = self._noted(USERS_TOLD)
        is_over = epoch == grant.epoch
        why = Message(code=none) if none else None
        mails = store.mails_about(_occasion(grant))
        return UsersTold(
            epoch=grant.epoch,
            is_over=is_over,
            sent=mails.get(MailState.SENT, 0),
            waiting=mails.get(MailState.WAITING, 0),
            given_up=mails.get(MailState.GIVEN_UP, 0),
            why=why if is_over else self._trouble,
        )

    def tell_phones(self, epoch: int) -> Notified | None:
        """Tell every registered phone, once an epoch; None where it was done before."""
        agent = self._agent
        with self._lock:
            if self._is_noted(PHONES_TOLD, epoch):
                return None
            # Before it is done: a phone that is told twice may start anew in the middle of a call.
            agent.store.put(PHONES_TOLD, str(epoch).encode(), vital=True)
        node = agent.node
        told = agent.wiring.phone_teller.check_sync(
            node.installation.service_ip,
            [each.uri for each in node.contacts.list(node.profile)],
            PHONE_SECONDS,
        )
        log("phones-told", epoch=epoch, phones=told.phones, answered=told.answered)
        what = message("phones-told", phones=told.phones, answered=told.answered)
        agent.tell(Event(at=agent.clock.now(), message=what))
        return told

    def tell_users(self, grant: Grant) -> None:
        """Put a mail to everybody into the outbox, once an epoch. Raises Failed where nobody can say who that is."""
        if self._is_noted(USERS_TOLD, grant.epoch):
            return
        try:
            mails, none = self._letters(grant)
            count = self._agent.postman.enqueue(mails, (USERS_TOLD, f"{grant.epoch} {none}".strip().encode()))
        except BeistandError as error:
            self._trouble = error.message
            raise
        if none:
            log("users-not-told", level="warning", epoch=grant.epoch, why=none)
            return
        log("users-told", epoch=grant.epoch, mails=count)
        self._agent.store.tell(Event(at=self._agent.clock.now(), message=message("users-told", mails=count)))
        self._agent.postman.soon()

    def _letters(self, grant: Grant) -> tuple[list[OutboxEntry], str]:
        """Return the mails, or the code of why there are none."""
        agent = self._agent
        if not agent.store.settings().mail_server.host:
            return [], NO_SERVER
        if abs(agent.clock.now() - grant.at) > LONGEST_AGO:
            return [], TOO_LATE
        directory = agent.directory.read()
        if directory.problem is not None:
            raise Failed(directory.problem.code, **directory.problem.fields)
        recipients = addresses_of(directory.users)
        mails = to_users(agent, USERS_TAKEOVER, _occasion(grant), recipients, grant.at)
        return mails, "" if mails else NO_ADDRESS

    def _taken_over(self) -> Grant | None:
        """Return the grant by which this appliance became the active one; None where it is none, or was the first."""
        standing = self._agent.store.standing()
        grant = standing.grant
        return grant if grant is not None and standing.is_holder and grant.parent != 0 else None

    def _is_noted(self, name: str, epoch: int) -> bool:
        return self._noted(name)[0] == epoch

    def _noted(self, name: str) -> tuple[int, str]:
        """Return the epoch of which was told, and the code of why nobody was; 0: of none yet."""
        epoch, _, none = (self._agent.store.get(name) or b"0").decode().partition(" ")
        return int(epoch), none


def _occasion(grant: Grant) -> str:
    return f"takeover-{grant.epoch}"


def addresses_of(users: tuple[User, ...]) -> list[str]:
    """Return each address once, however many extensions share it."""
    return list({each.address.casefold(): each.address for each in reversed(users) if each.address}.values())[
        ::-1
    ]
