"""Watches the kernel's gate: whoever changes its rules, or brings the service address here, is named (F33)."""

from __future__ import annotations

from collections import deque
from threading import Event, Thread
from typing import TYPE_CHECKING

import msgspec

from beistand.agent.log import log
from beistand.domain.gate import Breach, breach_finding, missing_finding
from beistand.domain.origin import Brought, origin_findings

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.finding import Finding
    from beistand.ports.address_gate import RuleChanges
    from beistand.ports.node import Node

LOOK_SECONDS = 1.0
"""It is looked at so often where the kernel tells of nothing, too; a stop of the agent may wait as long."""
MOST_STRAYS = 16
"""Of an address that somebody brings again and again; the last one is told."""


class GateWatch:
    """A thread of its own: a turn may be waiting for a PBX."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._stopping = Event()
        self._changes: RuleChanges | None = None
        self._breach: Breach | None = None
        self._strays: deque[Brought] = deque(maxlen=MOST_STRAYS)
        """Addresses that came by themselves, and whose origin is still to be looked for."""
        self._told: dict[str, Brought] = {}
        self.is_ours = False
        """What stands here now may be what this appliance held itself."""

    def listen(self, changes: RuleChanges) -> GateWatch:
        """Take what tells of changes; the thread that `start` makes listens to it."""
        self._changes = changes
        return self

    def start(self) -> None:
        assert self._changes is not None, "listen comes first"
        Thread(target=self._run, args=(self._changes,), name="gate", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def findings(self) -> tuple[Finding, ...]:
        now = self._agent.clock.now()
        found = [missing_finding(self._agent.wiring.address_gate.missing())]
        if self._breach is not None:
            found.append(breach_finding(self._breach, now))
        return (*[each for each in found if each is not None], *origin_findings(self._told.values(), now))

    def look(self, changes: RuleChanges) -> None:
        """Wait for a change, and have the gate as it should be; tell who changed it, and who brought an address."""
        program = changes.wait(LOOK_SECONDS)
        self._agent.keeper.keep_gate()
        if self._agent.wiring.address_gate.breaches():
            self._breach = Breach(program=program or "", at=self._agent.clock.now())
            if told := breach_finding(self._breach, self._breach.at):
                log(told.code, level="warning", **told.fields)
        self._explain()

    def look_for_strays(self, node: Node) -> None:
        """Note how an address came here that we did not hold, before the turn takes it away; takes milliseconds."""
        was_ours, self.is_ours = self.is_ours, False
        if was_ours:
            return
        with self._agent.complaints.about("origins"):
            held = node.addresses.held(node.installation)
            if held:
                now = self._agent.clock.now()
                for each in self._agent.wiring.origins.arrivals(held):
                    self._strays.append(Brought(arrival=each, at=now))

    def _explain(self) -> None:
        """Look for what brought the addresses that were noted, and tell it."""
        while self._strays:
            stray = self._strays.popleft()
            address = stray.arrival.address
            stray = msgspec.structs.replace(stray, traces=self._agent.wiring.origins.traces((address,)))
            self._told[address] = stray
            told = stray.finding(stray.at)
            # Who brings it each second is in the log each ten minutes.
            if told and self._agent.complaints.is_new(f"brought {address}", told.code):
                log(told.code, level="error", **told.fields)

    def _run(self, changes: RuleChanges) -> None:
        while not self._stopping.is_set():
            with self._agent.complaints.about("gate"):
                self.look(changes)
