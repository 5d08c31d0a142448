"""Two histories of one telephone system: noticed, remembered, and counted for the person who has to choose (R5)."""

from __future__ import annotations

import socket
from threading import Lock, Thread
from typing import TYPE_CHECKING

import msgspec

from beistand.agent.log import log
from beistand.domain.boot import pair_grant
from beistand.domain.errors import BeistandError
from beistand.domain.finding import Finding, Severity
from beistand.domain.fork import Fork, History, found_in, is_open, parted_at
from beistand.domain.message import message
from beistand.domain.role import Grant, is_believable
from beistand.domain.stored import read
from beistand.operations.keeping import kept
from beistand.ports.store import Event

if TYPE_CHECKING:
    from datetime import datetime

    from beistand.agent.agent import Agent
    from beistand.domain.pair import Greeting

FORK, OWN_GRANT = "fork", "own-grant"
"""Documents: the newest fork, and the grant under which this appliance served last."""
AGAIN_SECONDS = 300.0
"""Between two counts: each reads the figures of every file."""


class Forks:
    """What is noted from greetings is durable; what is counted is not."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lock = Lock()
        self._mine: History | None = None
        self._counted = 0.0
        self._is_counting = False

    def learn(self, greeting: Greeting) -> None:
        """Note a fork that the peer's word shows. Before its grant is adopted: then ours is known no more.

        It writes to the disk: a loser gives up the address first.
        """
        agent = self._agent
        standing = agent.store.standing()
        theirs = pair_grant(standing, greeting)
        try:
            if standing.is_holder and theirs is not None and theirs.epoch > standing.epoch:
                agent.store.put(OWN_GRANT, msgspec.json.encode(standing.grant))
            fork = found_in(standing, theirs) or self._told(greeting)
            if fork is not None and fork != self._noted():
                agent.store.put(FORK, msgspec.json.encode(fork))
                told = message("histories-forked", older=fork.older.epoch, newer=fork.newer.epoch)
                log(told.code, level="error", **told.fields)
                agent.store.tell(Event(at=agent.clock.now(), message=told))
        except BeistandError as error:
            # A disk that is full must not keep a loser from withdrawing.
            agent.complaints.tell("forks", error.message, "error")

    def open(self) -> Fork | None:
        """Return the fork between which a person still has to choose."""
        fork = self._noted()
        return fork if is_open(fork, self._agent.store.standing()) else None

    def findings(self) -> tuple[Finding, ...]:
        fork = self.open()
        if fork is None:
            return ()
        hosts = self._hosts()
        return (
            Finding(
                code="histories-forked",
                severity=Severity.WARN,
                fields={
                    "older": hosts.get(fork.older.holder, "?"),
                    "newer": hosts.get(fork.newer.holder, "?"),
                },
            ),
        )

    def mine(self) -> History | None:
        """Return what only this appliance has; None where there is nothing to compare."""
        if self._parted() is None:
            return None
        with self._lock:
            return self._mine

    def theirs(self) -> History | None:
        """Return what the peer said of itself last."""
        last = self._agent.link.last() if self._agent.is_initialised else None
        return last.history if last else None

    def tick(self) -> None:
        """Count anew, beside everything else, when it is time."""
        agent = self._agent
        parted = self._parted() if agent.is_initialised else None
        if parted is None:
            self._mine = None
            return
        grant, since = parted
        with self._lock:
            known = self._mine
            is_new = known is None or (known.epoch, known.since) != (grant.epoch, since)
            is_due = is_new or agent.clock.monotonic() >= self._counted + AGAIN_SECONDS
            if self._is_counting or not is_due:
                return
            self._is_counting, self._counted = True, agent.clock.monotonic()
        Thread(target=self._run, args=(grant, since), name="forks", daemon=True).start()

    def count(self, grant: Grant, since: datetime) -> None:
        """Count now, in this thread."""
        agent = self._agent
        last = kept(agent.store)
        history = History(
            host=socket.gethostname(),
            node=grant.holder,
            epoch=grant.epoch,
            operator=grant.operator,
            at=grant.at,
            since=since,
            recorded=agent.wiring.records.since(agent.node.profile, since),
            backup=last.backup if last.epoch == grant.epoch else "",
        )
        with self._lock:
            self._mine = history
        agent.link.greet_now()

    def _run(self, grant: Grant, since: datetime) -> None:
        try:
            with self._agent.complaints.about("forks"):
                self.count(grant, since)
        finally:
            with self._lock:
                self._is_counting = False

    def _parted(self) -> tuple[Grant, datetime] | None:
        """Return the own grant whose history is compared, and since when; None where there is only one history."""
        agent = self._agent
        standing, last = agent.store.standing(), agent.link.last()
        if standing.grant is None:
            return None
        if (fork := self.open()) is not None:
            mine = fork.older if fork.older.holder == standing.me else fork.newer
            return mine, parted_at(fork.older, fork.newer)
        theirs = pair_grant(standing, last) if last else None
        if agent.keeper.is_forked and standing.is_holder and theirs is not None:
            return standing.grant, parted_at(standing.grant, theirs)
        if standing.is_holder:
            # The peer's count tells that there is something to compare, and since when.
            return (standing.grant, last.history.since) if last and last.history else None
        body = agent.store.get(OWN_GRANT) if standing.has_own_data else None
        if not body:
            return None
        mine = msgspec.json.decode(body, type=Grant)
        return mine, parted_at(mine, standing.grant)

    def _told(self, greeting: Greeting) -> Fork | None:
        """Return the fork that the peer knows of, if it is one of us two and still open."""
        standing, fork = self._agent.store.standing(), greeting.fork
        us = {standing.me, greeting.appliance.node}
        is_ours = fork is not None and {fork.older.holder, fork.newer.holder} == us
        is_near = fork is not None and is_believable(standing.epoch, fork.newer.epoch)
        return fork if is_ours and is_near and is_open(fork, standing) else None

    def _noted(self) -> Fork | None:
        body = self._agent.store.get(FORK)
        return read(body, Fork) if body else None

    def _hosts(self) -> dict[str, str]:
        pair = self._agent.store.pair()
        others = {pair.peer.node: pair.peer.host} if pair else {}
        return {self._agent.store.standing().me: socket.gethostname(), **others}
