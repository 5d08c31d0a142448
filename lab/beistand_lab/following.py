"""An agent of an appliance under a tracer: its calls are listed, or it is killed or stopped right before one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

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


class Following:
    """The agent of a host, from now on until the end of the block, in which it may die."""

    def __init__(
        self,
        lab: Lab,
        host: str,
        *,
        kill: Point | None = None,
        stop: Point | None = None,
        everything: bool = False,
        stopped_itself: bool = False,
    ) -> None:
        self.pid = agent_process(lab, host)
        self.calls: list[str] = []
        """What it called so far, in the order in which it did; only where it is neither killed nor stopped."""
        self.met = Event()
        """The point was met: it was killed, or stands there."""
        self.gone = Event()
        argv = [sys.executable, "-m", "beistand_lab.tracer", str(self.pid)]
        for word, point in (("--kill", kill), ("--stop", stop)):
            argv += [word, point.call, str(point.number)] if point else []
        argv += ["--everything"] if everything else []
        argv += ["--go-on"] if stopped_itself else []
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
            else:
                {"following": self._begun, "met": self.met, "gone": self.gone}[word].set()
