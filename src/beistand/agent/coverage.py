"""Looks for what is not carried over (B4): beside everything else, after each cycle and once an hour, on the active."""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from beistand.domain.coverage import Coverage as Sum
from beistand.domain.coverage import Group, server_groups, unintended
from beistand.domain.errors import BeistandError
from beistand.domain.finding import Finding, Severity
from beistand.domain.job import JobKind
from beistand.domain.role import Role
from beistand.protocol import Coverage, GetCoverage, Uncovered

if TYPE_CHECKING:
    from datetime import datetime

    from beistand.agent.agent import Agent
    from beistand.agent.caller import Caller

AGAIN_SECONDS = 3600.0
COST = 20.0
"""A look that took a second is not repeated for so many, whatever was changed: a busy spool is large."""


class CoverageLook:
    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lock = Lock()
        self._groups: tuple[Group, ...] = ()
        self._at: datetime | None = None
        self._next = 0.0
        """Monotonic seconds before which no cycle is a reason to look."""
        self._due = 0.0
        self._after = ""
        """The generation after which was looked last."""
        self._is_looking = False
        self._idle = Event()
        self._idle.set()

    def tick(self) -> None:
        """Begin a look when one is due; called at every turn."""
        agent = self._agent
        if not agent.is_initialised or agent.store.standing().role is not Role.ACTIVE:
            return
        running = agent.worker.running()
        if running is not None and running.kind in (JobKind.CYCLE, JobKind.TAKEOVER):
            return
        newest, now = self._newest(), agent.clock.monotonic()
        with self._lock:
            is_due = now >= self._due or (newest != self._after and now >= self._next)
            if self._is_looking or not is_due:
                return
            self._is_looking, self._after = True, newest
            self._due = now + AGAIN_SECONDS
        self._idle.clear()
        Thread(target=self._run, name="coverage", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait until no look is under way; tell whether that was in time."""
        return self._idle.wait(seconds)

    def look(self) -> None:
        """Look now, in this thread."""
        profile, folders = self._agent.node.profile, self._agent.wiring.watched_folders
        found = Sum(profile)
        for each in folders.files(profile.watch):
            found.take(each)
        groups = (*found.groups(), *server_groups(profile, folders.servers()))
        with self._lock:
            self._groups, self._at = groups, self._agent.clock.now()

    def answer(self, _request: GetCoverage, _caller: Caller) -> Coverage:
        newest = next(iter(self._agent.store.copies(1)), None) if self._agent.is_initialised else None
        with self._lock:
            return Coverage(
                at=self._at,
                uncovered=tuple(
                    Uncovered(path=each.path, files=each.files, bytes=each.bytes, why=each.why)
                    for each in self._groups
                ),
                growing=newest.generation.growing if newest else (),
            )

    def findings(self) -> tuple[Finding, ...]:
        """Return one finding for all of it: it is advice."""
        with self._lock:
            count, size = unintended(self._groups)
        if not count:
            return ()
        fields: dict[str, str | int | float | bool] = {"count": count, "size": size}
        return (Finding(code="not-covered", severity=Severity.INFO, fields=fields),)

    def _run(self) -> None:
        clock = self._agent.clock
        began = clock.monotonic()
        try:
            self.look()
        except BeistandError as error:
            self._agent.complaints.tell("coverage", error.message)
        except Exception:  # noqa: BLE001  the edge of the thread: the next look may work
            self._agent.complaints.bug("coverage")
        else:
            self._agent.complaints.end("coverage")
        finally:
            with self._lock:
                self._is_looking = False
                self._next = clock.monotonic() + COST * (clock.monotonic() - began)
            self._idle.set()

    def _newest(self) -> str:
        copy = next(iter(self._agent.store.copies(1)), None)
        return copy.generation.id if copy else ""
