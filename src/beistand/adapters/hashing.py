"""Hash a file that others may write to."""

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from beistand.adapters.folders import Folders
from beistand.domain.errors import Failed
from beistand.domain.manifest import shown
from beistand.ports.progress import Progress

PIECE = 1 << 20
TRIES = 3
"""A file that is written in one go settles at once; one that grows all the time never does."""


@dataclass(frozen=True, slots=True)
class Content:
    status: os.stat_result
    """Of the moment at which the content was exactly this."""
    digest: str


class Growing(Exception):
    """It changed at every try."""


def read_content(path: str, job: Progress, folders: Folders) -> Content | None:
    """Return what the file holds; None where no regular file is there any more.

    Raises Growing; Failed `file-unreadable`; Cancelled.
    """
    try:
        for _ in range(TRIES):
            content = _read_once(path, job, folders)
            if content is None or content.digest:
                return content
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None  # O_NOFOLLOW: it was a file a moment ago
        raise Failed("file-unreadable", path=shown(path), why=error.strerror or str(error)) from error
    raise Growing(path)


def _read_once(path: str, job: Progress, folders: Folders) -> Content | None:
    with folders.opened(os.path.dirname(path)) as folder:
        # O_NONBLOCK: a FIFO put in the file's place must not stop the cycle.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(os.path.basename(path), flags, dir_fd=folder)
    try:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            return None
        digest, size = hashlib.sha256(), 0
        while piece := os.read(handle, PIECE):
            digest.update(piece)
            size += len(piece)
            job.check()
            if size > before.st_size:
                break
        after = os.fstat(handle)
    finally:
        os.close(handle)
    settled = size == after.st_size and stamp(before) == stamp(after)
    return Content(after, digest.hexdigest() if settled else "")


def file_digest(path: Path) -> tuple[str, int]:
    """Return SHA-256 and size of a file that nobody else writes to. Raises OSError."""
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size


def stamp(status: os.stat_result) -> tuple[int, int, int, int]:
    """Return what changes whenever the file does."""
    return (status.st_ctime_ns, status.st_mtime_ns, status.st_ino, status.st_size)
