"""Signals and delays at exact system calls of a running agent, by strace(1): the same points on every machine."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

from beistand_lab.lab import Lab, wait_for
from e2e import switching

RENAMES = "rename,renameat,renameat2"


@contextlib.contextmanager
def struck(lab: Lab, calls: str, fault: str, *, path: str = "") -> Iterator[str]:
    """The agent of b meets a fault, in strace's words, at its system calls of a kind, on a path if one is named.

    Yields its process id; from then on it is watched, until the end of the block.
    """
    pid = _agent(lab)
    argv = ["strace", "-f", "-qq", "-o", "/dev/null", "-p", pid]
    argv += ["-e", f"trace={calls}", "-e", f"inject={calls}:{fault}"]
    argv += ["-P", path] if path else []
    with lab.popen("b", argv) as tracer:
        wait_for(lambda: _status(lab, pid, "TracerPid") != "0", switching.SOON_SECONDS, "strace")
        try:
            yield pid
        finally:
            os.killpg(tracer.pid, signal.SIGKILL)


def _agent(lab: Lab) -> str:
    """The process id of b's agent, as b sees it."""
    shown = lab.sh("b", ["systemctl", "show", "--property=MainPID", "--value", "beistand-agent"])
    return shown.stdout.strip()


def _status(lab: Lab, pid: str, name: str) -> str:
    lines = lab.sh("b", ["cat", f"/proc/{pid}/status"], check=False).stdout.splitlines()
    return next((line.split()[1] for line in lines if line.startswith(f"{name}:")), "")
