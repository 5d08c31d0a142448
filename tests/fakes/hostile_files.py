"""What an account that was broken into puts in the place of its own files."""

# ruff: noqa: S608  the statements are these, nobody else's

import os
import signal
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

PAGE = 4096
LOCK_PAGE = 0x40000000 // PAGE + 1
MAGIC = bytes.fromhex("d9d505f920a163d7")
ENDLESS = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) "
CONTACT = '{"uri": "sip:101@10.77.0.21:5060", "expiration_time": "1"}'
KEY = "/registrar/contact/101;@1"


def plain(path: Path) -> None:
    """Make the database as the PBX has it."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE astdb (key VARCHAR(256) PRIMARY KEY, value VARCHAR(256))")
        db.execute("INSERT INTO astdb VALUES (?, ?)", (KEY, CONTACT))
        db.execute("CREATE TABLE cdr (calldate TEXT)")


def plant_super_journal(path: Path, victim: Path) -> None:
    """Leave a hot journal beside a database, which names another file as the journal of several databases.

    Who rolls it back deletes that file, because none of the journals that it names is there (pager_delsuper).
    """
    script = (
        "import sqlite3,os,sys,signal\n"
        "db=sqlite3.connect(sys.argv[1]); db.execute('PRAGMA cache_size=1')\n"
        "db.execute('CREATE TABLE more (x)'); db.executemany('INSERT INTO more VALUES (?)', [('y'*4000,)]*50)\n"
        "os.kill(os.getpid(),signal.SIGKILL)"
    )
    dead = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert dead.returncode == -signal.SIGKILL
    name = os.fsencode(victim)
    with Path(f"{path}-journal").open("ab") as journal:
        journal.write(struct.pack("!I", LOCK_PAGE) + name + struct.pack("!II", len(name), sum(name)) + MAGIC)


def _sql(*statements: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            for each in statements:
                db.execute(each)

    return make


def _huge_row(path: Path) -> None:
    plain(path)
    with closing(sqlite3.connect(path)) as db, db:
        padding = "x" * (4 << 20)
        db.execute(
            "INSERT INTO astdb VALUES (?, ?)", (f"{KEY}2", f'{{"uri": "sip:1@10.0.0.1", "x": "{padding}"}}')
        )


def _many_rows(path: Path) -> None:
    plain(path)
    with closing(sqlite3.connect(path)) as db, db:
        rows = ((f"{KEY}{number}", CONTACT) for number in range(60_000))
        db.executemany("INSERT INTO astdb VALUES (?, ?)", rows)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _link_to_zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


SCHEMAS: dict[str, Callable[[Path], None]] = {
    "view": _sql(f"CREATE VIEW astdb AS {ENDLESS}SELECT '{KEY}' || x AS key, '{CONTACT}' AS value FROM r"),
    "view that fills the disk": _sql(
        f"CREATE VIEW astdb AS {ENDLESS}SELECT '{KEY}' AS key, '{CONTACT}' AS value FROM r ORDER BY hex(x)"
    ),
    "generated column": _sql(
        "CREATE TABLE astdb (key TEXT, n INTEGER, value TEXT AS (printf('%.*c', n, 'x') || key) STORED)",
        f"INSERT INTO astdb (key, n) VALUES ('{KEY}', 100)",
    ),
    "virtual generated column": _sql(
        f"CREATE TABLE astdb (key TEXT, value TEXT AS ('{CONTACT}'))",
        f"INSERT INTO astdb (key) VALUES ('{KEY}')",
    ),
    "full text": _sql("CREATE VIRTUAL TABLE astdb USING fts5(key, value)"),
}
"""Databases of which no contact is read and none renewed."""


def add_trigger(path: Path) -> None:
    """Whoever changes a contact of this database never comes to an end."""
    _sql(
        "CREATE TABLE sink (x)",
        f"CREATE TRIGGER t AFTER UPDATE ON astdb BEGIN INSERT INTO sink {ENDLESS}SELECT x FROM r; END",
    )(path)


def _with_trigger(path: Path) -> None:
    plain(path)
    add_trigger(path)


TRIGGERS: dict[str, Callable[[Path], None]] = {"trigger": _with_trigger}
"""Those that may be read, and not changed."""
LARGE: dict[str, Callable[[Path], None]] = {"huge row": _huge_row, "many rows": _many_rows}
ODD: dict[str, Callable[[Path], None]] = {
    "fifo": _fifo,
    "link to /dev/zero": _link_to_zero,
    "folder": Path.mkdir,
}
