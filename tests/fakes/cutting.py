"""Cut an operation at its n-th effect on the real disk, before it, after it, or in its middle."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any, BinaryIO

from beistand.adapters.disk import LocalDisk


class Crash(BaseException):
    """The power is gone. Not an Exception: no handler may survive it."""


class When(Enum):
    BEFORE = auto()
    AFTER = auto()


@dataclass
class Scissors:
    """Counts effects; the one with the number `at` (from 0) is the last."""

    at: int = -1
    when: When = When.BEFORE
    count: int = 0

    def __call__(self, change: Callable[[], Any]) -> Any:
        here = self.count == self.at
        self.count += 1
        if here and self.when is When.BEFORE:
            raise Crash
        result = change()
        if here:
            raise Crash
        return result


EFFECTS = [
    "write",
    "remove",
    "prepare",
    "stage_file",
    "stage_link",
    "clear",
    "take",
    "place",
    "make_folder",
    "remove_folder",
    "set_folder",
    "settle",
]


class CutDisk(LocalDisk):
    """The real adapter, whose every effect passes the scissors."""

    scissors: Scissors

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in EFFECTS:
            return found
        scissors = super().__getattribute__("scissors")
        return lambda *given, **named: scissors(lambda: found(*given, **named))

    @contextmanager
    def create(self, path: Path) -> Iterator[BinaryIO]:
        with super().create(path) as file:
            yield file
            if self.scissors.count == self.scissors.at:
                (path.parent / f".{path.name}.draft").write_bytes(b"half a line")
            self.scissors(lambda: None)

    def discard(self, mount: str, undo: str, check: Callable[[], None]) -> None:
        self.scissors(lambda: self._tear(Path(mount, ".beistand", undo)))
        self.scissors(lambda: LocalDisk.discard(self, mount, undo, check))

    @staticmethod
    def _tear(undo: Path) -> None:
        """Remove half of it."""
        for above, _, files in os.walk(undo):
            for name in sorted(files)[::2]:
                os.unlink(os.path.join(above, name))


class CutManifests:
    """The real folder of manifests, cut likewise."""

    def __init__(self, real: Any, scissors: Scissors) -> None:
        self._real = real
        self._scissors = scissors

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @contextmanager
    def draft(self) -> Iterator[Any]:
        with self._real.draft() as draft:
            yield _CutDraft(draft, self._scissors)

    def prune(self, keep: Any) -> None:
        self._scissors(lambda: self._real.prune(keep))


class _CutDraft:
    def __init__(self, real: Any, scissors: Scissors) -> None:
        self.add = real.add
        self.keep = lambda: scissors(real.keep)
