"""The SQLite file behind the store: opened, checked, brought up to date, changed in whole transactions."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock, RLock, get_ident
from typing import Any

from beistand.adapters.durable_file import make_folders, sync_folder
from beistand.adapters.reserve import Reserve
from beistand.domain.errors import BeistandError, Failed, NoSpace, Refused

LITTLE = 64 << 10
"""Bytes: with less free, an error that SQLite has no better name for is one of a full disk."""

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE standing (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            me TEXT NOT NULL,
            side TEXT NOT NULL,
            current_grant BLOB,
            own_epoch INTEGER NOT NULL DEFAULT 0,
            settled_epoch INTEGER NOT NULL DEFAULT 0
        ) STRICT""",
        "CREATE TABLE journal (only INTEGER PRIMARY KEY CHECK (only = 1), plan BLOB NOT NULL) STRICT",
        "CREATE TABLE setting (name TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT",
        "CREATE TABLE document (name TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT",
        "CREATE TABLE sequence (epoch INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT",
        """CREATE TABLE copy (
            generation TEXT PRIMARY KEY,
            epoch INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            state TEXT NOT NULL,
            body BLOB NOT NULL
        ) STRICT""",
        "CREATE INDEX copy_by_lineage ON copy (epoch, sequence)",
        "CREATE TABLE event (number INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL) STRICT",
    ),
    (
        """CREATE TABLE outbox (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            occasion TEXT NOT NULL,
            recipient TEXT NOT NULL,
            state TEXT NOT NULL,
            body BLOB NOT NULL,
            UNIQUE (occasion, recipient)
        ) STRICT""",
        "CREATE INDEX outbox_by_state ON outbox (state, number)",
    ),
    (
        "ALTER TABLE event ADD COLUMN room TEXT NOT NULL DEFAULT 'told'",
        """UPDATE event SET room = CASE WHEN instr(CAST(body AS TEXT), '"refused":') THEN 'refused' ELSE 'done' END
            WHERE instr(CAST(body AS TEXT), '"code":"audit.')""",
        "CREATE INDEX event_by_room ON event (room, number)",
    ),
)
"""Each entry brings the file from its index to the next `user_version`; old entries never change."""


class StateFile:
    """A connection for changes and one for reading, each used by one thread at a time.

    Two, so that a commit that waits for a slow disk keeps nobody from what is known (sqlite.org/wal.html: "readers do
    not block writers and a writer does not block readers").
    Raises Failed `state-damaged` and `state-not-written`, NoSpace `state-disk-full`,
    Refused `state-from-newer-version`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = RLock()
        self._reading = Lock()
        self._changes_in: int | None = None
        """The thread that is inside a transaction: it sees its own changes."""
        _create(path)
        self.reserve = Reserve(path.with_suffix(".reserve"))
        # SQLite makes companions of the file before it can be read: also an appliance with a full disk starts.
        self._db = self.reserve.with_room(self._opened)
        with self._told():
            self._reader = self._connect()
        with contextlib.suppress(NoSpace):
            self.gather()
        self.reserve.refill()

    def close(self) -> None:
        with self._lock, self._reading:
            self._reader.close()
            self._db.close()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if self._changes_in == get_ident():
            with self._told():
                return self._db.execute(sql, values).fetchall()
        with self._reading, self._told():
            return self._reader.execute(sql, values).fetchall()

    @contextlib.contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside one transaction: durable when the block has ended, undone by any error.

        Raises Refused `state-value` where a value fits in no column: a number above 2^63-1, half a surrogate.
        """
        with self._lock, self._told():
            try:
                with self._changing(), _transaction(self._db):
                    yield self._db
            except (OverflowError, UnicodeEncodeError) as error:
                raise Refused("state-value", why=str(error)) from error
            except sqlite3.DatabaseError as error:
                if self._is_full(error):
                    # The next change is written over what is gathered now: it needs no more room than there was.
                    with contextlib.suppress(sqlite3.Error):
                        self._db.execute("PRAGMA wal_checkpoint(RESTART)")
                raise

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        self._changes_in = get_ident()
        try:
            yield
        finally:
            self._changes_in = None

    def gather(self) -> None:
        """Bring everything into the one file, so that a copy of it alone is whole (sqlite.org/wal.html)."""
        with self._lock, self._told():
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _opened(self) -> sqlite3.Connection:
        with self._told():
            db = self._connect()
            try:
                self._migrate(db)
            except (sqlite3.Error, BeistandError):
                db.close()
                raise
            return db

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=10.0)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            # FULL, not NORMAL: in WAL mode NORMAL may lose the last commit on power loss.
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA trusted_schema = OFF")
        except sqlite3.Error:
            db.close()
            raise
        return db

    def _migrate(self, db: sqlite3.Connection) -> None:
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise Failed("state-damaged", path=str(self._path), why=verdict)
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise Refused(
                "state-from-newer-version", path=str(self._path), found=version, known=len(MIGRATIONS)
            )
        for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
            with _transaction(db):
                for statement in statements:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {number}")

    def _is_full(self, error: sqlite3.DatabaseError) -> bool:
        code = error.sqlite_errorcode & 0xFF
        return code == sqlite3.SQLITE_FULL or (code not in DAMAGED and _free(self._path) < LITTLE)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Say in the project's words what SQLite says in its own."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            path, why, code = str(self._path), str(error), error.sqlite_errorcode & 0xFF
            if self._is_full(error):
                raise NoSpace("state-disk-full", path=path) from error
            if code in DAMAGED:
                raise Failed("state-damaged", path=path, why=why) from error
            raise Failed("state-not-written", path=path, why=why) from error


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # A full disk may have ended the transaction already.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _free(path: Path) -> int:
    try:
        figures = os.statvfs(path.parent)
    except OSError:
        return LITTLE  # whatever it is, it is no full disk
    return figures.f_bavail * figures.f_frsize


def _create(path: Path) -> None:
    """Make the empty file, for root only from its first moment; SQLite gives its companions the same mode."""
    try:
        make_folders(path.parent, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
        sync_folder(path.parent)
    except OSError as error:
        raise Failed("state-not-written", path=str(path), why=error.strerror or str(error)) from error
