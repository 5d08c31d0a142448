"""How a long act tells how far it is, and learns that a person ended it."""

from threading import Event
from typing import Protocol


class Progress(Protocol):
    cancelled: Event
    """Set when a person ended the job; for what waits inside another program."""

    def stage(self, code: str) -> None:
        """Begin a stage; checks for cancelling as `check` does."""

    def advance(self, done: int, total: int) -> None:
        """Tell how far the stage is, in its own units; total 0: unknown."""

    def check(self) -> None:
        """Raise Cancelled when a person ended the job."""
