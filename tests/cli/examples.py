"""Small values for the tests of the command line."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from click.testing import Result

from beistand.domain.generation import Copy, CopyState, Generation
from beistand.domain.job import Job, JobKind

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BEISTAND = Path(sys.executable).parent / "beistand"
"""The installed program."""
Run = Callable[..., Result]


def a_job(kind: JobKind = JobKind.CYCLE, **changes: object) -> Job:
    return Job(**{"id": "j1", "kind": kind, "begin": NOW, **changes})


def a_generation(sequence: int = 7) -> Generation:
    return Generation(
        id=f"20260301T115500Z-{sequence}",
        pair="c" * 32,
        source="a" * 16,
        epoch=2,
        sequence=sequence,
        begin=NOW,
        end=NOW,
        profile="asterisk",
        pbx_version="22.10",
        manifest="0" * 64,
        entries=10,
        size=1_400_000,
    )


def a_copy(state: CopyState = CopyState.IMPORTED, **changes: object) -> Copy:
    return Copy(**{"generation": a_generation(), "state": state, "at": NOW, "seconds": 3.2, **changes})
