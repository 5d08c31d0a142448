"""The schedule of announcements, and the defence against a second holder."""

import itertools
import threading
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from beistand.agent.announcer import Announcer, announcement_times
from contracts.segments import until
from fakes.clock import FakeClock
from fakes.network import FakeArp
from fakes.pair_of_appliances import ADDRESS, World
from fakes.situations import A_MAC, B_MAC


class Timed(FakeArp):
    """Notes when each frame left; listening takes fake time, and the clock stops at `end`."""

    def __init__(self, world: World, clock: FakeClock, end: float) -> None:
        super().__init__(world.segment, world.b.machine, clock)
        self.begin, self.end = clock.monotonic(), clock.monotonic() + end
        self.announced: list[float] = []
        self.told: list[tuple[float, tuple[str, ...]]] = []
        self.finished = Event()
        self.at: Callable[[float], object] = lambda _now: None
        self.anew = False

    def announce(self, interface: str, address: str) -> None:
        self.announced.append(self._now())

    def tell(self, interface: str, address: str, targets: Any) -> None:
        self.told.append((self._now(), tuple(targets)))

    def rival(self, interface: str, addresses: Any, seconds: float) -> str:
        self.at(self._now())
        assert self.clock is not None
        if self.clock.monotonic() >= self.end:
            self.finished.set()
            self.machine.held.clear()  # the end of this round: it notices and stops by itself
        return super().rival(interface, addresses, seconds)

    def _now(self) -> float:
        assert self.clock is not None
        return round(self.clock.monotonic() - self.begin, 1)


def serving(seconds: float) -> tuple[World, Timed, Announcer, list[str]]:
    world, clock, alarms = World(), FakeClock(), list[str]()
    world.kill_a()
    world.a.machine.silenced.clear()  # a rival has no gate
    world.b.machine.held.add(ADDRESS)
    arp = Timed(world, clock, seconds)
    return world, arp, Announcer(arp, clock, alarms.append), alarms


def announcing() -> set[threading.Thread]:
    """The threads that announce now, those of other tests included."""
    return {each for each in threading.enumerate() if each.name == "announcer"}


def test_the_schedule() -> None:
    times = list(itertools.islice(announcement_times(), 21))
    assert times[:9] == [0, 0.2, 0.5, 1, 2, 5, 10, 30, 60]
    assert times[9:18] == [120, 180, 240, 300, 360, 420, 480, 540, 600]
    assert times[18:] == [900, 1200, 1500]


def test_it_announces_by_the_schedule_and_tells_gateway_and_phones() -> None:
    world, arp, announcer, alarms = serving(100)
    announcer.start(world.b.node)
    assert arp.finished.wait(10)
    assert arp.announced == pytest.approx([0, 0.2, 0.5, 1, 2, 5, 10, 30, 60], abs=0.3)
    everybody = ("192.0.2.254", "192.0.2.50", "192.0.2.51")
    assert [targets for _, targets in arp.told] == [everybody] * 3
    assert [at for at, _ in arp.told] == pytest.approx([0, 2, 10], abs=0.3)
    assert alarms == []


def test_starting_twice_is_starting_once() -> None:
    world, arp, announcer, _ = serving(100)
    announcer.start(world.b.node)
    announcer.start(world.b.node)
    assert arp.finished.wait(10)
    assert len(arp.announced) == 9


def test_it_begins_anew_after_a_stop() -> None:
    world, arp, announcer, _ = serving(100)
    announcer.stop()
    announcer.start(world.b.node)
    assert arp.finished.wait(10)
    announcer.stop()
    world.b.machine.held.add(ADDRESS)
    arp.begin, arp.end = arp.end, arp.end + 100
    arp.finished.clear()
    announcer.start(world.b.node)
    assert arp.finished.wait(10)
    assert len(arp.announced) == 18


def test_nothing_is_sent_after_the_stop() -> None:
    others = announcing()
    world, arp, announcer, _ = serving(10_000)
    announcer.start(world.b.node)
    until(lambda: len(arp.announced) > 3)
    last = announcer._round
    announcer.stop()
    count = len(arp.announced)
    until(lambda: not announcing() - others)
    assert last is not None
    assert last.is_over
    assert len(arp.announced) == count


def test_it_is_quiet_as_soon_as_the_address_is_gone() -> None:
    others = announcing()
    world, arp, announcer, _ = serving(0.0)
    world.b.machine.held.clear()
    announcer.start(world.b.node)
    announcer.again(world.b.node)
    until(lambda: not announcing() - others)
    assert arp.announced == []


def test_a_rival_is_answered_ten_times_a_second_then_once_and_told_once() -> None:
    """F22: defence and alarm."""
    world, arp, announcer, alarms = serving(150)

    def rival(now: float) -> None:
        world.a.machine.is_up = 20 <= now < 100
        world.a.machine.held = {ADDRESS} if world.a.machine.is_up else set()

    arp.at = rival
    announcer.start(world.b.node)
    assert arp.finished.wait(10)
    assert alarms == [A_MAC, ""]
    first = [at for at in arp.announced if 20 <= at < 79]
    later = [at for at in arp.announced if 82 <= at < 99]
    assert 8 <= len(first) / 59 <= 11
    assert 0.8 <= len(later) / 17 <= 1.2
    # When it is gone, everything is announced anew, directed requests included.
    assert [at for at, _ in arp.told if at > 100]


def test_a_rival_that_is_gone_is_no_alarm_though_all_was_announced_anew_meanwhile() -> None:
    """F21: a healed line begins the schedule anew just when the former active is still heard."""
    world, arp, announcer, alarms = serving(60)

    def rival(now: float) -> None:
        world.a.machine.is_up = 20 <= now < 22
        world.a.machine.held = {ADDRESS} if world.a.machine.is_up else set()
        if 21 <= now < 22 and not arp.anew:
            arp.anew = True
            announcer.again(world.b.node)

    arp.at = rival
    announcer.start(world.b.node)
    assert arp.finished.wait(10)
    assert alarms == [A_MAC, ""]


def test_a_rival_that_is_probably_right_is_not_contradicted_for_ten_seconds() -> None:
    """F21: whoever withdraws a second later must not have taken the phones away from the other meanwhile."""
    world, arp, _, alarms = serving(150)
    assert arp.clock is not None
    announcer = Announcer(arp, arp.clock, alarms.append, lambda mac: mac == A_MAC)

    def rival(now: float) -> None:
        world.a.machine.is_up = 20 <= now < 50
        world.a.machine.held = {ADDRESS} if world.a.machine.is_up else set()

    arp.at = rival
    announcer.start(world.b.node)
    assert arp.finished.wait(10)
    assert [at for at in arp.announced if 20.1 <= at < 30] == []
    assert [at for at in arp.announced if 31 <= at < 50]
    assert alarms == [A_MAC, ""]


def test_a_cut_cable_ends_nothing() -> None:
    world, arp, announcer, _ = serving(40)
    world.b.machine.has_carrier = False
    plugged = arp._need_carrier

    def cut(interface: str) -> None:
        world.b.machine.has_carrier = arp._now() > 20
        plugged(interface)

    arp._need_carrier = cut  # type: ignore[method-assign]
    announcer.start(world.b.node)
    assert arp.finished.wait(10)
    assert arp.announced[-1] >= 30
    assert world.b.machine.mac == B_MAC
