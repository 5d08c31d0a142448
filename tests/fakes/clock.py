"""A clock that goes only when it is told to."""

from datetime import UTC, datetime, timedelta, tzinfo
from threading import Condition, Event
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
A_SUNDAY_NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class FakeClock:
    """Waiting moves the time at once; with `blocking` it lasts until another thread calls `advance`."""

    def __init__(
        self, now: datetime = A_SUNDAY_NOON, zone: tzinfo = BERLIN, *, blocking: bool = False
    ) -> None:
        self._now = now
        self._zone = zone
        self._seconds = 1000.0
        self._blocking = blocking
        self._moved = Condition()

    def now(self) -> datetime:
        return self._now.astimezone(UTC)

    def zone(self) -> tzinfo:
        return self._zone

    def monotonic(self) -> float:
        return self._seconds

    def wait(self, event: Event, seconds: float) -> bool:
        if event.is_set():
            return True
        if not self._blocking:
            self.advance(max(0.0, seconds))
            return event.is_set()
        until = self._seconds + seconds
        with self._moved:
            while not event.is_set() and self._seconds < until:
                self._moved.wait(0.005)  # an Event cannot wake a Condition: look again soon
        return event.is_set()

    def advance(self, seconds: float) -> None:
        """Let real time pass."""
        with self._moved:
            self._now += timedelta(seconds=seconds)
            self._seconds += seconds
            self._moved.notify_all()

    def jump(self, now: datetime) -> None:
        """Set the wall clock as an administrator or NTP does: monotonic time does not move."""
        self._now = now
