"""A job that nobody watches."""

from threading import Event

from beistand.domain.errors import Cancelled


class FakeProgress:
    """Port Progress. `cancel_at` ends the job at the n-th check, to cut an operation anywhere."""

    def __init__(self, cancel_at: int = 0) -> None:
        self.cancelled = Event()
        self.stages: list[str] = []
        self.checks = 0
        self.told = (0, 0)
        """How far the stage is, as was said last."""
        self._cancel_at = cancel_at

    def stage(self, code: str) -> None:
        self.check()
        self.stages.append(code)

    def enter(self, code: str, within_seconds: float = 0.0) -> None:
        assert within_seconds >= 0
        self.stages.append(code)

    def turn_back(self, code: str) -> None:
        self.stages.append(code)

    def advance(self, done: int, total: int) -> None:
        assert done >= 0
        assert total == 0 or done <= total
        self.told = (done, total)

    def check(self) -> None:
        self.checks += 1
        if self.checks == self._cancel_at:
            self.cancelled.set()
        if self.cancelled.is_set():
            raise Cancelled
