"""The most memory that Beistand's own processes ever had, as the kernel counted it."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from beistand_lab import control_groups
from beistand_lab.lab import Lab

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def peaks(lab: Lab, host: str) -> dict[str, float]:
    """Return the peak of resident memory in MB for the agent and for the peer command on an appliance.

    Read off /proc from outside: what the disks of a lab hold is memory, too, and would count in a control group's.
    """
    found: dict[str, float] = {}
    group = f"{control_groups.group_name(lab.settings.name)}/{host}"
    for pid in control_groups.processes(group):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
            match = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
            if match and any(word.startswith("/opt/beistand") for word in words[:2]):
                which = "peer" if "peer" in words else "agent"
                found[which] = max(found.get(which, 0.0), int(match[1]) * 1024 / 1e6)
    return found
