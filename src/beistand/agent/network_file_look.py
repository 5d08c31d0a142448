"""Looks whether a network file brings the service address: told before the boot at which it would matter."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from beistand.agent.log import log
from beistand.domain.errors import Refused
from beistand.domain.guarding import (
    GuardNote,
    lease_finding,
    note_findings,
    place_findings,
    unread_findings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from beistand.agent.agent import Agent
    from beistand.domain.finding import Finding
    from beistand.domain.network_file import Named, NetworkFile

LOOK_SECONDS = 10.0
"""A few small files are read so often, and understood anew only where one has changed."""
LEASE_SECONDS = 60.0
"""So often it is asked which files a manager uses now, where none has changed."""


class NetworkFileLook:
    """Runs in the agent's loop."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._next = 0.0
        self._seen: tuple[tuple[str, ...], tuple[NetworkFile, ...]] | None = None
        self._places: tuple[Named, ...] = ()
        self._unread: tuple[Finding, ...] = ()
        self._leases: tuple[Finding, ...] = ()
        self._next_leases = 0.0
        self._note = GuardNote()
        self._is_note_read = False

    def tick(self) -> None:
        now = self._agent.clock.monotonic()
        if self._agent.is_initialised and now >= self._next:
            self._next = now + LOOK_SECONDS
            self.look()

    def look(self) -> None:
        agent = self._agent
        if not self._is_note_read:
            self._note, self._is_note_read = agent.wiring.guard_notes.read(), True
            for found in note_findings(self._note):
                # The guard told the journal; the module's own log was not there yet.
                log(found.code, level="warning", **found.fields)
        addresses = tuple(each.address for each in agent.node.installation.service_addresses)
        seen = (addresses, agent.wiring.network_files.every())
        now = agent.clock.monotonic()
        if seen != self._seen or now >= self._next_leases:
            self._leases, self._next_leases = tuple(self._find_leases()), now + LEASE_SECONDS
        if seen == self._seen:
            return
        unread = tuple(unread_findings(seen[1]))
        for found in unread:
            if found not in self._unread:
                log(found.code, level="warning", **found.fields)
        places = agent.wiring.network_files.naming(addresses)
        for found in place_findings([each for each in places if each not in self._places]):
            log(found.code, level="warning", **found.fields)
        self._seen, self._places, self._unread = seen, places, unread

    def findings(self) -> tuple[Finding, ...]:
        """Return what the files bring now, and what the guard did at this boot."""
        told = (*note_findings(self._note), *place_findings(self._places))
        return (*told, *self._unread, *self._leases)

    def _find_leases(self) -> Iterator[Finding]:
        installation, files = self._agent.node.installation, self._agent.wiring.network_files
        interfaces = {installation.interface, *(each.interface for each in installation.service_addresses)}
        for interface in sorted(interfaces):
            # What is in no manager's hands leases nothing; what cannot be read is told where it matters.
            with suppress(Refused):
                for file in files.configuring(interface):
                    if found := lease_finding(file, interface):
                        yield found
