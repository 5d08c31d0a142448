"""F1: kills and power cuts at system calls of the real agent; `make torture` takes every one of them.

What was cut short is recovered twice, and looked at from outside: one generation, one grant, one that serves.
"""

from __future__ import annotations

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab
from beistand_lab.system_calls import Point
from e2e import pairing_up
from e2e.asking import SERVING, wait_for_state
from e2e.killing import Boot, Killing, Takeover
from e2e.killing_cycles import Import
from e2e.tracing import traced, wait_until_quiet

pytestmark = pytest.mark.lab

RECORD = "rename /var/lib/beistand/.live.json.RANDOM /var/lib/beistand/live.json"
"""The first time it says that an import is under way, the second time it is the commit."""
GATE = "openat /run/beistand/may-serve"
TRIES = 3


@pytest.fixture(scope="module")
def pair(lab: Lab) -> Administrator:
    administrator = pairing_up.seeded(lab)
    # Nothing happens by itself meanwhile: a try that failed is not made again.
    administrator.run("a", "config", "set", "attempts=1")
    return administrator


def listed(operation: Killing) -> list[Point]:
    operation.prepare()
    return operation.listed()


def spread(points: list[Point], count: int) -> list[Point]:
    """So many of the calls that change files, from the first to the last."""
    files = [each for each in points if "/" in each.call]
    assert len(files) > 2 * count, "the list of points is too short to be true"
    return [files[(2 * number + 1) * len(files) // (2 * count)] for number in range(count)]


def strike(operation: Killing, point: Point, *, with_the_cord: bool = False) -> None:
    """Until a run came by the point: the two directions of a change come by some that the other does not."""
    for _ in range(TRIES):
        operation.prepare()
        if (operation.cut_off if with_the_cord else operation.struck)(point):
            return
    pytest.fail(f"{operation.name} never came by {point}")


@pytest.mark.shows("B6", "F1")
def test_an_import_killed_anywhere_leaves_one_generation_whole(lab: Lab, pair: Administrator) -> None:
    """B6: the old or the new one, files and database alike; the next cycle works (F1)."""
    operation = Import(lab)
    points = listed(operation)
    moves = [each for each in points if each.call.startswith("renameat ") and "/new/" in each.call]
    for point in (Point(RECORD, 1), moves[len(moves) // 2], Point(RECORD, 2), *spread(points, 2)):
        assert point in points
        strike(operation, point)


@pytest.mark.shows("B6", "F1")
def test_a_power_cut_in_an_import_leaves_one_generation_whole(lab: Lab, pair: Administrator) -> None:
    """B6: the same with the power cord, pulled while the agent stands right before its commit."""
    strike(Import(lab), Point(RECORD, 2), with_the_cord=True)


@pytest.mark.shows("B6", "F1")
def test_a_boot_killed_anywhere_serves_after_the_next_start(lab: Lab, pair: Administrator) -> None:
    """B6: address, gate and PBX come back without a click, and the grant is the same (F1)."""
    operation = Boot(lab)
    for point in spread(listed(operation), 2):
        strike(operation, point)


@pytest.mark.shows("F1")
@pytest.mark.parametrize("kind", [Import, Takeover])
def test_what_is_relied_on_is_on_disk_before(lab: Lab, pair: Administrator, kind: type[Killing]) -> None:
    """F1: write, fsync, rename, fsync of the folder, in this order, in the trace of the real agent."""
    operation = kind(lab)
    operation.prepare()
    with traced(lab, operation.victim) as trace:
        assert operation.act()
        wait_until_quiet(lab, operation.victim, trace)
    assert trace.has_written("/var/lib/beistand/")
    assert trace.violations() == []


@pytest.mark.shows("B6", "F1")
def test_a_takeover_killed_anywhere_ends_with_one_that_serves(lab: Lab, pair: Administrator) -> None:
    """B6: before the grant it did not happen, after it it goes on; one number, one holder (F1)."""
    operation = Takeover(lab)
    points = listed(operation)
    writes = [each for each in points if each.call == "fdatasync /var/lib/beistand/state.db-wal"]
    for point in (writes[1], writes[-1], Point(GATE, 1)):
        strike(operation, point)


@pytest.mark.shows("B6", "F1")
def test_a_power_cut_right_after_the_grant_needs_no_click(lab: Lab, pair: Administrator) -> None:
    """B6: the one that was granted boots and serves; the other, which released, does not."""
    operation = Takeover(lab)
    strike(operation, Point(GATE, 1), with_the_cord=True)
    wait_for_state(lab, operation.victim, *SERVING)
