"""Looks while all is well for what may keep a takeover from working on the day; both sides look, both tell."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

from beistand.domain.alarm import Lasting, lasting
from beistand.domain.errors import BeistandError
from beistand.domain.outlook import Hearing, Outlook

if TYPE_CHECKING:
    from beistand.agent.agent import Agent

LOOK_SECONDS = 30.0
AGAIN_SECONDS = 5.0
"""A stranger at the service address counts when it is seen twice: an answer may be late by a takeover."""
ANSWER_SECONDS = 0.5
TRIAL_SECONDS = 600.0
FIRST_TRIAL_SECONDS = 10.0
"""After a start, and while announcements are lost: what changed at the switch is seen soon."""
FIRST_TRIALS = 4
SILENT_GATEWAY_SECONDS = 300.0
"""A router that restarts takes less."""
HEARD_GATEWAY_SECONDS = 30.0


class Lookout:
    """A thread of its own; what it last saw is in each greeting."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._stopping = Event()
        self._rivals: frozenset[str] = frozenset()
        self._seen: frozenset[str] = frozenset()
        self._gateway_silent = Lasting()
        self._connected_since: float | None = None
        self._trials = 0
        self._next_trial = 0.0
        self._next_look = 0.0

    def start(self) -> None:
        Thread(target=self._run, name="lookout", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def outlook(self) -> Outlook | None:
        """Return what is seen from here; None before there is a peer."""
        agent = self._agent
        if not agent.is_initialised or agent.store.pair() is None:
            return None
        facts = None if agent.keeper.is_serving else agent.watch.newest()
        if facts is None or not facts.carrier:
            return Outlook(rivals=tuple(sorted(self._rivals)), hearing=self._hearing())
        gateway = None if facts.gateway is None else not self._gateway_silent.is_on
        return Outlook(
            gateway=gateway,
            phones_known=facts.phones_known,
            phones_answering=facts.phones_answering,
            has_looked=True,
            rivals=tuple(sorted(self._rivals)),
            hearing=self._hearing(),
        )

    def turn(self) -> None:
        """Look and try out what is due. Raises Failed `interface-down`."""
        agent, now = self._agent, self._agent.clock.monotonic()
        if not agent.is_initialised or agent.store.pair() is None:
            return
        self._watch_gateway(now)
        if not agent.link.is_connected():
            self._connected_since, self._trials = None, 0
        elif self._connected_since is None:
            self._connected_since, self._next_trial = now, now
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            self._look_for_rivals()
        if self._connected_since is not None and now >= self._next_trial:
            self._trials += 1
            is_soon = self._trials < FIRST_TRIALS or self._is_lost()
            self._next_trial = now + (FIRST_TRIAL_SECONDS if is_soon else TRIAL_SECONDS)
            agent.node.arp.try_out(agent.node.installation.interface)

    def _look_for_rivals(self) -> None:
        agent, node = self._agent, self._agent.node
        pair = agent.store.pair()
        service = [each.address for each in node.installation.service_addresses]
        found = set(node.arp.holders(node.installation.interface, service, ANSWER_SECONDS))
        seen = frozenset(found - {pair.peer.mac.lower() if pair else ""})
        self._rivals, self._seen = seen & self._seen, seen
        if seen != self._rivals:
            self._next_look = agent.clock.monotonic() + AGAIN_SECONDS

    def _watch_gateway(self, now: float) -> None:
        facts = self._agent.watch.newest()
        if facts is not None and facts.carrier and facts.gateway is not None:
            self._gateway_silent = lasting(
                self._gateway_silent,
                is_so=not facts.gateway,
                now=now,
                begin=SILENT_GATEWAY_SECONDS,
                end=HEARD_GATEWAY_SECONDS,
            )

    def _is_lost(self) -> bool:
        greeting = self._agent.link.current()
        there = greeting.outlook.hearing if greeting and greeting.outlook else None
        return there is not None and there.lost > 0

    def _hearing(self) -> Hearing | None:
        agent, since = self._agent, self._connected_since
        pair = agent.store.pair()
        if since is None or pair is None:
            return None
        longest = agent.clock.monotonic() - since
        try:
            tried = agent.node.arp.tried(agent.node.installation.interface, pair.peer.mac)
        except BeistandError:
            return None
        if tried is None:
            return Hearing(control_seconds=longest)
        return Hearing(control_seconds=min(longest, tried.seconds), lost=tried.lost)

    def _run(self) -> None:
        clock = self._agent.clock
        while not self._stopping.is_set():
            with self._agent.complaints.about("lookout"):
                self.turn()
            clock.wait(self._stopping, AGAIN_SECONDS)
