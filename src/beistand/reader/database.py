"""Ask a copy of an SQLite database; its schema is somebody else's (sqlite.org/security.html)."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from beistand.reader import snapshot
from beistand.reader.asking import (
    LONGEST_TEXT,
    MOST_ROWS,
    Cell,
    CopyDatabase,
    Done,
    Rows,
    SelectRows,
    UpdateRows,
)
from beistand.reader.refusal import Refusal

CACHE_KIB = 16 << 10
LONGEST_VALUE = 1 << 20
"""Bytes of one value that a question touches."""
HIDDEN_GENERATED = (2, 3)
"""`hidden` of a generated column (PRAGMA table_xinfo)."""
_ACTIONS = (sqlite3.SQLITE_READ, sqlite3.SQLITE_UPDATE)
_FREE = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION)


def copy(ask: CopyDatabase, files: Mapping[str, int]) -> Done:
    """Copy it; raises Refusal `reading-damaged` and those of a snapshot."""
    snapshot.take(files, ask.seconds)
    _recover(files)
    return check()


def check() -> Done:
    """Raise Refusal `reading-damaged` with SQLite's words."""
    try:
        with _opened("ro") as db:
            # It is asked whether the file is whole, not whether its content keeps rules of its own.
            db.execute("PRAGMA ignore_check_constraints = ON")
            found = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        found = str(error)
    if found != "ok":
        raise Refusal("reading-damaged", found[:200])
    return Done()


def select(ask: SelectRows, files: Mapping[str, int]) -> Rows:
    snapshot.take(files, ask.seconds)
    _recover(files)
    with _opened("ro") as db:
        _bounded(db)
        _only_plain_tables(db, ask.sql, ask.parameters)
        rows = db.execute(ask.sql, ask.parameters).fetchmany(MOST_ROWS)
    return Rows(rows=tuple(tuple(_cell(each) for each in row) for row in rows))


def update(ask: UpdateRows, files: Mapping[str, int]) -> Done:
    """Change the copy. Raises Refusal `reading-unsettled` where a crash left changes that are not finished."""
    if "journal" in files or "wal" in files:
        raise Refusal("reading-unsettled")
    snapshot.take(files, snapshot.BUSY_SECONDS)
    with _opened("rw") as db:
        _bounded(db)
        db.execute("PRAGMA journal_mode = MEMORY")
        _only_plain_tables(db, ask.sql, ask.parameters)
        count = db.execute(ask.sql, ask.parameters).rowcount
        # It takes the place of the PBX's own file: never one that is damaged.
    check()
    return Done(count=count)


def _recover(files: Mapping[str, int]) -> None:
    """Have SQLite apply to the copy what a crash or a log left beside it."""
    if "journal" in files or "wal" in files:
        with _opened("rw") as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            db.execute("SELECT count(*) FROM sqlite_schema").fetchall()


@contextmanager
def _opened(mode: str) -> Iterator[sqlite3.Connection]:
    # immutable: nobody else has the copy, and nothing is looked for or written beside it.
    more = "&immutable=1" if mode == "ro" else ""
    with closing(
        sqlite3.connect(f"file:{snapshot.COPY}?mode={mode}{more}", uri=True, isolation_level=None)
    ) as db:
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("PRAGMA cell_size_check = ON")
        db.execute("PRAGMA mmap_size = 0")
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        yield db


def _bounded(db: sqlite3.Connection) -> None:
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    db.setlimit(sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1)
    db.setlimit(sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0)


def _only_plain_tables(db: sqlite3.Connection, sql: str, parameters: Mapping[str, str | int | float]) -> None:
    """Raise Refusal `reading-not-plain`: the question would run what the schema's author wrote.

    A view may never end, a trigger fires on our change, a generated column computes at each look.
    """
    used: set[str] = set()
    strange: list[str] = []

    def may(action: int, table: str | None, _what: str | None, _db: str | None, by: str | None) -> int:
        if by is not None:
            strange.append(by)
            return sqlite3.SQLITE_DENY
        if action in _ACTIONS and table:
            used.add(table)
        if action in (*_ACTIONS, *_FREE):
            return sqlite3.SQLITE_OK
        strange.append(table or "it")
        return sqlite3.SQLITE_DENY

    db.set_authorizer(may)
    try:
        db.execute(f"EXPLAIN {sql}", parameters).close()  # compiled, not run
    except sqlite3.DatabaseError:
        if strange:
            raise Refusal("reading-not-plain", strange[0]) from None
        raise
    finally:
        db.set_authorizer(None)
    for table in sorted(used):
        _must_be_plain(db, table)


def _must_be_plain(db: sqlite3.Connection, table: str) -> None:
    kinds = db.execute("SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ?", (table,))
    columns = db.execute("SELECT hidden FROM pragma_table_xinfo(?)", (table,)).fetchall()
    is_computed = any(hidden in HIDDEN_GENERATED for (hidden,) in columns)
    # What is in no list is one of SQLite's own functions that read like a table.
    if is_computed or any(kind not in ("table", "shadow") for (kind,) in kinds):
        raise Refusal("reading-not-plain", table)


def _cell(value: object) -> Cell:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    return value if isinstance(value, int | float) else None
