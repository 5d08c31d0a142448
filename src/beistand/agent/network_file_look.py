"""Looks whether a network file brings the service address: told before the boot at which it would matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beistand.agent.log import log
from beistand.domain.guarding import GuardNote, note_findings, place_findings

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.facts import Finding
    from beistand.domain.network_file import Named, NetworkFile

LOOK_SECONDS = 10.0
"""A few small files are read so often, and understood anew only where one has changed."""


class NetworkFileLook:
    """Runs in the agent's loop."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._next = 0.0
        self._seen: tuple[tuple[str, ...], tuple[NetworkFile, ...]] | None = None
        self._places: tuple[Named, ...] = ()
        self._note = GuardNote()
        self._is_note_read = False

    def tick(self) -> None:
        now = self._agent.clock.monotonic()
        if self._agent.is_initialised and now >= self._next:
            self._next = now + LOOK_SECONDS
            self.look()

    def look(self) -> None:
        """Raise Failed `network-file-not-read`."""
        agent = self._agent
        if not self._is_note_read:
            self._note, self._is_note_read = agent.wiring.guard_notes.read(), True
            for found in note_findings(self._note):
                # The guard told the journal; the module's own log was not there yet.
                log(found.code, level="warning", **found.fields)
        addresses = tuple(each.address for each in agent.node.installation.service_addresses)
        seen = (addresses, agent.wiring.network_files.every())
        if seen == self._seen:
            return
        places = agent.wiring.network_files.naming(addresses)
        for each in places:
            if each not in self._places:
                log(
                    "service-address-in-network-file",
                    level="warning",
                    address=each.address,
                    path=each.path,
                    line=each.line,
                    manager=each.manager.value,
                )
        self._seen, self._places = seen, places

    def findings(self) -> tuple[Finding, ...]:
        """Return what the files bring now, and what the guard did at this boot."""
        return (*note_findings(self._note), *place_findings(self._places))
