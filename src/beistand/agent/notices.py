"""Looks at every turn whether there is something to tell an administrator by mail (S11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from beistand.agent.findings import findings
from beistand.agent.letters import to_administrator
from beistand.agent.log import log
from beistand.domain.job import JobKind
from beistand.domain.message import Message, message
from beistand.domain.notices import (
    PROBLEM,
    Notice,
    Seen,
    Told,
    absence_topic,
    cycle_topic,
    decide,
    peer_topic,
    problem_topics,
    silenced,
    stale_topic,
    standing_topic,
    takeover_topic,
)
from beistand.operations.tries import last_try
from beistand.ports.store import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from beistand.agent.agent import Agent
    from beistand.domain.finding import Finding
    from beistand.domain.message import Field

TOLD = "told"
"""The document that holds what was told last."""
LOOK_SECONDS = 2.0
ALARMED = "alarmed"
"""The document that holds which alarms were raised and did not end yet: each begins and ends once."""
ALARMS = (PROBLEM, "stale", "peer")
"""Topics whose begin and end stand in both logs; the others are logged where they happen."""
ITSELF = "Beistand"
"""Who raises and ends alarms; no account can have this name."""
ENDS = ("problem-gone", "data-fresh", "peer-back")
OF_STANDING = "rival-holds-address"
"""The one finding of the keeper that the topic of the standing does not tell."""


class Notices:
    """Runs in the agent's loop; the mails and what notes that they were told are one transaction."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._next = 0.0
        self._since: dict[str, dict[str, tuple[str, float]]] = {}
        self._alarmed: Told | None = None

    def tick(self) -> None:
        agent = self._agent
        now = agent.clock.monotonic()
        if agent.is_initialised and now >= self._next:
            self._next = now + LOOK_SECONDS
            self.look()

    def look(self) -> None:
        agent, config = self._agent, self._agent.store.config()
        told = self._document(TOLD)
        self._raise_alarms()
        if not config.send_mail or not config.mail_address or config.is_removed:
            if told.topics:
                agent.store.put(TOLD, msgspec.json.encode(silenced(told)))
            return
        notices, after = decide(told, self._lasting("mail", self._seen(told)), agent.clock.now())
        if after == told:
            return
        mails = [to_administrator(agent, occasion, notice) for occasion, notice in notices]
        agent.postman.enqueue(mails, (TOLD, msgspec.json.encode(after)))
        for occasion, _ in notices:
            log("notice", occasion=occasion)
        agent.postman.soon()

    def _raise_alarms(self) -> None:
        """Write begin and end of each alarm into the module log, which may be off, and the audit log, which never is.

        Whether mails are wanted or not. On a full disk what was told is remembered until the next start.
        """
        agent = self._agent
        before = self._alarmed if self._alarmed is not None else self._document(ALARMED)
        seen = [each for each in self._seen(before) if each.topic.startswith(ALARMS)]
        notices, after = decide(before, self._lasting("log", seen), agent.clock.now())
        self._alarmed = after
        for _, notice in notices:
            what = str(notice.about or Message(code=notice.code))
            if notice.code in ENDS:
                since = str(notice.fields["since"])
                log("alarm-ends", what=what, since=since)
                self._tell(message("audit.alarm-ends", what=what, since=since))
            elif notice.code != "reminder":
                log("alarm-begins", level="warning", what=what)
                self._tell(message("audit.alarm-begins", what=what))
        if after != before:
            with agent.complaints.about(ALARMED):
                agent.store.put(ALARMED, msgspec.json.encode(after))

    def _tell(self, what: Message) -> None:
        self._agent.tell(Event(at=self._agent.clock.now(), message=what, operator=ITSELF))

    def _document(self, name: str) -> Told:
        body = self._agent.store.get(name)
        try:
            return msgspec.json.decode(body, type=Told) if body else Told()
        except msgspec.MsgspecError:
            return Told()

    def _lasting(self, whose: str, seen: list[Seen]) -> list[tuple[Seen, float]]:
        """Say how long each has been as it is; mails and log may look at different topics."""
        now, before = self._agent.clock.monotonic(), self._since.get(whose, {})
        since = {
            each.topic: before[each.topic]
            if before.get(each.topic, ("", 0.0))[0] == each.state and each.topic in before
            else (each.state, now)
            for each in seen
        }
        self._since[whose] = since
        return [(each, now - since[each.topic][1]) for each in seen]

    def _seen(self, told: Told) -> list[Seen]:
        agent, judging = self._agent, self._agent.judging()
        keepers = judging.findings("keeper", agent.keeper.findings)
        looks: list[tuple[str, Callable[[], Seen | None]]] = [
            ("cycles", lambda: cycle_topic(last_try(agent.node), told)),
            ("takeovers", self._takeover),
            ("keeper", lambda: self._standing(told, keepers)),
            ("alarms", lambda: absence_topic(*agent.alarms.absence) if agent.alarms.absence else None),
            ("peer", self._peer),
        ]
        # A topic that fails is a finding like any other: that mail goes out, and so do those of the other topics.
        seen = [judging.part(name, look, None) for name, look in looks]
        found = [each for each in findings(agent, judging) if each not in keepers or each.code == OF_STANDING]
        if judging.part("pair", agent.store.pair, None) is not None:
            seen.append(stale_topic(found))
        return [*(each for each in seen if each is not None), *problem_topics(found, told)]

    def _standing(self, told: Told, keepers: tuple[Finding, ...]) -> Seen | None:
        agent, standing = self._agent, self._agent.store.standing()
        done = Notice(code="takeover-done")
        if standing.grant is not None:
            fields: dict[str, Field] = {
                "operator": standing.grant.operator,
                "seconds": agent.aftermath.seconds(standing.grant),
                "users": len(agent.directory.known().users),
            }
            phones = agent.aftermath.phones(standing.grant)
            done = Notice(
                code="takeover-done", fields=fields, others=(phones, *agent.aftermath.dead(standing.grant))
            )
        # The last of the keeper's findings is why the PBX does not run.
        failure = next((Message(code=each.code, fields=dict(each.fields)) for each in keepers[-1:]), None)
        return standing_topic(told, agent.keeper.state, standing.epoch, done=done, failure=failure)

    def _takeover(self) -> Seen | None:
        agent = self._agent
        job = agent.worker.running()
        if job is None or job.kind is not JobKind.TAKEOVER:
            return None
        for event in agent.store.events(10):
            if event.message.code == "takeover-begins" and event.at >= job.begin:
                return takeover_topic(int(event.message.fields["epoch"]), event.operator)
        return None

    def _peer(self) -> Seen | None:
        agent, pair = self._agent, self._agent.store.pair()
        if pair is None:
            return None
        return peer_topic(
            pair.peer.host,
            pair.peer.own_address.split("/")[0],
            is_connected=agent.link.is_connected(),
            silent_seconds=agent.link.silent_seconds(),
            why=agent.link.why_unreached(),
        )
