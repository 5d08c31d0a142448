"""At most so many wrong tries in a minute, for each thing that is guessed at (F17)."""

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from threading import Lock

from beistand.domain.errors import Refused

MOST_TRIES = 10
SECONDS = 60.0
MOST_SUBJECTS = 10_000
"""Remembered at once: addresses may be made up."""


class Throttle:
    """Counts tries by subject: an account, an address, all unknown names together. Forgets with the agent."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, subjects: Sequence[str]) -> float:
        """Count one try for each of these; give the moment back with `give_back` when it was right.

        Counted before it is looked at, so that many at once are no way around. Raises Refused `too-many-tries` with
        the seconds to wait, and counts nothing then.
        """
        with self._lock:
            now = self._monotonic()
            waits = [self._wait(each, now) for each in subjects]
            if (longest := max(waits, default=0.0)) > 0:
                raise Refused("too-many-tries", seconds=math.ceil(longest))
            for each in subjects:
                self._tries.setdefault(each, deque()).append(now)
                self._tries.move_to_end(each)
            while len(self._tries) > MOST_SUBJECTS:
                self._tries.popitem(last=False)
            return now

    def give_back(self, subjects: Sequence[str], moment: float) -> None:
        """The try of this moment was right: it does not count. Wrong ones before it still do."""
        with self._lock:
            for each in subjects:
                tries = self._tries.get(each)
                if tries and moment in tries:
                    tries.remove(moment)

    def _wait(self, subject: str, now: float) -> float:
        tries = self._tries.get(subject)
        while tries and now - tries[0] >= SECONDS:
            tries.popleft()
        if not tries:
            self._tries.pop(subject, None)
            return 0.0
        return tries[0] + SECONDS - now if len(tries) >= MOST_TRIES else 0.0
