"""The postman: a thread that sends what waits in the outbox, and keeps nobody waiting (F13)."""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

import msgspec

from beistand.agent.log import log, log_bug
from beistand.domain.mail import MailState
from beistand.domain.mail_text import one_line, printable
from beistand.domain.message import message
from beistand.domain.outbox import (
    MOST_FAILURES,
    OF_ONE_MAIL,
    STEPS_OF_ONE_MAIL,
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
    from collections.abc import Sequence

    from beistand.agent.agent import Agent
    from beistand.domain.finding import Finding
    from beistand.domain.mail import MailServer, OutboxEntry
    from beistand.domain.message import Message

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
        self._tried: dict[tuple[str, str], float] = {}
        """When each that waits after a failure of its own was tried, in this process's monotonic seconds."""
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
        due, failures = self._due(), 0
        while due and not self._stopping:
            entry = due.pop(0)
            with self._noting:
                self._on_its_way = _key(entry)
            try:
                why, step = self._send(server, entry)
            finally:
                self._on_its_way = None
            if why is None or why.code in OF_ONE_MAIL:
                continue
            failures += 1
            if step not in STEPS_OF_ONE_MAIL or failures >= MOST_FAILURES:
                # A failure of the server itself is one of all of them.
                self._agent.store.put_mails(
                    [after_failure(each, why, self._agent.clock.now()) for each in due]
                )
                return

    def enqueue(self, mails: Sequence[OutboxEntry], document: tuple[str, bytes] | None = None) -> int:
        """Put these mails and the document into the outbox; return how many are new.

        Each is built first. One that cannot be is given up at once, with the reason, and the others go out.
        """
        sender = self._agent.store.settings().mail_server.sender
        return self._agent.store.enqueue([self._tried_out(each, sender) for each in mails], document)

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
        """Return what is due: first what was not tried for longest, so that no mail stands in the way of others."""
        now = self._agent.clock.now()
        waiting = reversed(self._agent.store.outbox(MOST_AT_ONCE, MailState.WAITING))
        due = [each for each in waiting if is_due(each, now)]
        return sorted(due, key=lambda each: self._tried.get(_key(each), 0.0))

    def _tried_out(self, entry: OutboxEntry, sender: str) -> OutboxEntry:
        """Return the entry as it goes into the outbox."""
        clean = msgspec.structs.replace(entry, subject=one_line(entry.subject), body=printable(entry.body))
        why = self._agent.wiring.mailer.fault(self._mail(clean, sender), sender)
        if why is None:
            return clean
        log("mail-not-sent", level="warning", occasion=entry.occasion, why=str(why))
        return msgspec.structs.replace(clean, state=MailState.GIVEN_UP, why=why)

    def _send(self, server: MailServer, entry: OutboxEntry) -> tuple[Message | None, str]:
        """Send this one and note what became of it; return what went wrong, and at which step."""
        agent = self._agent
        try:
            trial = agent.wiring.mailer.send(
                server, self._mail(entry, server.sender), agent.node.installation.own_ip
            )
            why, step = trial.steps[-1].why, trial.steps[-1].code
        except Exception as error:  # noqa: BLE001  whatever one mail does, the next ones are alarms, too
            log_bug("postman")
            why, step = message("mail-failed", recipient=entry.recipient, why=type(error).__name__), ""
        now = agent.clock.now()
        if why is None:
            self._tried.pop(_key(entry), None)
            self._sent[_key(entry)] = after_sending(entry, now)
            self._note_sent()
            log("mail-sent", occasion=entry.occasion, recipient=entry.recipient)
            return None, step
        log("mail-not-sent", level="warning", occasion=entry.occasion, why=str(why))
        after = after_failure(entry, why, now)
        if after.state is MailState.WAITING:
            self._tried[_key(entry)] = agent.clock.monotonic()
        else:
            self._tried.pop(_key(entry), None)
        agent.store.put_mails([after])
        return why, step

    def _mail(self, entry: OutboxEntry, sender: str) -> Mail:
        return Mail(
            id=message_id(self._agent.store.standing().me, entry, sender),
            recipient=entry.recipient,
            subject=entry.subject,
            body=entry.body,
            at=entry.since,
            language=language(self._agent.node.installation.language),
        )

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
