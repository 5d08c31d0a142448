"""The gate of the service addresses on a machine in memory, and the rules that somebody else changes."""

from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from beistand.domain.errors import Failed
from beistand.domain.installation import Installation
from fakes.network import Effect, Machine, at_once


@dataclass
class FakeAddressGate:
    """`machine.silenced` is what it lets nobody say; a boot begins with nothing of it, as a kernel does."""

    machine: Machine
    effect: Effect = at_once
    cannot: tuple[str, ...] = ()
    is_stuck: bool = False
    """It does not open any more."""
    shut: frozenset[str] = frozenset()
    """What it was shut for by us."""
    breached: int = 0

    def let_speak(self) -> bool:
        if self.is_stuck:
            raise Failed("gate-not-opened", why="Operation not permitted")
        changed = bool(self.machine.silenced)
        self.shut = frozenset()
        if changed:
            self.effect(self.machine.silenced.clear)
        return changed

    def make_ready(self) -> None:
        """Nothing here takes time."""

    def silence(self, installation: Installation) -> bool:
        wanted = {each.address for each in installation.service_addresses}
        if set(self.cannot) == {"inet", "arp", "netdev"}:
            return False
        if self.shut == wanted and self.machine.silenced != wanted:
            self.breached += 1
        changed = self.machine.silenced != wanted
        self.shut = frozenset(wanted)
        if changed:
            self.effect(lambda: self._set(wanted))
        return changed

    def missing(self) -> tuple[str, ...]:
        return self.cannot

    def breaches(self) -> int:
        found, self.breached = self.breached, 0
        return found

    def _set(self, wanted: set[str]) -> None:
        self.machine.silenced.clear()
        self.machine.silenced.update(wanted)


@dataclass
class FakeRuleChanges:
    """Tells what `flush` did."""

    coming: "SimpleQueue[str]" = field(default_factory=SimpleQueue)

    def wait(self, seconds: float) -> str | None:
        try:
            return self.coming.get(timeout=seconds)
        except Empty:
            return None

    def flush(self, machine: Machine, program: str = "nft") -> None:
        machine.silenced.clear()
        self.coming.put(program)
