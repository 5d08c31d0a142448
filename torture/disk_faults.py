"""F2, F3: a disk refuses each write, fsync and rename of each operation: once, from there on, as full, as broken."""

from __future__ import annotations

import time
from collections import Counter, deque

from beistand_lab.refusing import refusable
from beistand_lab.system_calls import Point
from e2e.disk_faults import ERRORS, OPERATIONS, Refusal, refuse
from e2e.killing import Killing
from torture.labs import lab, undisturbed_pair
from torture.run import Run

SAY_EACH = 50
MOST_OF_ONE = 6
"""The same call again and again, as SQLite's of one page after the other: so many of them, the first and the last."""


def campaign(run: Run) -> None:
    """Take one lab through all operations."""
    with lab("disks") as booted:
        undisturbed_pair(booted)
        for kind in OPERATIONS:
            _Campaign(run, kind(booted)).go()


class _Campaign:
    """One operation: its calls are listed, then each is refused in each way."""

    def __init__(self, run: Run, operation: Killing) -> None:
        self._run = run
        self._operation = operation
        self._left: dict[str, deque[Refusal]] = {}
        """For each variant of the operation what is left to refuse."""
        self._met = self._taken = 0
        self._is_prepared = False
        """What was prepared waits to be done; some operations can be prepared once only."""

    def go(self) -> None:
        run, name = self._run, self._operation.name
        with run.case(f"{name}: list its calls"):
            self._list()
        total, begin = sum(map(len, self._left.values())), time.monotonic()
        run.say(f"  {name}: {total} refusals")
        while any(self._left.values()):
            if not self._step():
                run.say(f"  {name}: ended early")
                break
        minutes = (time.monotonic() - begin) / 60
        run.say(f"  {name}: {self._met} of {total} refused, {self._taken / max(minutes, 0.01):.1f} a minute")

    def _list(self) -> None:
        """Until a variant comes a second time; of further variants only what the ones before do not come by."""
        known: set[Point] = set()
        while True:
            self._operation.prepare()
            if self._operation.variant in self._left:
                self._is_prepared = True
                break
            found = [each for each in self._operation.listed() if each not in known]
            known |= set(found)
            refusals = [
                Refusal(point=each, error=error, stays=stays)
                for error, stays in ERRORS
                for each in spread([point for point in found if refusable(point.call, error)])
            ]
            self._left[self._operation.variant] = deque(refusals[:: self._run.every])

    def _step(self) -> bool:
        """Take one, or the operation undisturbed where none is left for this variant; False: it is stuck."""
        is_ready = False
        with self._run.case(f"{self._operation.name}: goes on after the disk is well again"):
            if not self._is_prepared:
                self._operation.prepare()
            self._is_prepared = False
            self._run.tally.cases -= 1  # not a case of its own, unless it fails
            is_ready = True
        if not is_ready:
            return False
        left = self._left[self._operation.variant]
        if not left:
            with self._run.case(f"{self._operation.name}: works when nothing is refused"):
                assert self._operation.act(), "it failed"
            return True
        refusal = left.popleft()
        with self._run.case(f"{self._operation.name}: {refusal}"):
            self._taken += 1
            if count := refuse(self._operation, refusal):
                self._met += 1
                self._run.injected(count)
                self._run.recovered(3)
            else:
                self._run.tally.cases -= 1  # this run did not come by it
        if self._taken % SAY_EACH == 0:
            rest = sum(map(len, self._left.values()))
            self._run.say(f"  {self._operation.name}: {self._taken} taken, {rest} left")
        return True


def spread(points: list[Point]) -> list[Point]:
    """Leave out the middle of what is called over and over."""
    last = Counter(each.call for each in points)
    taken = []
    for each in points:
        count = last[each.call]
        step = max(1, count // MOST_OF_ONE)
        if each.number in (1, count) or each.number % step == 0:
            taken.append(each)
    return taken
