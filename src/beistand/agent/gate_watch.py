"""Watches the kernel's gate: whoever changes its rules finds them as they were, and is named (F33)."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

from beistand.agent.log import log
from beistand.domain.gate import Breach, breach_finding, missing_finding

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.facts import Finding
    from beistand.ports.address_gate import RuleChanges

LOOK_SECONDS = 1.0
"""It is looked at so often where the kernel tells of nothing, too; a stop of the agent may wait as long."""


class GateWatch:
    """A thread of its own: a turn may be waiting for a PBX."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._stopping = Event()
        self._changes: RuleChanges | None = None
        self._breach: Breach | None = None

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
        found = [missing_finding(self._agent.wiring.address_gate.missing())]
        if self._breach is not None:
            found.append(breach_finding(self._breach, self._agent.clock.now()))
        return tuple(each for each in found if each is not None)

    def look(self, changes: RuleChanges) -> None:
        """Wait for a change, and have the gate as it should be; tell who changed it."""
        program = changes.wait(LOOK_SECONDS)
        self._agent.keeper.keep_gate()
        if self._agent.wiring.address_gate.breaches():
            self._breach = Breach(program=program or "", at=self._agent.clock.now())
            if told := breach_finding(self._breach, self._breach.at):
                log(told.code, level="warning", **told.fields)

    def _run(self, changes: RuleChanges) -> None:
        while not self._stopping.is_set():
            with self._agent.complaints.about("gate"):
                self.look(changes)
