"""The contract of the port Clock, for the machine's own and the fake one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest

from beistand.adapters.clock import SystemClock
from beistand.ports.clock import Clock
from fakes.clock import FakeClock

BERLIN_FILE = Path("/usr/share/zoneinfo/Europe/Berlin")


@pytest.fixture(params=["machine", "fake"])
def clock(request: pytest.FixtureRequest) -> Clock:
    return SystemClock(BERLIN_FILE) if request.param == "machine" else FakeClock()


def test_now_is_utc_and_aware(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta(0)


def test_the_zone_knows_summer_time(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    winter, summer = (datetime(2026, month, 1, 12, 0, tzinfo=clock.zone()) for month in (1, 7))
    assert [winter.utcoffset(), summer.utcoffset()] == [timedelta(hours=1), timedelta(hours=2)]


def test_waiting_takes_monotonic_time(clock: Clock) -> None:
    before = clock.monotonic()
    assert not clock.wait(Event(), 0.02)
    assert clock.monotonic() - before >= 0.019


def test_an_event_ends_the_wait(clock: Clock) -> None:
    event = Event()
    event.set()
    before = clock.monotonic()
    assert clock.wait(event, 1000)
    assert clock.monotonic() - before < 10


def test_tz_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    assert str(SystemClock(BERLIN_FILE).zone()) == "America/New_York"


@pytest.mark.parametrize("name", ["No/Such", "/etc/passwd", "../../etc/passwd"])
def test_an_unknown_zone_is_utc(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TZ", name)
    assert SystemClock(BERLIN_FILE).zone() is UTC


def test_without_a_zone_file_it_is_utc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TZ", raising=False)
    assert SystemClock(tmp_path / "missing").zone() is UTC


def test_a_blocking_fake_waits_for_the_time_to_be_moved() -> None:
    clock = FakeClock(blocking=True)
    thread = Thread(target=lambda: clock.wait(Event(), 60))
    thread.start()
    clock.advance(59)
    assert thread.is_alive()
    clock.advance(2)
    thread.join(timeout=10)
    assert not thread.is_alive()
