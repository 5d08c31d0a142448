"""F1: the agent is killed right before each system call of each operation; two recoveries, seen from outside."""

from __future__ import annotations

import time
from collections import deque

from beistand_lab.system_calls import Point
from e2e.killing import Boot, Killing, Release, Takeover
from e2e.killing_cycles import Backup, Import
from torture.labs import lab, undisturbed_pair
from torture.run import Run

OPERATIONS: tuple[type[Killing], ...] = (Import, Backup, Boot, Takeover, Release)
"""The last two change who serves; after them no cycle runs in this direction."""
SAY_EACH = 50
TRIES = 3
"""So often a point is tried that was not met: what threads in the background call differs between two runs."""
CUTS_EACH = 12
"""Of so many points at which the agent is killed, the appliance's power is cut at one."""


def campaign(run: Run) -> None:
    """Take one lab through all points of all operations."""
    with lab("kills") as booted:
        undisturbed_pair(booted)
        for kind in OPERATIONS:
            _Campaign(run, kind(booted)).go()


class _Campaign:
    """One operation: its points are listed, then it is killed at each."""

    def __init__(self, run: Run, operation: Killing) -> None:
        self._run = run
        self._operation = operation
        self._left: dict[str, deque[tuple[Point, int]]] = {}
        """For each variant the points that are left, and how often each was tried."""
        self._missed: list[Point] = []
        self._met = 0
        self._taken = 0

    def go(self) -> None:
        run, name = self._run, self._operation.name
        with run.case(f"{name}: list its points"):
            self._list()
        total = sum(map(len, self._left.values()))
        run.say(f"  {name}: {total} points")
        begin = time.monotonic()
        while any(self._left.values()):
            if not self._step():
                run.say(f"  {name}: ended early")
                break
        minutes = (time.monotonic() - begin) / 60
        run.say(
            f"  {name}: killed at {self._met} of {total} points, {self._met / max(minutes, 0.01):.1f} a minute; "
            f"{len(self._missed)} not met"
        )
        for point in self._missed:
            run.say(f"    not met in {TRIES} runs: {point}")

    def _list(self) -> None:
        """Until a variant comes a second time; of further variants only what the ones before do not come by."""
        known: set[Point] = set()
        while True:
            self._operation.prepare()
            if self._operation.variant in self._left:
                break
            found = [
                each for each in self._operation.listed(everything=self._run.all_calls) if each not in known
            ]
            known |= set(found)
            self._left[self._operation.variant] = deque((each, 0) for each in found[:: self._run.every])

    def _step(self) -> bool:
        """One point, or the operation undisturbed where none is left for this variant; False: it is stuck."""
        is_ready = False
        with self._run.case(f"{self._operation.name}: go on after the point before"):
            self._operation.prepare()
            self._run.tally.cases -= 1  # not a case of its own, unless it fails
            is_ready = True
        if not is_ready:
            return False
        left = self._left[self._operation.variant]
        if not left:
            with self._run.case(f"{self._operation.name}: works when nothing is injected"):
                assert self._operation.act(), "it failed"
            return True
        point, tries = left.popleft()
        with self._run.case(f"{self._operation.name}: killed at {point}"):
            self._take(point, tries, left)
        return True

    def _take(self, point: Point, tries: int, left: deque[tuple[Point, int]]) -> None:
        self._taken += 1
        is_cut = "/" in point.call and self._taken % CUTS_EACH == 0
        was_met = (self._operation.cut_off if is_cut else self._operation.struck)(point)
        if was_met:
            self._met += 1
            self._run.injected(2)  # the second recovery begins with another kill
            self._run.recovered(2)
        else:
            self._run.tally.cases -= 1  # nothing was injected
            if tries + 1 < TRIES:
                left.append((point, tries + 1))
            else:
                self._missed.append(point)
        if self._taken % SAY_EACH == 0:
            self._run.say(
                f"  {self._operation.name}: {self._taken} taken, {sum(map(len, self._left.values()))} left"
            )
