"""The order of the durable writes of an appliance's real agent, by strace(1), from a moment on (F1)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from beistand_lab.following import UNIT
from beistand_lab.lab import Lab, wait_for
from e2e.asking import SOON_SECONDS
from e2e.durable_order import SQLITES_OWN, TRACED, Call, Places, Violation, parsed, violations

DURABLE = (
    *("/var/lib/beistand", "/etc/beistand", "/var/lib/beistand-peer/.ssh"),
    *("/etc/asterisk", "/var/lib/asterisk", "/var/spool/asterisk", "/usr/share/asterisk/moh"),
    *("/.beistand", "/etc/.beistand", "/usr/.beistand"),
    *("/etc/systemd/system", "/etc/systemd/network", "/etc/network", "/etc/netplan"),
    "/etc/NetworkManager/system-connections",
)
PASSING = (
    (r".*\.db-shm|.*\.sqlite3?-shm", "SQLite makes it anew"),
    (r"/var/lib/beistand/state\.reserve.*", "room that the next start takes again"),
    (r"/var/lib/beistand/scan.*", "what was hashed; compared with the trees, else made anew"),
    (r"/var/lib/beistand/outgoing.*", "a manifest on its way; the next cycle writes it again"),
    (r"/var/lib/beistand/uploads?(/.*)?", "a half upload ends with the agent"),
    (r"/var/lib/beistand/tmp[a-z0-9_]{8}(/.*)?", "a trial of rsync at the start"),
    (r".*/cert\.pem|.*/key\.pem", "of the web process, made anew where they do not fit"),
)
"""What is not durable on purpose, each with its reason."""
SWEPT = (
    *SQLITES_OWN,
    (r".*/\.[^/]+", "a draft: overwritten or removed by the next one"),
    (r"/var/lib/beistand/manifests/.*", "pruned again by the next cycle"),
)
"""What is removed and may come back with a power cut, each with its reason."""
_TRACE = "/tmp/durable-order.trace"
_STRACE = ["strace", "-f", "-y", "-qq", "-s", "0", "-o", _TRACE, "-e", f"trace={TRACED}"]


@dataclass
class Trace:
    """What was seen; filled when the block has ended."""

    places: Places
    existing: frozenset[str]
    calls: list[Call] = field(default_factory=list)
    lines: int | None = None
    """So many lines are looked at: strace leaves in the middle of whatever is written later."""

    def violations(self) -> list[Violation]:
        return violations(self.calls, self.places, self.existing)

    def has_written(self, folder: str) -> bool:
        """Tell whether anything was written below: a trace that shows nothing proves nothing."""
        return any(path.startswith(folder) for each in self.calls for path in each.paths)


def places_of(lab: Lab, host: str) -> Places:
    """What is durable on an appliance of the lab, with its file systems."""
    mounts = {line.split()[1] for line in lab.sh(host, ["cat", "/proc/self/mounts"]).stdout.splitlines()}
    return Places(durable=DURABLE, passing=PASSING, swept=SWEPT, mounts=tuple(mounts))


def existing_on(lab: Lab, host: str) -> frozenset[str]:
    """What stands in its durable folders now."""
    return frozenset(lab.sh(host, ["find", *DURABLE, "-xdev"], check=False).stdout.splitlines())


def traced_program(lab: Lab, host: str, argv: list[str]) -> Trace:
    """Follow a program from its begin to its end."""
    trace = Trace(places_of(lab, host), existing_on(lab, host))
    lab.sh(host, [*_STRACE, *argv])
    _read(lab, host, trace)
    return trace


@contextmanager
def traced(lab: Lab, host: str, *, wakes: bool = False) -> Iterator[Trace]:
    """Follow the agent of a host; `wakes` one that stopped itself at its start."""
    trace = Trace(places_of(lab, host), existing_on(lab, host))
    show = ["systemctl", "show", "--property=MainPID", "--value", UNIT]
    pid = lab.sh(host, show).stdout.strip()
    with lab.popen(host, [*_STRACE, "-p", pid]) as tracer:
        try:
            wait_until_attached(lab, host, pid)
            if wakes:
                lab.sh(host, ["kill", "-CONT", pid])
            yield trace
        finally:
            os.killpg(tracer.pid, signal.SIGTERM)
            tracer.wait(SOON_SECONDS)
    _read(lab, host, trace)


def _read(lab: Lab, host: str, trace: Trace) -> None:
    lines = lab.read(host, _TRACE).decode(errors="backslashreplace").splitlines()
    lab.sh(host, ["rm", "-f", _TRACE])
    trace.calls.extend(parsed(lines[: trace.lines]))


def wait_until_quiet(lab: Lab, host: str, trace: Trace, seconds: float = 0.5) -> None:
    """Until the followed agent has touched none of its own files for so long: what it began is over."""
    last, end = "", time.monotonic() + seconds
    count = ["awk", "/[/]var[/]lib[/]beistand/ {own++} END {print own + 0, NR}", _TRACE]

    def is_quiet() -> bool:
        nonlocal last, end
        own, lines = lab.sh(host, count).stdout.split()
        if own != last:
            last, end = own, time.monotonic() + seconds
        trace.lines = int(lines)
        return time.monotonic() >= end

    wait_for(is_quiet, SOON_SECONDS, "the agent to have nothing more to write")


def wait_until_attached(lab: Lab, host: str, pid: str) -> None:
    """Until strace follows every thread of a process: the main one is only its first."""
    show = ["sh", "-c", f"cat /proc/{pid}/task/*/status"]

    def is_attached() -> bool:
        lines = lab.sh(host, show, check=False).stdout.splitlines()
        tracers = [line.split()[1] for line in lines if line.startswith("TracerPid:")]
        return bool(tracers) and "0" not in tracers

    wait_for(is_attached, SOON_SECONDS, "strace")
