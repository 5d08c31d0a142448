"""Signals and delays at exact system calls of a running agent, by strace(1): the same points on every machine."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

from beistand_lab.lab import Lab
from e2e.tracing import wait_until_attached

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
        wait_until_attached(lab, "b", pid)
        try:
            yield pid
        finally:
            os.killpg(tracer.pid, signal.SIGKILL)


def _agent(lab: Lab) -> str:
    """The process id of b's agent, as b sees it."""
    shown = lab.sh("b", ["systemctl", "show", "--property=MainPID", "--value", "beistand-agent"])
    return shown.stdout.strip()
