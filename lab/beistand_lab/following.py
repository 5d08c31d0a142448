"""An agent of an appliance under a tracer: its calls are listed, or it is killed or stopped right before one."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from beistand_lab import control_groups
from beistand_lab.commands import ENVIRONMENT, wait_for
from beistand_lab.lab import Lab
from beistand_lab.system_calls import Point

UNIT = "beistand-agent"
BEGIN_SECONDS = 30.0


def agent_process(lab: Lab, host: str) -> int:
    """The agent's process id on this machine; 0 where none runs."""
    show = ["systemctl", "show", "--property=MainPID", "--value", UNIT]
    inner = lab.sh(host, show).stdout.strip()
    for pid in control_groups.processes(f"{control_groups.group_name(lab.settings.name)}/{host}"):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        ids = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
        if len(ids) > 1 and ids[-1] == inner:
            return pid
    return 0


@dataclass(frozen=True, kw_only=True)
class How:
    """What the tracer is to do."""

    kill: Point | None = None
    stop: Point | None = None
    everything: bool = False
    """List also the calls that change nothing."""
    records: bool = False
    """Write down all that a power cut would need to know: see `beistand_lab.recording`."""
    stopped_itself: bool = False
    """The process waits to be woken up by the tracer."""

    def words(self) -> list[str]:
        """Return what it is started with, before the process id."""
        words = ["-m", "beistand_lab.recording" if self.records else "beistand_lab.tracer"]
        for word, point in (("--kill", self.kill), ("--stop", self.stop)):
            words += [word, point.call, str(point.number)] if point else []
        words += ["--everything"] if self.everything else []
        return [*words, "--go-on"] if self.stopped_itself else words


class Following:
    """The agent of a host, from now on until the end of the block, in which it may die."""

    def __init__(self, lab: Lab, host: str, how: How) -> None:
        self.pid = agent_process(lab, host)
        self.calls: list[str] = []
        """What it called so far, in the order in which it did; only where it is neither killed nor stopped."""
        self.journal: list[dict[str, Any]] = []
        """What it did, whole; only where it is recorded."""
        self.met = Event()
        """The point was met: it was killed, or stands there."""
        self.gone = Event()
        argv = [sys.executable, *how.words(), str(self.pid)]
        self._argv = argv
        self._group = control_groups.group_name(lab.settings.name)
        self._begun = Event()

    def __enter__(self) -> Self:
        line = control_groups.joining(self._group, self._argv)
        self._process = subprocess.Popen(
            line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_for(self._begun.is_set, BEGIN_SECONDS, f"the tracer of process {self.pid}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let it go on without us; whoever stands at a point then goes on, too."""
        self._process.kill()
        self._process.wait()
        self._reader.join(BEGIN_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def points(self) -> list[Point]:
        """Every call so far as a point, in their order."""
        seen: dict[str, int] = {}
        found = []
        for call in [*self.calls]:
            seen[call] = seen.get(call, 0) + 1
            found.append(Point(call, seen[call]))
        return found

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "call":
                self.calls.append(rest)
            elif word == "did":
                self.journal.append(json.loads(rest))
            else:
                {"following": self._begun, "met": self.met, "gone": self.gone}[word].set()
