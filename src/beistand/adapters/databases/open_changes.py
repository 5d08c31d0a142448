"""Changes of an SQLite file that a writer has made and not committed, told without opening it as a database."""

import os
import stat
import time
from pathlib import Path

from beistand.reader.snapshot import is_reserved

COUNTER = slice(24, 28)
"""The file change counter: it moves with each commit (sqlite.org/fileformat2.html section 1.3.8)."""
POLL_SECONDS = 0.01


def wait_for_commit(database: Path, seconds: float) -> None:
    """Return when the transaction that is open now is committed or taken back, after so many seconds at most.

    A journal left by a crash, or one of a mode that keeps its file, is no open transaction.
    """
    try:
        file = os.open(database, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if stat.S_ISREG(os.fstat(file).st_mode):
            _wait(file, time.monotonic() + seconds)
    except OSError:
        return  # the dump, which comes next, tells what is wrong with it
    finally:
        os.close(file)


def _wait(file: int, end: float) -> None:
    before = _counter(file)
    # The writer may have begun the next one already: then the counter tells.
    while is_reserved(file) and _counter(file) == before and time.monotonic() < end:
        time.sleep(POLL_SECONDS)


def _counter(file: int) -> bytes:
    return os.pread(file, COUNTER.stop, 0)[COUNTER]
