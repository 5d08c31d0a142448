"""The kernel tells of changed links, addresses and routes: what somebody took away is put back at once (F26)."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.ports.network import NetworkChanges

LISTEN_SECONDS = 1.0
"""So long a stop of the agent may wait for this thread."""
QUIET_SECONDS = 0.05
"""A network manager that says nothing for so long has done what it was about."""
PAUSE_SECONDS = 0.002
"""Between two turns: what comes in one burst is one change."""
BUSY_TURNS, BUSY_PAUSE_SECONDS = 50, 0.05
"""After so many turns without such a quiet somebody changes the network all the time: then with patience."""


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
        turns, is_due = 0, False
        while not self._stopping.is_set():
            with self._agent.complaints.about("changes"):
                if self._changes.wait(QUIET_SECONDS if is_due else LISTEN_SECONDS):
                    turns, is_due = turns + 1, True
                    if not self._agent.keeper.put_back():
                        self._agent.keeper.soon()
                        is_due = False
                else:
                    # In the middle of a burst a whole turn would only be in the way.
                    if is_due:
                        self._agent.keeper.soon()
                    turns, is_due = 0, False
            self._agent.clock.wait(
                self._stopping, BUSY_PAUSE_SECONDS if turns > BUSY_TURNS else PAUSE_SECONDS
            )
