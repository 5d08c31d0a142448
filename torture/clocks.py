"""F9: two clocks that jump for hours, days and decades, in random schedules, against the agents' own code."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

from fakes.agents import TwoAgents
from fakes.jumping_clocks import Life
from torture.run import Run

STEPS = 25


def campaign(run: Run) -> None:
    """One case is one random life of a pair; its number shows it again."""
    while not run.is_over:
        number = run.random.randrange(10**9)
        with run.case(f"life {number}"), tempfile.TemporaryDirectory() as folder:
            _live(run, Path(folder), number)


def _live(run: Run, folder: Path, number: int) -> None:
    two = TwoAgents(folder)
    try:
        life = Life(two, Random(number))
        for _ in range(STEPS):
            before = life.jumps
            life.step()
            run.injected(life.jumps - before)
        life.settle()
        run.recovered()
    finally:
        two.stop()
