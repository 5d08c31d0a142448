"""The telephone system of one machine in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from beistand.domain.errors import Failed
from beistand.domain.phones import Contact, Dated
from beistand.domain.profile import Profile, Service
from fakes.network import Effect, at_once


@dataclass
class FakeServices:
    """Units that start only behind an open gate, like the real ones."""

    running: set[str] = field(default_factory=set)
    is_gate_open: bool = False
    broken: set[str] = field(default_factory=set)
    effect: Effect = at_once
    has_gates: bool = False
    enabled: set[str] = field(default_factory=set)
    never_off: set[str] = field(default_factory=set)
    """Units that something else starts at boot, whatever is switched off."""
    ungated: set[str] = field(default_factory=set)
    options: tuple[str, ...] = ()
    changed: Callable[[], object] = lambda: None
    """Called after every start and stop."""

    def is_running(self, unit: str) -> bool:
        return unit in self.running

    def start(self, service: Service) -> None:
        if service.unit in self.running:
            return
        if service.unit in self.broken:
            raise Failed("service-not-started", unit=service.unit, why="port in use")
        if not self.is_gate_open:
            raise Failed("service-not-started", unit=service.unit, why="exec-condition")
        self.effect(lambda: self.running.add(service.unit))
        self.changed()

    def stop(self, service: Service) -> None:
        self.effect(lambda: self.running.discard(service.unit))
        self.changed()

    def open_gate(self) -> None:
        self.effect(lambda: setattr(self, "is_gate_open", True))

    def close_gate(self) -> None:
        self.effect(lambda: setattr(self, "is_gate_open", False))

    def gate_is_open(self) -> bool:
        return self.is_gate_open

    def install_gate(self, profile: Profile) -> None:
        self.has_gates = True

    def remove_gate(self, profile: Profile) -> None:
        self.has_gates = False

    def ungate(self, unit: str) -> None:
        self.effect(lambda: self.ungated.add(unit))
        self.has_gates = False

    def gated(self) -> tuple[str, ...]:
        return ()

    def starts_at_boot(self, unit: str) -> bool:
        return unit in self.enabled or unit in self.never_off

    def enable(self, unit: str) -> None:
        self.enabled.add(unit)

    def disable(self, unit: str) -> None:
        self.enabled.discard(unit)

    def version(self, profile: Profile) -> str:
        return "Asterisk 22"

    def start_options(self, profile: Profile) -> tuple[str, ...]:
        return self.options


@dataclass
class FakeContacts:
    uris: tuple[str, ...] = ()
    renewed: int = 0
    is_damaged: bool = False
    forgotten: tuple[str, ...] = ()
    """Those that the PBX forgets at its start."""

    def list(self, profile: Profile) -> tuple[Contact, ...]:
        return tuple(Contact(uri=each, survives=each not in self.forgotten) for each in self.uris)

    def renew(self, profile: Profile, dated: Dated) -> int:
        if self.is_damaged:
            raise Failed("contacts-not-renewed", database="astdb", why="malformed")
        self.renewed += 1
        return len(self.uris)


@dataclass
class FakeConsole:
    """A PBX that answers what it was told to answer, and remembers what it was asked."""

    answers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    is_silent: bool = False
    silent_for: int = 0
    """So many questions find nobody yet."""

    def ask(self, socket: str, commands: Sequence[str], seconds: float) -> str:
        if self.is_silent or self.silent_for:
            self.silent_for = max(0, self.silent_for - 1)
            raise Failed("pbx-not-asked", path=socket, why="timeout")
        self.asked += commands
        return "".join(self.answers.get(each, "") for each in commands)
