"""Who waits for the next change of a job: few at once, and one for each session, so that threads are left for pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import msgspec

from beistand.domain.value import Value
from beistand.protocol import WatchJob

MOST_WAITERS = 8
"""Of the 32 threads. Slow browsers have 16 at most (`browsers.MOST_WAITING`): 8 always answer somebody else."""


class Waiters:
    """Sessions and tokens that wait right now."""

    def __init__(self, most: int = MOST_WAITERS) -> None:
        self._most = most
        self._lock = Lock()
        self._waiting: set[str] = set()

    @contextmanager
    def place(self, whose: str) -> Iterator[bool]:
        """Yield whether this session or token may wait now; who may not is answered at once."""
        with self._lock:
            has_place = whose not in self._waiting and len(self._waiting) < self._most
            if has_place:
                self._waiting.add(whose)
        try:
            yield has_place
        finally:
            if has_place:
                with self._lock:
                    self._waiting.discard(whose)


WAITERS = Waiters()


@contextmanager
def patient(asked: Value, whose: str, waiters: Waiters = WAITERS) -> Iterator[Value]:
    """Yield the request; who watches a job is answered at once where there is no place to wait."""
    if not isinstance(asked, WatchJob) or asked.seconds <= 0:
        yield asked
        return
    with waiters.place(whose) as waits:
        yield asked if waits else msgspec.structs.replace(asked, seconds=0.0)
