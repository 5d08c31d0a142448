"""What a campaign gets to work with, and what it has to tell: faults injected, recoveries checked, failures."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

Say = Callable[[str], None]


@dataclass
class Tally:
    """Counts of one campaign; `failed` holds a line for each failed case, with how to see it again."""

    cases: int = 0
    injected: int = 0
    recovered: int = 0
    failed: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            cases=self.cases + other.cases,
            injected=self.injected + other.injected,
            recovered=self.recovered + other.recovered,
            failed=self.failed + other.failed,
        )

    @property
    def passed(self) -> int:
        return self.cases - len(self.failed)


@dataclass
class Run:
    """One campaign under way. Everything random comes from `random`, so that a seed shows a failure again."""

    name: str
    seed: int
    seconds: float
    """So long a campaign of random schedules goes on; one that has an end goes to its end."""
    every: int = 1
    """Only each such point of a long list is taken; 1: all of them."""
    all_calls: bool = False
    """Every system call is a point, not only those that change something outside: hours."""
    say: Say = print
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.random = Random(f"{self.seed}/{self.name}")  # of text: stable between versions and machines
        self.deadline = time.monotonic() + self.seconds

    @property
    def is_over(self) -> bool:
        """Tell a campaign of random schedules to stop."""
        return time.monotonic() >= self.deadline

    def injected(self, faults: int = 1) -> None:
        """Count faults that were really injected, seen to have happened."""
        self.tally.injected += faults

    def recovered(self, checks: int = 1) -> None:
        """Count recoveries that were looked at from outside and were whole."""
        self.tally.recovered += checks

    @contextmanager
    def case(self, name: str) -> Iterator[None]:
        """One fault with its recovery: an exception inside fails this case only, the campaign goes on."""
        self.tally.cases += 1
        try:
            yield
        except Exception as error:  # noqa: BLE001  the edge of a case: whatever went wrong in it is its result
            why = str(error).strip().splitlines() or [type(error).__name__]
            again = f"python -m torture --only {self.name} --seed {self.seed}"
            self.tally.failed.append(f"{self.name}: {name}: {why[0]}   again: {again}")
            self.say(f"  ✗ {self.name}: {name}\n{traceback.format_exc()}")
