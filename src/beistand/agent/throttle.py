"""At most so many wrong tries in a minute, for each thing that is guessed at (F17).

Where others have used up the tries of an account, somebody who has not guessed is kept waiting, never out.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from threading import Lock

from beistand.domain.errors import Refused

MOST_TRIES = 10
SECONDS = 60.0
DELAY_SECONDS = 3.0
"""So far apart are the tries at an account whose bucket is full, of all addresses that have not guessed together."""
LONGEST_DELAY = 6.0
"""Nobody is kept waiting for longer: a page gives up after ten seconds."""
MOST_SUBJECTS = 10_000
"""Remembered at once: addresses may be made up."""


class Throttle:
    """Counts tries by subject: an account, an address, all unknown names together. Forgets with the agent."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()
        self._turns: OrderedDict[str, float] = OrderedDict()
        """When the next one may try at a subject that is full."""

    def take(self, subjects: Sequence[str]) -> float:
        """Count one try for each of these; give the moment back with `give_back` when it was right.

        Counted before it is looked at, so that many at once are no way around. Raises Refused `too-many-tries` with
        the seconds to wait, and counts nothing then.
        """
        with self._lock:
            return self._counted(subjects, self._monotonic())

    def take_or_wait(self, own: Sequence[str], shared: str) -> tuple[float, float]:
        """Count one try as `take` does; return its moment, and for how many seconds to wait before it is looked at.

        Of `shared`, which others guess at too, nobody is refused who has not guessed: in whose `own` there is no
        wrong try. Without any of his own somebody may be everybody: he is refused as by `take`.
        """
        with self._lock:
            now = self._monotonic()
            has_guessed = any(self._wait(each, now) > 0 or each in self._tries for each in own)
            if not own or has_guessed or self._wait(shared, now) == 0:
                return self._counted([*own, shared], now), 0.0
            turn = max(now, self._turns.get(shared, 0.0)) + DELAY_SECONDS
            if turn - now > LONGEST_DELAY:
                raise Refused("too-many-tries", seconds=math.ceil(turn - now))
            self._turns[shared] = turn
            self._turns.move_to_end(shared)
            while len(self._turns) > MOST_SUBJECTS:
                self._turns.popitem(last=False)
            return self._counted(own, now), turn - now

    def give_back(self, subjects: Sequence[str], moment: float) -> None:
        """The try of this moment was right: it does not count. Wrong ones before it still do."""
        with self._lock:
            for each in subjects:
                tries = self._tries.get(each)
                if tries and moment in tries:
                    tries.remove(moment)

    def _counted(self, subjects: Sequence[str], now: float) -> float:
        waits = [self._wait(each, now) for each in subjects]
        if (longest := max(waits, default=0.0)) > 0:
            raise Refused("too-many-tries", seconds=math.ceil(longest))
        for each in subjects:
            self._tries.setdefault(each, deque()).append(now)
            self._tries.move_to_end(each)
        while len(self._tries) > MOST_SUBJECTS:
            self._tries.popitem(last=False)
        return now

    def _wait(self, subject: str, now: float) -> float:
        tries = self._tries.get(subject)
        while tries and now - tries[0] >= SECONDS:
            tries.popleft()
        if not tries:
            self._tries.pop(subject, None)
            return 0.0
        return tries[0] + SECONDS - now if len(tries) >= MOST_TRIES else 0.0
