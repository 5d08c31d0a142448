"""Time."""

from datetime import datetime, tzinfo
from threading import Event
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""

    def zone(self) -> tzinfo:
        """Return the machine's local time zone, with its rules for summer time."""

    def monotonic(self) -> float:
        """Return seconds that never jump; only differences have a meaning."""

    def wait(self, event: Event, seconds: float) -> bool:
        """Wait for the event, at most so long; return whether it is set."""
