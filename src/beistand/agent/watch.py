"""The standby watches the active all the time, so that a click has fresh evidence and costs nothing."""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

import msgspec

from beistand.agent.link import GREET_WITHIN
from beistand.agent.log import log
from beistand.domain.role import Role
from beistand.operations.observe import observe

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.facts import Facts
    from beistand.domain.generation import Copy

WHILE_SILENT_SECONDS = 2.0
WHILE_WELL_SECONDS = 15.0
"""While the peer talks over the pair's channel, a look now and then keeps its MAC and the witnesses known."""
FRESH_SECONDS = 5.0
ANSWER_SECONDS = 1.0
WANTED_SECONDS = 30.0
"""So long after somebody looked at the plan, the next looks follow as closely as while the peer is silent."""


class Watch:
    """Keeps the newest facts."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lock = Lock()
        self._asking = Lock()
        self._facts: Facts | None = None
        self._at = 0.0
        self._wanted_until = 0.0
        self._holder, self._holder_since = "", 0.0
        self._now = Event()
        self._stopping = False

    def start(self) -> None:
        Thread(target=self._run, name="watch", daemon=True).start()

    def stop(self) -> None:
        self._stopping = True
        self._now.set()

    def look(self, copy: Copy | None) -> Facts:
        """Observe now; about half a second."""
        with self._asking:
            facts = self._with_agent_of_peer(self._observed(copy))
        facts = self._dated(facts, copy)
        with self._lock:
            facts = self._with_time_of_holder(facts)
            if self._facts is None or self._facts.holder_mac != facts.holder_mac:
                if facts.holder_mac:
                    log("service-address-held-by", mac=facts.holder_mac)
                else:
                    log("service-address-free")
            self._facts, self._at = facts, self._agent.clock.monotonic()
        return facts

    def _with_time_of_holder(self, facts: Facts) -> Facts:
        now = self._agent.clock.monotonic()
        if facts.holder_mac != self._holder:
            self._holder, self._holder_since = facts.holder_mac, now
        return msgspec.structs.replace(facts, holder_seconds=now - self._holder_since)

    def _observed(self, copy: Copy | None) -> Facts:
        job = self._agent.worker.running()
        return observe(
            self._agent.node,
            copy,
            greeting=self._agent.link.current(),
            import_running=job is not None and job.kind in ("receive", "seed"),
        )

    def _with_agent_of_peer(self, facts: Facts) -> Facts:
        """Ask the peer's agent now where what was heard of it and what its machine says differ.

        One that died three seconds ago is still `connected`: it would be asked in vain to release. One that was
        not heard since a boot or a broken line may know a higher grant: a number below it would serve nobody (I9).
        """
        link, machine = self._agent.link, msgspec.structs.replace(facts.peer, agent=False).any
        if facts.peer.agent is machine:
            return facts
        is_answered_for = machine and link.failed_within(FRESH_SECONDS)
        judging, seconds = self._agent.judging(), GREET_WITHIN if machine else ANSWER_SECONDS
        greeting = None if is_answered_for else judging.part("peer", lambda: link.ask(seconds), None)
        # It takes no greeting of another version, but it can be asked to release (F15).
        is_there = greeting is not None or (machine and link.speaks_otherwise())
        epoch = greeting.grant.epoch if greeting and greeting.grant else 0
        peer = msgspec.structs.replace(facts.peer, agent=is_there)
        facts = msgspec.structs.replace(facts, peer=peer, peer_epoch=epoch)
        for each in judging.failed:  # what the peer could not even be asked, it has not denied
            why = facts.unseen_why or str(each.fields["why"])
            facts = msgspec.structs.replace(facts, unseen=(*facts.unseen, "peer"), unseen_why=why)
        return facts

    def fresh(self, copy: Copy | None) -> Facts:
        """Return facts that are at most five seconds old and are about this copy."""
        with self._lock:
            facts, age = self._facts, self._agent.clock.monotonic() - self._at
        if facts is not None and age < FRESH_SECONDS and facts.copy == copy:
            return facts
        return self.look(copy)

    def recent(self, copy: Copy | None, seconds: float) -> Facts:
        """Return what was observed within so many seconds, looking now only if nothing was.

        A person is about to decide on it: for a while the watch looks often.
        """
        with self._lock:
            now = self._agent.clock.monotonic()
            facts, age, is_new = self._facts, now - self._at, now > self._wanted_until
            self._wanted_until = now + WANTED_SECONDS
        if is_new:
            self._now.set()
        if facts is None or seconds <= 0 or age > seconds:
            return self.look(copy)
        has_own = copy is None and self._agent.node.store.standing().has_own_data
        return self._dated(msgspec.structs.replace(facts, copy=copy, own_data=has_own), copy)

    def newest(self) -> Facts | None:
        """Return what was observed last, however long ago; None: nothing since this agent started."""
        with self._lock:
            return self._facts

    def _dated(self, facts: Facts, copy: Copy | None) -> Facts:
        """Note what the clock shows that dated the copy: for an age, no two clocks need agree."""
        clock = self._agent.clock_of(copy.generation) if copy is not None else None
        return msgspec.structs.replace(facts, data_clock=clock)

    def _run(self) -> None:
        while not self._stopping:
            with self._agent.complaints.about("watch"):
                self._turn()
            is_calm = self._agent.link.is_connected() and not self._is_wanted()
            self._agent.clock.wait(self._now, WHILE_WELL_SECONDS if is_calm else WHILE_SILENT_SECONDS)
            self._now.clear()

    def _is_wanted(self) -> bool:
        with self._lock:
            return self._agent.clock.monotonic() < self._wanted_until

    def _turn(self) -> None:
        agent = self._agent
        if not agent.is_initialised or agent.node.peer is None:
            return
        if agent.store.standing().role is Role.ACTIVE and not self._is_wanted():
            return
        self.look(agent.to_serve())
