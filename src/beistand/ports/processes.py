"""The processes of this machine."""

from collections.abc import Collection
from typing import Protocol

from beistand.domain.strays import Process


class Processes(Protocol):
    def running(self, programs: Collection[str], console: str) -> tuple[Process, ...]:
        """Return who executes one of these programs, or waits at this control socket (empty: none).

        Only processes of our own process and network namespaces: those of containers and of a drill are nobody's
        business here. Never raises: what ends meanwhile is left out.
        """

    def end(self, process: Process, *, by_force: bool) -> bool:
        """Ask exactly this process to end (SIGTERM), or end it (SIGKILL); return whether it was still there."""
