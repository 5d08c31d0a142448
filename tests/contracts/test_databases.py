"""Dumps of SQLite databases that a PBX goes on writing to."""

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from beistand.adapters.databases import registry
from beistand.adapters.databases.sqlite import SqliteDatabases
from beistand.domain.errors import Failed, Refused
from beistand.domain.profile import Database, Engine

WRITER = Path(__file__).with_name("call_record_writer.py")
PAGE = b"x" * 900


def make(path: Path, rows: int, journal: str = "delete") -> Database:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"PRAGMA journal_mode = {journal}")
        db.execute("CREATE TABLE cdr (number INTEGER PRIMARY KEY, body BLOB)")
        db.executemany("INSERT INTO cdr (body) VALUES (?)", ((PAGE,) for _ in range(rows)))
    return Database(engine=Engine.SQLITE, name=str(path))


def rows(path: Path) -> list[tuple[int, bytes]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT number, body FROM cdr ORDER BY number").fetchall()


def later() -> int:
    """A clock ahead of the file system's: what was just written counts as long settled."""
    return time.time_ns() + 60 * 10**9


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "dumps" / "one.db"


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("count", [0, 3, 3000])
def test_a_dump_holds_every_committed_row(tmp_path: Path, into: Path, journal: str, count: int) -> None:
    database = make(tmp_path / "live.db", count, journal)
    os.chmod(database.name, 0o660)
    with closing(sqlite3.connect(database.name)) as open_elsewhere:
        open_elsewhere.execute("INSERT INTO cdr (body) VALUES ('last')")
        open_elsewhere.commit()  # stands in the -wal file only, where there is one
        dumped = SqliteDatabases().dump(database, into)
        assert rows(into) == rows(Path(database.name))
    assert dumped is not None
    assert dumped.mode == 0o660
    assert dumped.owner == Path(database.name).owner()
    assert dumped.size == into.stat().st_size
    assert dumped.digest == hashlib.sha256(into.read_bytes()).hexdigest()
    assert [each.name for each in into.parent.iterdir()] == ["one.db"]


def test_the_same_content_gives_the_same_bytes(tmp_path: Path, into: Path) -> None:
    database = make(tmp_path / "live.db", 3000)
    first = SqliteDatabases().dump(database, into)
    with closing(sqlite3.connect(database.name)) as db, db:
        db.execute("UPDATE cdr SET body = body WHERE number = 7")
    assert SqliteDatabases().dump(database, into) == first


def test_an_unchanged_database_is_not_copied_again(tmp_path: Path, into: Path) -> None:
    database = make(tmp_path / "live.db", 10)
    adapter = SqliteDatabases(now=later)
    first = adapter.dump(database, into)
    inode = into.stat().st_ino
    assert adapter.dump(database, into) == first
    assert into.stat().st_ino == inode
    with closing(sqlite3.connect(database.name)) as db, db:
        db.execute("DELETE FROM cdr WHERE number = 1")
    assert adapter.dump(database, into) != first
    assert len(rows(into)) == 9


def test_a_database_that_changed_just_now_is_not_trusted(tmp_path: Path, into: Path) -> None:
    database = make(tmp_path / "live.db", 10)
    SqliteDatabases().dump(database, into)
    inode = into.stat().st_ino
    SqliteDatabases().dump(database, into)
    assert into.stat().st_ino != inode


def test_a_database_that_is_not_there_is_nothing(tmp_path: Path, into: Path) -> None:
    gone = Database(engine=Engine.SQLITE, name=str(tmp_path / "none/live.db"))
    assert SqliteDatabases().dump(gone, into) is None
    assert not into.exists()


@pytest.mark.parametrize("damage", ["noise", "hole"])
def test_a_damaged_database_is_told_and_the_last_dump_kept(tmp_path: Path, into: Path, damage: str) -> None:
    live = tmp_path / "live.db"
    database = make(live, 3000)
    SqliteDatabases().dump(database, into)
    before = into.read_bytes()
    if damage == "noise":
        live.write_bytes(os.urandom(5000))
    else:
        with live.open("r+b") as file:
            file.seek(40 * 4096)
            file.write(bytes(4096 * 20))
    with pytest.raises(Failed, match="database-not-dumped"):
        SqliteDatabases().dump(database, into)
    assert into.read_bytes() == before


def test_a_journal_that_a_crash_left_behind_is_rolled_back(tmp_path: Path, into: Path) -> None:
    database = make(tmp_path / "live.db", 3000)
    script = (
        "import sqlite3,os,sys,signal\n"
        "db=sqlite3.connect(sys.argv[1]); db.execute('PRAGMA cache_size=5')\n"
        "db.execute(\"UPDATE cdr SET body='half'\"); os.kill(os.getpid(),signal.SIGKILL)"
    )
    dead = subprocess.run([sys.executable, "-c", script, database.name], check=False)
    assert dead.returncode == -signal.SIGKILL
    assert Path(database.name + "-journal").exists()
    SqliteDatabases().dump(database, into)
    assert {body for _, body in rows(into)} == {PAGE}


@pytest.fixture
def writer(tmp_path: Path) -> Iterator["Writer"]:
    writer = Writer(tmp_path)
    yield writer
    writer.end()


class Writer:
    """A process that writes call records as Asterisk does: five tries, 200 µs apart, then the record is lost."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.figures: tuple[int, int] = (0, 0)

    def start(self, database: Database, per_second: int) -> None:
        arguments = [sys.executable, str(WRITER), database.name, str(per_second)]
        self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "writing\n"

    def end(self) -> tuple[int, int]:
        """Return how many records were written, and how many were lost."""
        if self._process is not None:
            written, lost = self._process.communicate("\n", timeout=30)[0].split()
            self.figures = (int(written), int(lost))
            self._process = None
        return self.figures


@pytest.mark.shows("F10")
@pytest.mark.parametrize("size", [200, 3000])
def test_no_call_record_is_lost_while_fifty_a_second_are_written(
    tmp_path: Path, into: Path, writer: Writer, size: int
) -> None:
    """FIGURES section 9; 200 rows are copied in one step, 3000 in many."""
    database = make(tmp_path / "master.db", size)
    writer.start(database, per_second=50)
    begin, dumps, numbers = time.monotonic(), 0, list[int]()
    # For three seconds; longer on a machine that has something else to do meanwhile.
    while time.monotonic() < begin + 3 or dumps <= 3 or len(numbers) <= size + 50:
        assert time.monotonic() < begin + 60
        SqliteDatabases().dump(database, into)
        dumps += 1
        numbers = [number for number, _ in rows(into)]
        assert numbers == list(range(1, len(numbers) + 1))  # a moment of the database, not a mixture
    written, lost = writer.end()
    assert dumps > 3
    assert written > 50
    assert lost == 0
    SqliteDatabases().dump(database, into)
    assert len(rows(into)) == size + written


def test_a_database_that_never_rests_is_told_and_the_last_dump_kept(
    tmp_path: Path, into: Path, writer: Writer
) -> None:
    database = make(tmp_path / "master.db", 20_000)
    SqliteDatabases().dump(database, into)
    before = into.stat().st_ino
    writer.start(database, per_second=2000)
    with pytest.raises(Failed, match="database-busy"):
        SqliteDatabases(limit=0.5).dump(database, into)
    assert into.stat().st_ino == before


def test_every_engine_has_an_adapter() -> None:
    assert set(registry()) == set(Engine)


@pytest.mark.parametrize("engine", [Engine.POSTGRESQL, Engine.MARIADB])
def test_an_engine_without_support_is_refused_instead_of_left_out(tmp_path: Path, engine: Engine) -> None:
    with pytest.raises(Refused, match="engine-not-supported-yet"):
        registry()[engine].dump(Database(engine=engine, name="asterisk"), tmp_path / "dump")


HOLD_OPEN = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN")
db.execute("INSERT INTO cdr (body) VALUES ('open')")
print("written", flush=True)
sys.stdin.readline()
db.execute("COMMIT")
print("committed", flush=True)
sys.stdin.readline()
"""


@contextmanager
def writer_with_an_open_change(database: Database) -> Iterator[subprocess.Popen[str]]:
    """A process of its own, like a PBX; a line lets it commit, the next one lets it end."""
    argv = [sys.executable, "-c", HOLD_OPEN, database.name]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "written\n"
        yield writer
        writer.communicate("\n\n")


@pytest.mark.parametrize("mode", ["delete", "truncate", "persist"])
@pytest.mark.shows("B15")
def test_a_change_that_is_open_is_waited_for(tmp_path: Path, mode: str) -> None:
    """B15: where no PBX can be asked, the file tells when what it acknowledged is in it."""
    database = make(tmp_path / "live.db", 3, mode)
    with writer_with_an_open_change(database) as writer:
        assert writer.stdin
        commit = threading.Timer(0.2, lambda: print(file=writer.stdin, flush=True))
        commit.start()
        SqliteDatabases().settle(database, 20)
        assert rows(Path(database.name))[-1][1] == "open"
        commit.join()


def test_a_change_that_stays_open_is_left_after_the_limit(tmp_path: Path) -> None:
    database = make(tmp_path / "live.db", 3)
    with writer_with_an_open_change(database):
        began = time.monotonic()
        SqliteDatabases().settle(database, 0.3)
        assert 0.3 <= time.monotonic() - began < 5


@pytest.mark.parametrize("mode", ["delete", "truncate", "persist", "wal"])
def test_where_nothing_is_open_nobody_waits(tmp_path: Path, mode: str) -> None:
    """A journal that a mode keeps, or a crash left behind, is no open change."""
    database = make(tmp_path / "live.db", 3, mode)
    with writer_with_an_open_change(database) as writer:
        writer.kill()
    began = time.monotonic()
    SqliteDatabases().settle(database, 20)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("kind", ["missing", "fifo", "link", "folder"])
def test_what_is_no_file_keeps_nobody_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "live.db"
    make_one = {
        "missing": lambda: None,
        "fifo": lambda: os.mkfifo(path),
        "link": lambda: path.symlink_to("/dev/zero"),
        "folder": path.mkdir,
    }
    make_one[kind]()
    began = time.monotonic()
    SqliteDatabases().settle(Database(engine=Engine.SQLITE, name=str(path)), 20)
    assert time.monotonic() - began < 5
