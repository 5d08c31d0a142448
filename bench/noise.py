"""How evenly this machine works: the same piece of work again and again, between the measurements."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from bench.figures import Json, Report

_PIECE = bytes(1 << 20)
_PIECES = 64


class Noise:
    """What other work on the machine does to ours; figures within one run are compared under the same noise."""

    def __init__(self) -> None:
        self._seconds: list[float] = []
        self._loads: list[float] = []

    def sample(self) -> None:
        begin = time.perf_counter()
        for _ in range(_PIECES):
            hashlib.sha256(_PIECE).digest()
        self._seconds.append(time.perf_counter() - begin)
        self._loads.append(os.getloadavg()[0])

    def tell(self, report: Report) -> None:
        report.add("noise: SHA-256 of 64 MiB, between the others", "s", self._seconds)
        report.add("noise: load average of one minute", "", self._loads)


def machine() -> Json:
    """Return what the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    lines = Path("/etc/os-release").read_text().splitlines()
    system = dict(line.split("=", 1) for line in lines if "=" in line)
    return {
        "cores": os.cpu_count() or 0,
        "memory_gib": round(memory / (1 << 30), 1),
        "system": system.get("PRETTY_NAME", "").strip('"'),
        "kernel": os.uname().release,
    }
