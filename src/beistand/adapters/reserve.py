"""Room on the file system of the state that is kept for what must be written on a full disk (F2)."""

import os
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TypeVar

from beistand.domain.errors import NoSpace

T = TypeVar("T")
BYTES = 1 << 20
"""A takeover writes its plan about ten times, 8 to 20 KiB each; the rest is for whoever takes what was given up."""
PIECE = BYTES // 8
HALF = BYTES // 2
"""Stays for the grant when an alarm uses the reserve."""


class Reserve:
    """A preallocated file. It is given up in pieces: another program may take each one before we do."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = Lock()

    def with_room(self, act: Callable[[], T], *, keep: int = 0) -> T:
        """Act; on a full disk again with more and more of the reserve given up, down to `keep` bytes of it.

        Raises what `act` raises, NoSpace once nothing helps.
        """
        while True:
            try:
                return act()
            except NoSpace:
                if not self.give_up_piece(keep=keep):
                    raise

    def give_up_piece(self, *, keep: int = 0) -> bool:
        """Free a piece; return False where there was none to free."""
        with self._lock:
            left = self._size()
            if left <= keep:
                return False
            try:
                os.truncate(self._file, max(keep, left - PIECE))
            except OSError:
                return False
            return True

    def refill(self) -> bool:
        """Make it whole again if there is room for twice as much; return whether it is whole."""
        with self._lock:
            if self._size() >= BYTES:
                return True
            try:
                figures = os.statvfs(self._file.parent)
                if figures.f_bavail * figures.f_frsize < 2 * BYTES:
                    return False
                handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
                try:
                    os.posix_fallocate(handle, 0, BYTES)
                finally:
                    os.close(handle)
            except OSError:
                return False
            return True

    def _size(self) -> int:
        try:
            return self._file.stat().st_size
        except OSError:
            return 0
