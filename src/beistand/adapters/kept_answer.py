"""What was read last, for who cannot wait: a takeover takes what is known rather than the time to ask."""

import os
import time
from collections.abc import Callable, Hashable, Iterable
from threading import Condition, Thread
from typing import Generic, TypeVar

from beistand.adapters.hashing import stamp
from beistand.domain.errors import BeistandError

PATIENCE_SECONDS = 0.25
"""For a newer answer, where there is one already."""
FIRST_SECONDS = 3.0
"""For the first one: longer than a reader may take."""
CLOCK_TICK_NS = 2_000_000_000
"""A change this close before a look may be followed by another one with the same time."""

T = TypeVar("T")


class KeptAnswer(Generic[T]):
    """The newest answer to one question."""

    def __init__(self, read: Callable[[], T], nothing: T) -> None:
        """`read` may raise BeistandError: then what was known stays known."""
        self._read = read
        self._answer = nothing
        self._of: Hashable = None
        """What the answer depends on, as it stood when it was asked for."""
        self._is_known = self._is_asking = False
        self._changed = Condition()

    def get(self, depends_on: Hashable | None) -> T:
        """Return the answer. None: nobody can say whether it still holds, and it is asked for again.

        Otherwise what was found for the same `depends_on` is found again, failures too.
        """
        with self._changed:
            if self._is_known and depends_on is not None and depends_on == self._of:
                return self._answer
            if not self._is_asking:
                self._is_asking = True
                Thread(target=self._ask, args=(depends_on,), name="reading", daemon=True).start()
            patience = PATIENCE_SECONDS if self._is_known else FIRST_SECONDS
            self._changed.wait_for(lambda: not self._is_asking, patience)
            return self._answer

    def _ask(self, depends_on: Hashable | None) -> None:
        found: list[T] = []
        try:
            found.append(self._read())
        except BeistandError:
            pass  # told by who reads
        finally:
            with self._changed:
                if found:
                    self._answer = found[0]
                self._of, self._is_known, self._is_asking = depends_on, True, False
                self._changed.notify_all()


def state_of(paths: Iterable[str]) -> Hashable | None:
    """Return what changes whenever one of these files does; None: one changed so lately that it may do so unseen."""
    found: list[tuple[str, tuple[int, int, int, int] | None]] = []
    for path in paths:
        try:
            found.append((path, stamp(os.lstat(path))))
        except OSError:
            found.append((path, None))
    newest = max((each[0] for _, each in found if each), default=0)
    return tuple(found) if newest < time.time_ns() - CLOCK_TICK_NS else None
