"""Copy an SQLite database that others write to, without opening it as a database.

Nothing of SQLite runs on the file of the PBX: no journal of it is rolled back there, no schema of it is parsed there.
Only bytes are copied, under the locks that SQLite's own readers take (sqlite.org/lockingv3.html, os.h).

Asterisk's call record writers try five times with 200 µs between and then lose the record (FIGURES section 9):
the lock of a copy must be shorter than that, and the file free at least as long in between. On a busy machine the
scheduler would take the processor away in the middle of a step, lock held, for several milliseconds, and 1 to 4 call
records of 150 were lost that way: so the copy runs before all ordinary processes.
"""

import fcntl
import os
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from beistand.reader.confine import back_in_line
from beistand.reader.refusal import Refusal

COPY = "copy"
"""The name of the copy in the scratch folder."""
STEP_BYTES = 256 << 10
"""Copied under one lock: 0.1 to 0.3 ms from the page cache."""
PAUSE_SECONDS = 0.0005
"""Between two locks: a writer that asks every 200 µs finds the file free."""
ONE_STEP_BYTES = 1 << 20
"""Up to this size the whole file is one step; astdb nearly always is."""
BUSY_SECONDS = 1.0
"""How long one lock is asked for."""
PENDING, RESERVED, SHARED, SHARED_BYTES = 0x40000000, 0x40000001, 0x40000002, 510
CHECKPOINT = 121
"""The byte of the shared-memory file that whoever copies the log into the database locks (walformat.html)."""
OFD_GETLK = 36
"""F_OFD_GETLK of fcntl(2): who would stand in the way of a lock; takes none."""
_LOCK = struct.Struct("hhqqi4x")
_MAGIC = bytes.fromhex("d9d505f920a163d7")
"""The end of a journal that names another one (sqlite.org/fileformat.html, super-journal)."""
WAL_HEAD = 32


def take(files: Mapping[str, int], seconds: float) -> None:
    """Copy the database into the working folder, and what must be applied to it beside it.

    Raises Refusal `reading-busy`, `reading-moved` (another file stands there now), `reading-journal`; OSError.
    """
    try:
        _take(files, seconds)
    finally:
        back_in_line()


def _take(files: Mapping[str, int], seconds: float) -> None:
    database = files["database"]
    _warm(database)
    end = time.monotonic() + seconds
    if os.pread(database, 20, 0)[18:19] == b"\x02":  # read version (fileformat2.html section 1.3)
        _with_its_log(files, end)
    elif not _with_its_journal(files):
        _between_writers(database, end)


def is_reserved(database: int) -> bool:
    """Return whether a writer has a transaction open that is not committed yet."""
    wanted = _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, RESERVED, 1, 0)
    kind, *_ = _LOCK.unpack(fcntl.fcntl(database, OFD_GETLK, wanted))
    return bool(kind != fcntl.F_UNLCK)


def _between_writers(database: int, end: float) -> None:
    """Read the file piece by piece, and write outside of the lock. A commit in between makes it begin anew."""
    out = _created(COPY)
    try:
        size = os.fstat(database).st_size
        step = max(STEP_BYTES, size) if size <= ONE_STEP_BYTES else STEP_BYTES
        moment, done = b"", 0
        while True:
            with _shared(database):
                now, piece = os.pread(database, 4, 24), os.pread(database, step, done)
            if now != moment:
                moment, begins_anew, done = now, done > 0, 0
                os.ftruncate(out, 0)
                os.lseek(out, 0, os.SEEK_SET)
                if begins_anew:
                    _pause(end)
                    continue
            _write(out, piece)
            done += len(piece)
            if len(piece) < step:
                return
            _pause(end)
    finally:
        os.close(out)


def _with_its_journal(files: Mapping[str, int]) -> bool:
    """Copy both, where a crash left a journal that must be rolled back; return whether that is so."""
    if "journal" not in files:
        return False
    database, journal = files["database"], files["journal"]
    with _shared(database):
        status = os.fstat(journal)
        is_left = status.st_nlink and status.st_size and os.pread(journal, 1, 0) != b"\0"
        if not is_left or is_reserved(database):
            return False
        if os.pread(journal, len(_MAGIC), max(0, status.st_size - len(_MAGIC))) == _MAGIC:
            # Rolling back would look for that journal, and delete it: no PBX writes such a one.
            raise Refusal("reading-journal")
        _copied(database, COPY)
        _copied(journal, f"{COPY}-journal")
    return True


def _with_its_log(files: Mapping[str, int], end: float) -> None:
    """Copy both while nobody may move the log into the database; with a log no writer waits for a reader."""
    database = files["database"]
    while True:
        with _shared(database), _no_checkpoint(files):
            for each in files.values():
                if not os.fstat(each).st_nlink:
                    raise Refusal("reading-moved")
            head = _head(files)
            _copied(database, COPY)
            if "wal" in files:
                _copied(files["wal"], f"{COPY}-wal")
            if head == _head(files):
                return
        _pause(end)


def _head(files: Mapping[str, int]) -> bytes:
    """Return what changes when a writer begins the log anew."""
    return os.pread(files["wal"], WAL_HEAD, 0) if "wal" in files else b""


@contextmanager
def _no_checkpoint(files: Mapping[str, int]) -> Iterator[None]:
    if "shm" not in files:
        yield
        return
    _until_free(lambda: _try(files["shm"], CHECKPOINT, 1))
    try:
        yield
    finally:
        fcntl.lockf(files["shm"], fcntl.LOCK_UN, 1, CHECKPOINT)


@contextmanager
def _shared(database: int) -> Iterator[None]:
    """Hold the lock of a reader. Raises Refusal `reading-busy`."""
    _until_free(lambda: _try_shared(database))
    try:
        yield
    finally:
        fcntl.lockf(database, fcntl.LOCK_UN, SHARED_BYTES, SHARED)


def _try_shared(database: int) -> None:
    """Take it as SQLite does: not while a writer is about to write."""
    _try(database, PENDING, 1)
    try:
        _try(database, SHARED, SHARED_BYTES)
    finally:
        fcntl.lockf(database, fcntl.LOCK_UN, 1, PENDING)


def _try(file: int, at: int, count: int) -> None:
    fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, count, at)


def _until_free(take: Callable[[], None]) -> None:
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            take()
        except (BlockingIOError, PermissionError):
            if time.monotonic() > end:
                raise Refusal("reading-busy") from None
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _pause(end: float) -> None:
    if time.monotonic() > end:
        raise Refusal("reading-busy")
    time.sleep(PAUSE_SECONDS)


def _warm(database: int) -> None:
    """Bring the file into the page cache: a step must never wait for the disk under its lock."""
    at = 0
    while piece := os.pread(database, 1 << 20, at):
        at += len(piece)
        _let_others_run()


def _let_others_run() -> None:
    """Sleep a moment: on a busy machine this process runs before all others while it copies."""
    time.sleep(0.00005)


def _copied(file: int, name: str) -> None:
    out, at = _created(name), 0
    try:
        while piece := os.pread(file, 1 << 20, at):
            _write(out, piece)
            at += len(piece)
            _let_others_run()
    finally:
        os.close(out)


def _created(name: str) -> int:
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _write(out: int, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(out, rest) :]
