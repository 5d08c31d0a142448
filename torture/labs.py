"""Labs of the campaigns: each has a name and a subnet of its own, and is taken down whatever happens."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, down
from e2e import pairing_up


@contextmanager
def lab(name: str, **kind: Any) -> Iterator[Lab]:
    """Boot a lab for a campaign; `kind` is what `Lab.up` knows, such as `plain=True`."""
    full = f"torture-{name}"
    down(full)  # of a run that was killed
    try:
        yield Lab.up(full, f"10.99.{zlib.crc32(full.encode()) % 250}.0/24", **kind)
    finally:
        down(full)


def undisturbed_pair(booted: Lab) -> Administrator:
    """Pair and seed the two; then nothing happens by itself: a try that failed is not made again."""
    administrator: Administrator = pairing_up.seeded(booted)
    administrator.run("a", "config", "set", "attempts=1")
    pairing_up.cycle(administrator)
    return administrator
