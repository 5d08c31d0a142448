"""What brought the service address to an appliance that may not have it, in the words of a finding (F33)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from beistand.domain.finding import Finding, Severity
from beistand.domain.message import Field
from beistand.domain.value import Value

TOLD_SECONDS = 86400.0
BY_HAND = ("ip", "ifconfig", "busybox", "nmcli", "networkctl")
"""Programs that do what somebody tells them: who that is, is the question."""
SESSIONS = ("session-", "user@")
"""How systemd names what belongs to somebody who logged in."""


class Arrival(Value, frozen=True, kw_only=True):
    """How a service address came to stand here, as far as the kernel says."""

    address: str
    interface: str
    is_leased: bool = False
    """It has a lifetime, as every DHCP client gives it."""
    program: str = ""
    """Name of the process that added it; empty: it was gone before it could be looked at."""
    commands: tuple[str, ...] = ()
    """Its command line, and those of the processes that started it, the nearest first."""
    unit: str = ""
    """The unit of systemd, or the session, that it belongs to."""


class TraceKind(StrEnum):
    FILE = "file"
    """A file of a network manager."""
    TOOL = "tool"
    """The settings of a program that moves addresses, and that runs now."""
    SCRIPT = "script"
    LEASE = "lease"


class Trace(Value, frozen=True, kw_only=True):
    """A place that names the service address, and could have brought it."""

    kind: TraceKind
    address: str
    path: str
    line: int
    program: str
    """Whose file it is."""


class Brought(Value, frozen=True, kw_only=True):
    """A service address that came by itself, and was taken away."""

    arrival: Arrival
    at: datetime
    traces: tuple[Trace, ...] = ()

    def finding(self, now: datetime) -> Finding | None:
        """Return what people are told for a day, with the likeliest cause; None afterwards."""
        if (now - self.at).total_seconds() > TOLD_SECONDS:
            return None
        code, fields = self._cause()
        known: dict[str, Field] = {
            "address": self.arrival.address,
            "interface": self.arrival.interface,
            "at": self.at.isoformat(),
        }
        return Finding(code=f"address-brought-by-{code}", severity=Severity.WARN, fields={**known, **fields})

    def _cause(self) -> tuple[str, dict[str, Field]]:
        arrival, lease = self.arrival, self._first(TraceKind.LEASE)
        if arrival.is_leased:
            named = "" if arrival.program in BY_HAND else arrival.program
            return "lease", {"program": named or (lease.program if lease else "DHCP")}
        if file := self._first(TraceKind.FILE):
            return "file", {"path": file.path, "line": file.line, "manager": file.program}
        if tool := self._first(TraceKind.TOOL):
            return "tool", {"program": tool.program, "path": tool.path, "line": tool.line}
        if arrival.program and arrival.program not in BY_HAND:
            return "program", {"program": arrival.program, "unit": arrival.unit or arrival.program}
        if (script := self._first(TraceKind.SCRIPT)) and not self._is_typed([script.path]):
            return "script", {"path": script.path, "line": script.line}
        if arrival.commands:
            return "command", {"command": arrival.commands[0], "by": _by(arrival)}
        return "hand", {}

    def _is_typed(self, paths: Sequence[str]) -> bool:
        """Tell whether somebody at a console did it, with none of these scripts."""
        arrival = self.arrival
        is_script = any(path in command for path in paths for command in arrival.commands)
        return bool(arrival.commands) and arrival.unit.startswith(SESSIONS) and not is_script

    def _first(self, kind: TraceKind) -> Trace | None:
        return next((each for each in self.traces if each.kind is kind), None)


def origin_findings(brought: Iterable[Brought], now: datetime) -> tuple[Finding, ...]:
    return tuple(found for each in brought if (found := each.finding(now)))


def _by(arrival: Arrival) -> str:
    """Return who gave the command: the process behind it, or at least its unit."""
    parents = [each for each in arrival.commands[1:] if each]
    return ", ".join([*parents[:1], *([arrival.unit] if arrival.unit else [])]) or "?"
