"""What the kernel tells while the appliance serves: the address first, the rest when it has grown quiet (F26)."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from beistand.agent.changes import Changes
from fakes.agents import OneOfTwo, TwoAgents


class Burst:
    """So many changes, one after the other; then quiet. Tells what it was asked."""

    def __init__(self, one: OneOfTwo, count: int, look: Callable[[], object]) -> None:
        self._one = one
        self._left = count
        self._look = look
        self.seen: list[object] = []
        self.over = Event()

    def wait(self, _seconds: float) -> bool:
        self.seen.append(self._look())
        if self._left:
            self._left -= 1
            self._one.machine.held.clear()
            return True
        if len(self.seen) > 5:
            self.over.set()
        return False


def run(one: OneOfTwo, burst: Burst) -> None:
    changes = Changes(one.agent, burst)
    one.agent.wake.clear()
    changes.start()
    assert burst.over.wait(10)
    changes.stop()


def test_in_a_burst_the_address_is_back_each_time_and_a_turn_waits_for_quiet(two: TwoAgents) -> None:
    two.turns(2)
    a = two.a
    burst = Burst(a, 3, lambda: (bool(a.machine.held), a.agent.wake.is_set()))
    run(a, burst)
    assert burst.seen[:5] == [(True, False)] * 4 + [(True, True)]


def test_who_does_not_serve_takes_a_turn_at_once(two: TwoAgents) -> None:
    """It may be held or checking: a link that comes back is worth a look."""
    two.turns(2)
    b = two.b
    burst = Burst(b, 3, b.agent.wake.is_set)
    run(b, burst)
    assert burst.seen[:2] == [False, True]
    assert not b.machine.held
