"""Watches the room on this machine's disks, and whether the state can be written: told before the day it matters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from beistand.domain.errors import BeistandError
from beistand.domain.message import Message
from beistand.domain.room import room_finding

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.finding import Finding

LOOK_SECONDS = 10.0
TRY_SECONDS = 60.0
"""Between two writes that only see whether the disk takes them; while it does not, every look tries."""
DOCUMENT = "disk-tried"
TROUBLE = "state"


class Room:
    """Runs in the agent's loop."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._next = 0.0
        self._next_try = 0.0
        self._findings: tuple[Finding, ...] = ()

    def findings(self) -> tuple[Finding, ...]:
        return self._findings

    def tick(self) -> None:
        now = self._agent.clock.monotonic()
        if now >= self._next:
            self._next = now + LOOK_SECONDS
            self.look()

    def look(self) -> None:
        """Look now; what was given up of the reserve is made again as soon as there is room."""
        agent = self._agent
        places = agent.wiring.places
        folders = [places.state, places.inbox, places.log]
        if agent.is_initialised:
            folders += [Path(each.path) for each in agent.node.profile.trees]
        seen = agent.wiring.file_systems.look(folders)
        self._findings = tuple(found for each in seen if (found := room_finding(each)))
        self._complain()
        agent.store.refill()
        if TROUBLE in agent.troubles or agent.clock.monotonic() >= self._next_try:
            self._next_try = agent.clock.monotonic() + TRY_SECONDS
            self._try()

    def _complain(self) -> None:
        complaints = self._agent.complaints
        for each in self._findings:
            where = f"room {each.fields['mount']}"
            complaints.tell(where, Message(code=each.code, fields=dict(each.fields)))

    def _try(self) -> None:
        """Write something small and durable: a disk that fails is noticed now, not by the next click."""
        agent = self._agent
        try:
            agent.store.put(DOCUMENT, b"")
        except BeistandError as error:
            agent.troubles[TROUBLE] = error.message
            agent.complaints.tell(TROUBLE, error.message, "error")
        else:
            agent.troubles.pop(TROUBLE, None)
            agent.troubles.pop("audit", None)
            agent.complaints.end(TROUBLE)
