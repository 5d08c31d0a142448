"""The postman: a thread that sends what waits in the outbox, and keeps nobody waiting (F13)."""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from beistand.agent.log import log
from beistand.domain.mail import MailState
from beistand.domain.outbox import (
    OF_ONE_MAIL,
    after_failure,
    after_sending,
    again,
    is_due,
    is_recent,
    message_id,
    outbox_findings,
    without_server,
)
from beistand.ports.mail import Mail
from beistand.text.catalogue import language

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.facts import Finding
    from beistand.domain.mail import MailServer, OutboxEntry

LOOK_SECONDS = 5.0
MOST_AT_ONCE = 100_000
MOST_TOLD = 1000
"""Mails that the findings count."""


class Postman:
    """Sends from both appliances, each its own outbox."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._now = Event()
        self._stopping = False
        self._noting = Lock()
        self._on_its_way: tuple[str, str] | None = None
        self._sent: dict[tuple[str, str], OutboxEntry] = {}
        """Taken by the server, and not yet noted as such: on a full disk nobody may get the same mail twice."""

    def start(self) -> None:
        Thread(target=self._run, name="postman", daemon=True).start()

    def stop(self) -> None:
        self._stopping = True
        self._now.set()

    def soon(self) -> None:
        """Look into the outbox now."""
        self._now.set()

    def turn(self) -> None:
        """Send what is due, the oldest first."""
        agent = self._agent
        if not agent.is_initialised:
            return
        self._note_sent()
        server = agent.store.settings().mail_server
        if not server.host:
            self._give_up_old()
            return
        due = self._due()
        while due and not self._stopping:
            with self._noting:
                self._on_its_way = _key(due[0])
            try:
                due = self._send(server, due)
            finally:
                self._on_its_way = None

    def retry(self, *states: MailState) -> None:
        """Make the mails in these states due, as far as they are still news; not the one that is on its way."""
        store, now = self._agent.store, self._agent.clock.now()
        with self._noting:
            entries = [each for state in states for each in store.outbox(MOST_AT_ONCE, state)]
            store.put_mails(
                [
                    again(each, now)
                    for each in entries
                    if is_recent(each, now) and _key(each) != self._on_its_way
                ]
            )
        self.soon()

    def findings(self) -> tuple[Finding, ...]:
        store = self._agent.store
        waiting = store.outbox(MOST_TOLD, MailState.WAITING)
        return outbox_findings(
            (*waiting, *store.outbox(MOST_TOLD, MailState.GIVEN_UP)), self._agent.clock.now()
        )

    def _give_up_old(self) -> None:
        store, now = self._agent.store, self._agent.clock.now()
        waiting = store.outbox(MOST_AT_ONCE, MailState.WAITING)
        old = [after for each in waiting if (after := without_server(each, now)) != each]
        if old:
            store.put_mails(old)

    def _due(self) -> list[OutboxEntry]:
        now = self._agent.clock.now()
        waiting = reversed(self._agent.store.outbox(MOST_AT_ONCE, MailState.WAITING))
        return [each for each in waiting if is_due(each, now)]

    def _send(self, server: MailServer, due: list[OutboxEntry]) -> list[OutboxEntry]:
        """Send the first one and return what is left; a failure of the server itself is one of all of them."""
        agent, (entry, *rest) = self._agent, due
        installation = agent.node.installation
        mail = Mail(
            id=message_id(agent.store.standing().me, entry, server.sender),
            recipient=entry.recipient,
            subject=entry.subject,
            body=entry.body,
            at=entry.since,
            language=language(installation.language),
        )
        trial = agent.wiring.mailer.send(server, mail, installation.own_ip)
        now, why = agent.clock.now(), trial.steps[-1].why
        if why is None:
            self._sent[_key(entry)] = after_sending(entry, now)
            self._note_sent()
            log("mail-sent", occasion=entry.occasion, recipient=entry.recipient)
            return rest
        log("mail-not-sent", level="warning", occasion=entry.occasion, why=str(why))
        if why.code in OF_ONE_MAIL:
            agent.store.put_mails([after_failure(entry, why, now)])
            return rest
        agent.store.put_mails([after_failure(each, why, now) for each in due])
        return []

    def _note_sent(self) -> None:
        if self._sent:
            self._agent.store.put_mails(list(self._sent.values()))
            self._sent.clear()

    def _run(self) -> None:
        agent = self._agent
        while not self._stopping:
            with agent.complaints.about("postman"):
                self.turn()
            agent.clock.wait(self._now, LOOK_SECONDS)
            self._now.clear()


def _key(entry: OutboxEntry) -> tuple[str, str]:
    return entry.occasion, entry.recipient
