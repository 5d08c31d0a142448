"""Whether this appliance can raise an alarm, and does what is due; and from when to when it was away (F30)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from beistand.agent.cycles import is_cycle_due
from beistand.agent.log import log
from beistand.domain.alarm import (
    ABSENCE_SECONDS,
    AlarmPath,
    alarm_path,
    nobody_serves,
    own_alarms,
)
from beistand.domain.clocks import LARGEST_SKEW, clock_unset
from beistand.domain.job import JobKind
from beistand.domain.mail import MailState
from beistand.domain.pair import has_standby
from beistand.domain.serving import is_nobody_serving

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.finding import Finding

ALIVE = "alive"
"""The document that says when this agent was last alive, by its clock."""
ALIVE_SECONDS = 300.0
"""It is written so often: an absence is known as exactly."""
PATIENCE_SECONDS = 600.0
"""So long the right time may take to come over the network, after a start with a dead clock."""
MOST_MAILS = 1000
COUNT_SECONDS = 5.0
"""The outbox is read so often for the peer: after a takeover it is long, and greetings are many."""


class Alarms:
    """Runs in the agent's loop; `path` is asked from the link's thread, too."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._began = agent.clock.monotonic()
        self._next_alive = 0.0
        self._next_count = 0.0
        self._due_since: float | None = None
        self._nobody_since: float | None = None
        """Since when neither of the two serves nor is about to, as far as is heard."""
        self._path = AlarmPath()
        self._is_told = False
        self.absence: tuple[datetime, datetime] | None = None
        """From when to when this appliance was away before its agent was started, where that was long."""

    def tick(self) -> None:
        agent = self._agent
        if not agent.is_initialised:
            return
        self._watch_schedule()
        self._watch_service()
        now = agent.clock.monotonic()
        if now >= self._next_count:
            self._next_count = now + COUNT_SECONDS
            waiting = agent.store.outbox(MOST_MAILS, MailState.WAITING)
            self._path = alarm_path(waiting, agent.clock.now(), 0.0)
        if now >= self._next_alive and self._knows_absence(now):
            self._next_alive = now + ALIVE_SECONDS
            agent.store.put(ALIVE, agent.clock.now().isoformat().encode())

    def path(self) -> AlarmPath:
        """Return what is said of it to the peer: the mails as of a moment ago."""
        return msgspec.structs.replace(self._path, cycle_overdue_seconds=self.overdue_seconds())

    def findings(self) -> tuple[Finding, ...]:
        """Return what is wrong with the alarms and the clock of this appliance."""
        unset = clock_unset(self._agent.clock.now())
        overdue = AlarmPath(cycle_overdue_seconds=self.overdue_seconds())
        return (
            *own_alarms(overdue),
            *nobody_serves(self._since(self._nobody_since)),
            *((unset,) if unset else ()),
        )

    def overdue_seconds(self) -> float:
        """Return how long a cycle has been due that does not begin; 0 where none is."""
        return self._since(self._due_since)

    def _since(self, moment: float | None) -> float:
        return 0.0 if moment is None else self._agent.clock.monotonic() - moment

    def _watch_service(self) -> None:
        keeper = self._agent.keeper
        greeting = self._agent.link.current()
        if not is_nobody_serving(greeting, serving=keeper.is_serving, claims=keeper.claims):
            self._nobody_since = None
        elif self._nobody_since is None:
            self._nobody_since = self._agent.clock.monotonic()

    def _watch_schedule(self) -> None:
        """Look at the schedule beside what starts the cycles: whatever keeps it from starting one is seen here."""
        now = self._agent.clock.monotonic()
        if not self._is_cycle_due():
            self._due_since = None
        elif self._due_since is None:
            self._due_since = now

    def _is_cycle_due(self) -> bool:
        agent = self._agent
        node, running = agent.node, agent.worker.running()
        if node.peer is None or not agent.keeper.is_serving or (running and running.kind is JobKind.CYCLE):
            return False
        if not has_standby(agent.store.standing(), agent.link.last()):
            return False
        return is_cycle_due(node, agent.store.config(), agent.store.attempts(), agent.clock.now())

    def _knows_absence(self, monotonic: float) -> bool:
        """Tell whether it was found out for how long nobody was here; that needs a clock that is right again."""
        if self._is_told:
            return True
        now, before = self._agent.clock.now(), self._last_alive()
        if before is not None and now < before - LARGEST_SKEW:
            return monotonic - self._began > PATIENCE_SECONDS
        self._is_told = True
        if before is not None and (now - before).total_seconds() > ABSENCE_SECONDS:
            self.absence = (before, now)
            log("was-away", level="warning", since=before.isoformat(), until=now.isoformat())
        return True

    def _last_alive(self) -> datetime | None:
        body = self._agent.store.get(ALIVE)
        try:
            return datetime.fromisoformat(body.decode()) if body else None
        except ValueError:
            return None
