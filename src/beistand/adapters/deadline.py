"""A deadline for a connection and for each step on it: also where the other end sends a byte now and then."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Timer
from time import monotonic


class Deadline:
    """Ends the connection it watches when a step, or everything together, lasts too long."""

    def __init__(self, whole: float) -> None:
        self._end = monotonic() + whole
        self._lock = Lock()
        self._watched: socket.socket | None = None
        self._until = self._end
        self.seconds = whole
        """How long the present step may last; less than usual where the whole is nearly over."""
        self.is_over = False

    @contextmanager
    def step(self, seconds: float) -> Iterator[None]:
        """Give what happens inside this time at most."""
        now = monotonic()
        self._until = min(now + seconds, self._end)
        self.seconds = round(max(0.1, self._until - now), 1)
        timer = Timer(self.seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def left(self) -> float:
        """Return the seconds that this step still has; never 0, which would mean none at all to a socket."""
        return max(0.1, self._until - monotonic())

    def watch(self, connection: socket.socket) -> None:
        """Know the connection by a descriptor of its own: it may be wrapped for encryption later."""
        with self._lock:
            self._watched = socket.socket(fileno=os.dup(connection.fileno()))

    def end(self) -> None:
        with self._lock:
            if self._watched is not None:
                self._watched.close()
                self._watched = None

    def _cut(self) -> None:
        self.is_over = True
        with self._lock:
            if self._watched is not None:
                with suppress(OSError):
                    self._watched.shutdown(socket.SHUT_RDWR)
