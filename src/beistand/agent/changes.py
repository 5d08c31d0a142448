"""The kernel tells of changed links, addresses and routes: what somebody took away is put back at once (F26)."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.ports.network import NetworkChanges

LISTEN_SECONDS = 1.0
"""So long a stop of the agent may wait for this thread."""
PAUSE_SECONDS = 0.02
"""Between two turns: a network manager that changes much at once is answered in a few of them."""


class Changes:
    """Has the keeper put the address back, and look at the rest in a turn."""

    def __init__(self, agent: Agent, changes: NetworkChanges) -> None:
        self._agent = agent
        self._changes = changes
        self._stopping = Event()

    def start(self) -> None:
        Thread(target=self._run, name="changes", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._agent.complaints.about("changes"):
                if self._changes.wait(LISTEN_SECONDS):
                    self._agent.keeper.put_back()
            self._agent.clock.wait(self._stopping, PAUSE_SECONDS)
