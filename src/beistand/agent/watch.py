"""The standby watches the active all the time, so that a click has fresh evidence and costs nothing."""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from beistand.agent.log import log
from beistand.domain.errors import BeistandError
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


class Watch:
    """Keeps the newest facts."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lock = Lock()
        self._asking = Lock()
        self._facts: Facts | None = None
        self._at = 0.0
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
            job = self._agent.worker.running()
            greeting = self._agent.link.current()
            facts = observe(
                self._agent.node,
                copy,
                greeting=greeting,
                import_running=job is not None and job.kind == "receive",
            )
        with self._lock:
            if self._facts is None or self._facts.holder_mac != facts.holder_mac:
                log("service-address-held-by", mac=facts.holder_mac or "nobody")
            self._facts, self._at = facts, self._agent.clock.monotonic()
        return facts

    def fresh(self, copy: Copy | None) -> Facts:
        """Return facts that are at most five seconds old and are about this copy."""
        with self._lock:
            facts, age = self._facts, self._agent.clock.monotonic() - self._at
        if facts is not None and age < FRESH_SECONDS and facts.copy == copy:
            return facts
        return self.look(copy)

    def _run(self) -> None:
        while not self._stopping:
            self._turn()
            is_well = self._agent.link.is_connected()
            self._agent.clock.wait(self._now, WHILE_WELL_SECONDS if is_well else WHILE_SILENT_SECONDS)

    def _turn(self) -> None:
        agent = self._agent
        try:
            if not agent.is_initialised or agent.node.peer is None:
                return
            if agent.store.standing().role is Role.ACTIVE:
                return
            self.look(agent.to_serve())
        except BeistandError as error:
            agent.complaints.tell("watch", error.message)
        except Exception:  # noqa: BLE001  the edge of the thread: the next look may work
            agent.complaints.bug("watch")
        else:
            agent.complaints.end("watch")
