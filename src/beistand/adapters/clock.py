"""Time, as this machine tells it (port `Clock`)."""

import os
import time
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LOCALTIME = Path("/etc/localtime")


class SystemClock:
    """The zone is read anew each time, so that `timedatectl set-timezone` needs no restart."""

    def __init__(self, localtime: Path = LOCALTIME) -> None:
        self._localtime = localtime

    def now(self) -> datetime:
        return datetime.now(UTC)

    def zone(self) -> tzinfo:
        """Return the zone that TZ names, else the one of /etc/localtime, else UTC (timezone(3), localtime(5))."""
        name = os.environ.get("TZ", "").lstrip(":")
        if name:
            try:
                return ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                return UTC
        try:
            with self._localtime.open("rb") as file:
                return ZoneInfo.from_file(file, key=_key(self._localtime))
        except (OSError, ValueError):
            return UTC

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, event: Event, seconds: float) -> bool:
        return event.wait(max(0.0, seconds))


def _key(localtime: Path) -> str:
    return os.path.realpath(localtime).rpartition("/zoneinfo/")[2]
