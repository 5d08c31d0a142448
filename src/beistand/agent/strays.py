"""A telephone system that something starts where it must not run is seen, stopped, and told with who did it (F34)."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

from beistand.agent.log import log
from beistand.domain.errors import BeistandError
from beistand.domain.finding import Finding, Severity
from beistand.domain.message import message
from beistand.domain.strays import Process, is_stray, programs, told, unit_of
from beistand.ports.store import Event as HistoryEvent

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.profile import Profile

LOOK_SECONDS = 0.2
"""A PBX is at its lines half a second after its start; a look costs two milliseconds."""
YOUNG_SECONDS = 20.0
FORCE_SECONDS = 1.5
"""Who was asked to end and is still there after so long is ended."""
TOLD_SECONDS = 900.0
"""So long after it was seen last it stands in the status: long enough for a mail, and for who looks in the morning."""
AGAIN_SECONDS = 600.0
"""What comes back all the time stands in the history so often."""
LEAVING_SECONDS = 15.0
"""Beside the time that the profile gives a PBX to stop: what ran while we served ends by the keeper's hand."""


class Strays:
    """A thread of its own: the main loop may wait for a PBX that stops slowly.

    The closed gate decides: it is closed first of all when this appliance gives up, and open before it starts its PBX.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._stopping = Event()
        self._was_open = False
        self._is_expected = False
        self._is_gated = False
        self._leaving: dict[tuple[int, str], float] = {}
        """What ran while we served, and until when it may take to end."""
        self._asked: dict[tuple[int, str], float] = {}
        self._last: Process | None = None
        self._last_at = 0.0
        self._count = 0
        self._next_event = 0.0

    def start(self) -> None:
        Thread(target=self._run, name="strays", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def expect(self) -> None:
        """A person makes an appliance of a machine whose PBX runs: it serves on, or the keeper ends it in order."""
        self._is_expected = True

    def findings(self) -> tuple[Finding, ...]:
        last = self._last
        if last is None or self._agent.wiring.services.gate_is_open():
            return ()  # here it may run now: what was is in the history
        if self._agent.clock.monotonic() - self._last_at > TOLD_SECONDS:
            return ()
        fields = {**told(last), "count": self._count}
        return (Finding(code="pbx-started-here", severity=Severity.BLOCK, fields=fields),)

    def turn(self) -> None:
        """Look once, and end what must not run. Raises BeistandError."""
        profile = self._profile()
        services = self._agent.wiring.services
        if profile is not None and not self._is_gated:
            services.install_gate(profile)  # after an upgrade, or where somebody took it away
            self._is_gated = True
        if profile is None or services.gate_is_open():
            self._was_open = profile is not None
            return
        console = profile.console.socket if profile.console else ""
        found = self._agent.wiring.processes.running(programs(profile), console)
        now = self._agent.clock.monotonic()
        if self._was_open or self._is_expected:
            self._was_open = self._is_expected = False
            limit = now + LEAVING_SECONDS + sum(each.stop_seconds for each in profile.services)
            self._leaving = {each.key: limit for each in found}
        keys = {each.key for each in found}
        self._leaving = {key: limit for key, limit in self._leaving.items() if key in keys and limit > now}
        self._asked = {key: at for key, at in self._asked.items() if key in keys}
        for each in found:
            if each.key not in self._leaving and is_stray(each, profile) and not services.gate_is_open():
                self._end(each, profile, now)

    def _end(self, process: Process, profile: Profile, now: float) -> None:
        self._last_at = now
        asked_at = self._asked.get(process.key)
        if asked_at is None:
            self._asked[process.key] = now
            self._tell(process, now)
        unit = unit_of(process, profile)
        if asked_at is None and unit:
            # Somebody may have taken the gate away: whatever starts the unit again is held by it.
            services = self._agent.wiring.services
            services.install_gate(profile)
            services.stop(next(each for each in profile.services if each.unit == unit))
        elif asked_at is None:
            # One that has just begun has nothing to end in order, and would be at its lines before it had.
            self._agent.wiring.processes.end(process, by_force=process.seconds < YOUNG_SECONDS)
        elif now - asked_at >= FORCE_SECONDS:
            self._agent.wiring.processes.end(process, by_force=True)

    def _tell(self, process: Process, now: float) -> None:
        agent = self._agent
        self._count = self._count + 1 if self.findings() else 1
        self._last = process
        log("pbx-started-here", level="error", count=self._count, **told(process))
        if agent.is_initialised and now >= self._next_event:
            self._next_event = now + AGAIN_SECONDS
            what = message("pbx-started-here", count=self._count, **told(process))
            agent.tell(HistoryEvent(at=agent.clock.now(), message=what))

    def _profile(self) -> Profile | None:
        """Return the profile of this appliance; of a copy, or with damaged settings, too, as far as it can be read."""
        agent = self._agent
        if agent.is_initialised:
            return agent.node.profile
        if not agent.store.is_initialised():
            return None
        try:
            profile: Profile = agent.wiring.profiles.load(agent.wiring.installation().profile)
        except BeistandError:
            return None
        return profile

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            with self._agent.complaints.about("strays", "error"):
                self.turn()
