"""The most memory that each kind of process in a lab's appliances ever had, looked at while they live."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

from beistand_lab import control_groups
from beistand_lab.lab import Lab

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
LOOK_SECONDS = 0.5
"""The kernel keeps the peak of a process; only one that ends between two looks is missed at its very end."""


class Peaks:
    """Use it as a context; `found` holds MB by host and program afterwards."""

    def __init__(self, lab: Lab) -> None:
        self.found: dict[str, float] = {}
        self._lab = lab
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="peaks", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            for host in ("a", "b"):
                self._look(host)

    def _look(self, host: str) -> None:
        group = f"{control_groups.group_name(self._lab.settings.name)}/{host}"
        for pid in control_groups.processes(group):
            with contextlib.suppress(OSError):
                which = _program(Path(f"/proc/{pid}/cmdline").read_bytes())
                match = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
                if match and which:
                    key = f"{which} on {host}"
                    self.found[key] = max(self.found.get(key, 0.0), int(match[1]) * 1024 / 1e6)


def _program(line: bytes) -> str:
    """Name what is Beistand's: its own processes, and the programs it runs; empty for all others."""
    words = line.decode(errors="replace").split("\0")
    if any(word.startswith("/opt/beistand") for word in words[:2]):
        return "peer" if "peer" in words else "web" if any("web" in word for word in words) else "agent"
    program = words[0].rpartition("/")[2]
    return program if program in {"rsync", "ssh"} else ""
