"""Is a copied SQLite file whole? A reader says so; it came from another machine."""

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from beistand.adapters.readers import SCRATCH, Readers, Scratch
from beistand.domain.errors import Failed
from beistand.reader.asking import CheckDatabase, Done, Limits
from beistand.reader.snapshot import COPY

BYTES_A_SECOND = 10 << 20
"""A slow disk reads a database from one end to the other that fast."""
LEAST_SECONDS = 30.0


def seconds_for(size: int) -> float:
    """Return how long a database of so many bytes may take to be looked through."""
    return LEAST_SECONDS + size / BYTES_A_SECOND


def sqlite_problem(readers: Readers, name: str, folder: int, check: Callable[[], None]) -> str:
    """Return what is wrong with a database in a folder that is ours alone, empty if nothing. `check` may raise.

    The reader sees it under a second name in a folder of its own, and as somebody who may only read it.
    Raises OSError.
    """
    room = f"{SCRATCH}{name}"
    with ExitStack() as stack:
        file = _opened(stack, name, os.O_RDONLY | os.O_NONBLOCK, folder)
        status = os.fstat(file)
        _remove(room, folder)
        os.mkdir(room, 0o700, dir_fd=folder)
        stack.callback(_remove, room, folder)
        handle = _opened(stack, room, os.O_RDONLY | os.O_DIRECTORY, folder)
        os.link(name, COPY, src_dir_fd=folder, dst_dir_fd=handle)
        stack.callback(os.fchmod, file, stat.S_IMODE(status.st_mode))
        os.fchmod(file, stat.S_IMODE(status.st_mode) | 0o444)
        os.fchmod(handle, 0o711)
        seconds = seconds_for(status.st_size)
        try:
            readers.ask(
                CheckDatabase(),
                Done,
                name,
                {},
                scratch=Scratch(Path(room), handle),
                limits=Limits(seconds=int(seconds)),
                seconds=seconds,
                check=check,
            )
        except Failed as error:
            return str(error.message.fields.get("why") or error.message)
    return ""


def _opened(stack: ExitStack, name: str, flags: int, folder: int) -> int:
    handle = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    stack.callback(os.close, handle)
    return handle


def _remove(name: str, folder: int) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(name, dir_fd=folder)
