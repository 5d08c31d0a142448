"""How a long act tells how far it is, and learns that a person ended it."""

from threading import Event
from typing import Protocol


class Progress(Protocol):
    cancelled: Event
    """Set when a person ended the job; for what waits inside another program."""

    def stage(self, code: str) -> None:
        """Begin a stage; checks for cancelling as `check` does."""

    def enter(self, code: str, within_seconds: float = 0.0) -> None:
        """Begin a stage that cancelling does not end any more; `within_seconds`: it lasts no longer (0: not said)."""

    def turn_back(self, code: str) -> None:
        """Begin a stage that takes back what was done, which nothing ends; the one before it is where it failed."""

    def advance(self, done: int, total: int) -> None:
        """Tell how far the stage is, in its own units; total 0: unknown."""

    def check(self) -> None:
        """Raise Cancelled when a person ended the job."""


class Unwatched:
    """Port Progress of an act that nobody watches and nothing ends."""

    def __init__(self) -> None:
        self.cancelled = Event()

    def stage(self, code: str) -> None: ...
    def enter(self, code: str, within_seconds: float = 0.0) -> None: ...
    def turn_back(self, code: str) -> None: ...
    def advance(self, done: int, total: int) -> None: ...
    def check(self) -> None: ...


UNWATCHED = Unwatched()
