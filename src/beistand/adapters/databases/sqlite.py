"""Dump SQLite files while the PBX writes to them (port `Databases`).

Asterisk's call record writers try five times with 200 µs between and then lose the record (FIGURES section 9):
the lock of a copy must be shorter than that, and the file free at least as long in between.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from beistand.adapters.databases.open_changes import wait_for_commit
from beistand.adapters.durable_file import publish, sync_file
from beistand.adapters.durable_stream import DurableStream, told_as_failure
from beistand.adapters.hashing import file_digest, stamp
from beistand.adapters.owners import Owners
from beistand.domain.errors import Failed, NoSpace
from beistand.domain.profile import Database
from beistand.domain.value import Value
from beistand.ports.files import Dumped

STEP_BYTES = 256 << 10
"""Copied under one lock: 0.1 to 0.3 ms from the page cache."""
PAUSE_SECONDS = 0.0005
"""Between two locks: a writer that asks every 200 µs finds the file free."""
ONE_STEP_BYTES = 1 << 20
"""Up to this size the whole file is one step; astdb nearly always is."""
LIMIT_SECONDS = 20.0
"""A commit makes the copy begin anew: this long it is tried."""
CLOCK_TICK_NS = 2_000_000_000
"""A change this close before the dump may be followed by another one with the same time."""


class Source(Value, frozen=True, kw_only=True):
    """Of which file, in which state, a dump was made."""

    stamps: tuple[tuple[int, int, int, int] | None, ...]
    dumped: Dumped


class SqliteDatabases:
    def __init__(self, now: Callable[[], int] = time.time_ns, limit: float = LIMIT_SECONDS) -> None:
        self._now = now
        self._limit = limit

    def dump(self, database: Database, into: Path) -> Dumped | None:
        live = Path(database.name)
        stamps = _stamps(live)
        if stamps[0] is None:
            return None
        note = into.with_name(into.name + ".source")
        last = _read_note(note)
        if last is not None and last.stamps == stamps and into.exists():
            return last.dumped
        settled = all(each is None or each[0] < self._now() - CLOCK_TICK_NS for each in stamps)
        draft = into.with_name(f".{into.name}.draft")
        with told_as_failure(into):
            into.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            for each in (draft, note):
                each.unlink(missing_ok=True)
        try:
            self._copy(live, draft)
            dumped = _described(live, draft)
            with told_as_failure(into):
                sync_file(draft)
                publish(draft, into)
        finally:
            draft.unlink(missing_ok=True)
        if settled:
            with DurableStream(draft) as stream:
                stream.write(msgspec.json.encode(Source(stamps=stamps, dumped=dumped)))
                stream.keep(note)
        return dumped

    def settle(self, database: Database, seconds: float) -> None:
        wait_for_commit(Path(database.name), seconds)

    def _copy(self, live: Path, draft: Path) -> None:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        pace = _Pace(str(live), time.monotonic() + self._limit)
        try:
            _warm(live)
            if _is_wal(live):
                _copy_beside_writers(live, draft, pace)
            else:
                _copy_between_writers(live, draft, pace)
            _check(live, draft)
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise NoSpace("disk-full", path=str(draft.parent)) from error
            raise Failed("database-not-dumped", database=str(live), why=str(error)) from error


def _is_wal(live: Path) -> bool:
    with _told_as_unreadable(live), live.open("rb") as file:
        return file.read(20)[18:19] == b"\x02"  # read version (sqlite.org/fileformat2.html section 1.3)


def _copy_beside_writers(live: Path, draft: Path, pace: "_Pace") -> None:
    """With a write-ahead log no reader keeps a writer waiting: SQLite's own backup."""
    with closing(sqlite3.connect(draft)) as target, closing(_connect(live)) as source:
        # Nobody reads the draft before it is synced and renamed.
        target.execute("PRAGMA journal_mode = OFF")
        target.execute("PRAGMA synchronous = OFF")
        source.backup(target, pages=64, progress=pace.after_step, sleep=PAUSE_SECONDS)


