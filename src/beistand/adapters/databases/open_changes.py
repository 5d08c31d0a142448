"""Changes of an SQLite file that a writer has made and not committed, told from the files alone."""

import os
import stat
import time
from pathlib import Path

JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
"""A rollback journal begins with it while its transaction is open (sqlite.org/fileformat2.html section 3)."""
COUNTER = slice(24, 28)
"""The file change counter: it moves with each commit (section 1.3.8)."""
POLL_SECONDS = 0.01


def wait_for_commit(database: Path, seconds: float) -> None:
    """Return when the transaction that is open now is committed or taken back, after so many seconds at most."""
    end = time.monotonic() + seconds
    if not _is_open(database):
        return
    before = _head(database)[COUNTER]
    while time.monotonic() < end:
        time.sleep(POLL_SECONDS)
        # The writer may have begun the next one already: then the counter tells.
        if not _is_open(database) or _head(database)[COUNTER] != before:
            return


def _is_open(database: Path) -> bool:
    return _head(Path(f"{database}-journal")).startswith(JOURNAL_MAGIC)


def _head(path: Path) -> bytes:
    """Return the first bytes of a regular file; nothing where there is none."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.pread(file, COUNTER.stop, 0) if stat.S_ISREG(os.fstat(file).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(file)
