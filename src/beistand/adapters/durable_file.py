"""Write a file that others read: the old content or the new, never a part, and on disk when it returns."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from beistand.domain.errors import Failed, NoSpace

Owner = tuple[int, int]
"""User and group."""


def write_durably(path: Path, body: bytes, *, mode: int = 0o644, owner: Owner | None = None) -> None:
    """Make this the file's content; without `owner` it is ours.

    Raises NoSpace `disk-full`, Failed `file-not-written`.
    """
    try:
        make_folders(path.parent)
        with opened_durably(path, mode, owner) as file:
            file.write(body)
    except OSError as error:
        raise not_written(path, error) from error


def not_written(path: Path, error: OSError) -> Failed:
    """Return what an OSError of writing means: NoSpace `disk-full` or Failed `file-not-written`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace("disk-full", path=str(path))
    return Failed("file-not-written", path=str(path), why=error.strerror or str(error))


@contextmanager
def opened_durably(path: Path, mode: int = 0o600, owner: Owner | None = None) -> Iterator[BinaryIO]:
    """Give a file to write: published under its name when the block has ended, gone after any error.

    Write beside, fsync, rename, fsync of the folder (rename(2), fsync(2)). Raises OSError.
    """
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        os.rename(beside, path)
    except BaseException:
        with suppress(
            OSError
        ):  # a disk that takes nothing lets nothing go: the first error is the one to tell
            os.unlink(beside)
        raise
    sync_folder(path.parent)


def publish(draft: Path, path: Path) -> None:
    """Rename a draft that is on disk to its place, and see the name on disk, too. Raises OSError."""
    os.rename(draft, path)
    sync_folder(path.parent)


def remove_durably(path: Path) -> None:
    """Remove a file, and see on disk that it is gone, also where it was gone already: a kill may have come between.

    For what would count again if a power cut brought it back. Raises Failed `file-not-written`.
    """
    try:
        path.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            sync_folder(path.parent)
    except OSError as error:
        raise not_written(path, error) from error


def make_folders(path: Path, mode: int = 0o777) -> None:
    """Make a folder and those above it that are missing, each name on disk. Raises OSError.

    What is written durably into a folder is lost with the folder where that one's own name was not (fsync(2)).
    """
    if path.is_dir():
        return
    make_folders(path.parent)
    path.mkdir(mode=mode, exist_ok=True)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """See what another program wrote on disk. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """See the names in a folder on disk. Raises OSError."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
