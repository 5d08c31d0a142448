"""What the peer's clock shows: the data on the standby is dated by it, and its age is judged by it (B3, F9)."""

from datetime import datetime, timedelta
from threading import Lock

import msgspec

from beistand.domain.value import Value
from beistand.domain.words import FIRST_YEAR, LAST_YEAR
from beistand.ports.clock import Clock
from beistand.ports.store import Store

DOCUMENT = "peer-clock"
NEWS = timedelta(seconds=10)
"""A smaller change is not written down: each write waits for the disk."""
LARGEST_SECONDS = (LAST_YEAR - FIRST_YEAR) * 366 * 86_400.0
"""Two clocks that may both be wrong do not lie further apart (domain/words.py)."""


class Ahead(Value, frozen=True, kw_only=True):
    seconds: float
    """By so much the peer's clock was ahead of this one; negative: behind."""


class PeerClock:
    """Goes on with monotonic time while the peer is silent; how far it was ahead is known after a restart, too."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = Lock()
        self._said: tuple[datetime, float] | None = None
        self._noted: timedelta | None = None

    def heard(self, said: datetime) -> None:
        """Take what the peer's clock shows now."""
        with self._lock:
            self._said = (said, self._clock.monotonic())
            ahead, noted = said - self._clock.now(), self._known()
            if noted is None or abs(ahead - noted) >= NEWS:
                self._noted = ahead
                body = msgspec.json.encode(Ahead(seconds=ahead.total_seconds()))
                self._store.put(DOCUMENT, body)

    def now(self) -> datetime:
        """Return what the peer's clock shows now, as far as anything is known of it."""
        with self._lock:
            if self._said is not None:
                said, at = self._said
                return said + timedelta(seconds=self._clock.monotonic() - at)
            return self._clock.now() + (self._known() or timedelta(0))

    def _known(self) -> timedelta | None:
        if self._noted is None:
            body = self._store.get(DOCUMENT)
            try:
                ahead = msgspec.json.decode(body, type=Ahead) if body else None
            except msgspec.MsgspecError:
                ahead = None
            # An earlier version noted what no calendar holds: then nothing is known until the peer is heard.
            is_possible = ahead is not None and abs(ahead.seconds) < LARGEST_SECONDS
            self._noted = timedelta(seconds=ahead.seconds) if ahead and is_possible else None
        return self._noted