def _copy_between_writers(live: Path, draft: Path, pace: "_Pace") -> None:
    """Read the file piece by piece under SQLite's shared lock, and write outside of it.

    SQLite's own backup writes its target while it holds the lock: on a busy disk for many milliseconds, and
    call records were lost. As with it, a commit in between makes the copy begin anew.
    """
    # Closing any descriptor of a file ends all POSIX locks of the process on it (fcntl(2)): ours is closed last.
    with (
        _told_as_unreadable(live),
        live.open("rb", buffering=0) as file,
        draft.open("wb", buffering=0) as out,
    ):
        size = os.fstat(file.fileno()).st_size
        step = max(STEP_BYTES, size) if size <= ONE_STEP_BYTES else STEP_BYTES
        moment, done = b"", 0
        while True:
            with _first_in_line(), closing(_connect(live)) as source:
                now, piece = _read_locked(source, file.fileno(), step, done)
            if now != moment:
                moment, begins_anew, done = now, done > 0, 0
                out.truncate(0)
                out.seek(0)
                if begins_anew:
                    pace.after_step(0, 1, 1)
                    continue
            out.write(piece)
            done += len(piece)
            if len(piece) < step:
                return
            pace.after_step(0, 1, 1)


def _read_locked(source: sqlite3.Connection, file: int, step: int, at: int) -> tuple[bytes, bytes]:
    """Return which moment of the database this is (its change counter), and the piece of the file."""
    source.execute("BEGIN")
    source.execute("PRAGMA schema_version").fetchone()  # takes the lock; rolls back what a crash left
    moment, piece = os.pread(file, 4, 24), os.pread(file, step, at)
    source.execute("ROLLBACK")
    return moment, piece


class _Pace:
    """Gives the writers their time between two steps, and gives up when they never stop."""

    def __init__(self, database: str, deadline: float) -> None:
        self._database = database
        self._deadline = deadline

    def after_step(self, _status: int, remaining: int, _total: int) -> None:
        if remaining and time.monotonic() > self._deadline:
            raise Failed("database-busy", database=self._database)
        time.sleep(PAUSE_SECONDS)


@contextmanager
def _first_in_line() -> Iterator[None]:
    """Let this thread run before all ordinary ones.

    On a busy machine the scheduler would take the processor away in the middle of a step, lock held, for
    several milliseconds: 1 to 4 call records of 150 were lost that way.
    """
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        yield  # a container without CAP_SYS_NICE: as good as it gets there
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameter)


@contextmanager
def _told_as_unreadable(live: Path) -> Iterator[None]:
    """Turn an OSError of reading into Failed `database-not-dumped`."""
    try:
        yield
    except OSError as error:
        raise Failed("database-not-dumped", database=str(live), why=error.strerror or str(error)) from error


def _connect(live: Path) -> sqlite3.Connection:
    # rw, not ro: a journal that a crash of the PBX left behind must be rolled back to read the file at all.
    # SQLite gives the companions it makes to the owner of the database.
    name = f"file:{quote(os.fsencode(live))}?mode=rw"
    return sqlite3.connect(name, uri=True, timeout=1.0, isolation_level=None)


def _warm(live: Path) -> None:
    """Bring the file into the page cache: a step must never wait for the disk under its lock."""
    with _told_as_unreadable(live), live.open("rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


def _check(live: Path, draft: Path) -> None:
    with closing(sqlite3.connect(draft)) as target:
        answer = target.execute("PRAGMA quick_check(1)").fetchone()[0]
    if answer != "ok":
        raise Failed("database-not-dumped", database=str(live), why=str(answer))


def _described(live: Path, draft: Path) -> Dumped:
    owners = Owners()
    with _told_as_unreadable(live):
        status = live.stat()
        digest, size = file_digest(draft)
    return Dumped(
        size=size,
        digest=digest,
        mode=status.st_mode & 0o777,
        owner=owners.user(status.st_uid),
        group=owners.group(status.st_gid),
    )


def _stamps(live: Path) -> tuple[tuple[int, int, int, int] | None, ...]:
    """Return what changes with every commit; None for a file that is not there."""
    found: list[tuple[int, int, int, int] | None] = []
    for end in ("", "-journal", "-wal"):
        try:
            found.append(stamp(os.stat(f"{live}{end}")))
        except (FileNotFoundError, NotADirectoryError):
            found.append(None)
    return tuple(found)


def _read_note(note: Path) -> Source | None:
    try:
        return msgspec.json.decode(note.read_bytes(), type=Source)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
