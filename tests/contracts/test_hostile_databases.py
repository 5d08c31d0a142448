"""Databases of an account that was broken into: the agent's root is never lent to them (DESIGN, Readers)."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import msgspec
import pytest

import beistand
from beistand.adapters.contacts import SqliteContacts
from beistand.adapters.databases.sqlite import SqliteDatabases
from beistand.adapters.disk import LocalDisk
from beistand.adapters.readers import Readers
from beistand.adapters.records import LocalRecords
from beistand.domain.errors import Cancelled, Failed, NoSpace
from beistand.domain.imports import Shape, Slot, SlotSide
from beistand.domain.manifest import Kind
from beistand.domain.message import message
from beistand.domain.phones import Dated
from beistand.domain.profile import Database, Engine, Profile
from beistand.ports.insight import Readings
from fakes.hostile_files import LARGE, ODD, SCHEMAS, TRIGGERS, plain, plant_super_journal
from fakes.insight import FakeReadings

ASTERISK = Path(beistand.__file__).parent / "profiles" / "asterisk.toml"
PBX = 12345
"""An account that is not ours, where the tests may choose."""
SECONDS = 10
"""More than any reader may take for what is shown or renewed, and far from for ever."""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "asterisk"
    folder.mkdir()
    give_away(folder)
    return folder / "astdb.sqlite3"


def give_away(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, PBX, PBX, follow_symlinks=False)


def made(database: Path, make: Callable[[Path], None]) -> Path:
    make(database)
    for each in database.parent.iterdir():
        give_away(each)
    return database


def profile_of(database: Path) -> Profile:
    shipped = msgspec.toml.decode(ASTERISK.read_bytes(), type=Profile)
    assert shipped.contacts is not None
    contacts = msgspec.structs.replace(shipped.contacts, database=str(database))
    calls = msgspec.structs.replace(shipped.records[0], database=str(database))
    return msgspec.structs.replace(shipped, contacts=contacts, records=(calls,), trees=())


def dump(database: Path, into: Path) -> None:
    SqliteDatabases().dump(Database(engine=Engine.SQLITE, name=str(database)), into)


def renew(database: Path, readers: Readers) -> str:
    """Return why the contacts are not renewed; empty: they are."""
    began = time.monotonic()
    try:
        SqliteContacts(readers).renew(profile_of(database), Dated(at=time.time(), age=0))
    except Failed as error:
        return error.message.code
    finally:
        assert time.monotonic() - began < SECONDS
    return ""


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    file = tmp_path / "reserve"
    file.write_text("of root")
    return file


def test_a_planted_journal_deletes_nothing(database: Path, victim: Path, tmp_path: Path) -> None:
    made(database, plain)
    plant_super_journal(database, victim)
    give_away(Path(f"{database}-journal"))
    readers = Readers()
    with pytest.raises(Failed, match="reading-journal"):
        dump(database, tmp_path / "dumps" / "astdb")
    assert SqliteContacts(readers).list(profile_of(database)) == ()
    assert LocalRecords(readers).since(profile_of(database), datetime.now(UTC)).records[0].count == 0
    assert [each.code for each in readers.troubles()] == ["reading-journal"]
    assert renew(database, readers) == "reading-unsettled"
    assert victim.exists()
    assert Path(f"{database}-journal").exists()
    readers.close()


@pytest.mark.parametrize("kind", [*SCHEMAS])
def test_what_runs_when_it_is_read_is_not_read(database: Path, kind: str) -> None:
    made(database, SCHEMAS[kind])
    readers, began = Readers(), time.monotonic()
    assert SqliteContacts(readers).list(profile_of(database)) == ()
    assert time.monotonic() - began < SECONDS
    assert [each.code for each in readers.troubles()] == ["reading-not-plain"]
    assert readers.troubles()[0].fields["path"] == str(database)
    assert renew(database, readers) != ""
    readers.close()


@pytest.mark.parametrize("kind", [*TRIGGERS])
def test_what_runs_when_it_is_changed_is_not_changed(database: Path, kind: str) -> None:
    made(database, TRIGGERS[kind])
    readers, before = Readers(), database.read_bytes()
    assert len(SqliteContacts(readers).list(profile_of(database))) == 1
    assert renew(database, readers) != ""
    assert database.read_bytes() == before
    assert [each.fields["path"] for each in readers.troubles()] == [str(database)]
    readers.close()


@pytest.mark.parametrize("kind", [*LARGE])
def test_what_is_large_has_its_bounds(database: Path, kind: str) -> None:
    made(database, LARGE[kind])
    readers, began = Readers(), time.monotonic()
    assert len(SqliteContacts(readers).list(profile_of(database))) <= 20_000
    assert time.monotonic() - began < SECONDS
    readers.close()


@pytest.mark.parametrize("kind", [*ODD])
def test_what_is_no_file_is_named_and_keeps_nobody_waiting(database: Path, tmp_path: Path, kind: str) -> None:
    made(database, ODD[kind])
    readers, began = Readers(), time.monotonic()
    assert SqliteContacts(readers).list(profile_of(database)) == ()
    assert renew(database, readers) in ("odd-file", "file-is-link")
    assert {each.fields["path"] for each in readers.troubles()} == {str(database)}
    with pytest.raises(Failed, match=r"odd-file|file-is-link") as failed:
        dump(database, tmp_path / "dumps" / "astdb")
    assert failed.value.message.fields["path"] == str(database)
    assert time.monotonic() - began < SECONDS
    readers.close()


def test_a_trouble_ends_with_its_cause(database: Path) -> None:
    made(database, ODD["fifo"])
    readers = Readers()
    contacts = SqliteContacts(readers)
    assert contacts.list(profile_of(database)) == ()
    assert readers.troubles()
    database.unlink()
    made(database, plain)
    end = time.monotonic() + SECONDS
    # What was known is given meanwhile: nobody waits long for what is newer.
    while not contacts.list(profile_of(database)):
        assert time.monotonic() < end
    assert readers.troubles() == ()
    readers.close()


def test_a_second_name_of_another_accounts_file_is_not_read(database: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs two accounts")
    secret = tmp_path / "secret"
    plain(secret)
    os.link(secret, database)
    readers = Readers()
    assert SqliteContacts(readers).list(profile_of(database)) == ()
    assert [each.code for each in readers.troubles()] == ["file-elsewhere"]
    readers.close()


def test_a_dump_ends_with_a_click_and_leaves_nothing(database: Path, tmp_path: Path) -> None:
    made(database, plain)

    def click() -> None:
        raise Cancelled

    wanted = Database(engine=Engine.SQLITE, name=str(database))
    with pytest.raises(Cancelled):
        SqliteDatabases().dump(wanted, tmp_path / "dumps" / "astdb", click)
    assert list((tmp_path / "dumps").iterdir()) == []


@pytest.mark.parametrize("ending", ["", "-wal", "-journal"])
def test_a_file_of_holes_fills_no_disk(database: Path, tmp_path: Path, ending: str) -> None:
    made(database, plain)
    with Path(f"{database}{ending}").open("ab") as file:
        file.truncate(1 << 42)
    readers = Readers()
    with pytest.raises(NoSpace, match="disk-full"):
        dump(database, tmp_path / "dumps" / "astdb")
    assert SqliteContacts(readers).list(profile_of(database)) == ()
    assert renew(database, readers) == "reading-too-much"
    assert LocalRecords(readers).since(profile_of(database), datetime.now(UTC)).records[0].count == 0
    assert {each.code for each in readers.troubles()} <= {"reading-too-much", "disk-full"}
    readers.close()


def test_the_check_of_a_staged_database_ends_with_a_click(tmp_path: Path) -> None:
    """A generated column kept the check busy for minutes, and the click waited for it."""
    disk = LocalDisk((str(tmp_path),), mounts=(str(tmp_path),))
    disk.prepare(str(tmp_path), "u")
    slot = Slot(mount=str(tmp_path), undo="u", side=SlotSide.NEW, number=1)
    source = tmp_path / "source"
    plain(source)
    body, uid = source.read_bytes(), PBX if os.geteuid() == 0 else os.getuid()
    shape = Shape(kind=Kind.FILE, mode=0o600, uid=uid, gid=uid, size=len(body), mtime_ns=1, target="")
    parts = iter([body])
    disk.stage_file(slot, lambda _: next(parts, b""), shape)
    assert disk.database_problem(slot, lambda: None) == ""

    def click() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        disk.database_problem(slot, click)
    staged = tmp_path / ".beistand/u/new"
    assert [each.name for each in staged.iterdir()] == ["1"]
    status = (staged / "1").stat()
    assert (status.st_mode & 0o777, status.st_uid, status.st_nlink) == (0o600, uid, 1)
    assert disk.database_problem(slot, lambda: None) == ""


def test_what_a_killed_agent_left_is_removed(database: Path, tmp_path: Path) -> None:
    made(database, plain)
    left = tmp_path / "dumps" / ".reading-left"
    left.mkdir(parents=True)
    (left / "copy").write_text("half")
    dump(database, tmp_path / "dumps" / "astdb")
    assert [each.name for each in (tmp_path / "dumps").iterdir()] == ["astdb"]


def test_the_process_that_waits_is_started_again(database: Path) -> None:
    made(database, plain)
    readers = Readers()
    wanted = profile_of(database)
    assert len(SqliteContacts(readers).list(wanted)) == 1
    before = set(waiting())
    for each in before:
        os.kill(each, signal.SIGKILL)
    end = time.monotonic() + SECONDS
    while any(status_of(each).get("State", "Z")[0] != "Z" for each in before):
        assert time.monotonic() < end
    assert len(SqliteContacts(readers).list(wanted)) == 1
    readers.close()


def test_who_reads_has_no_rights(database: Path) -> None:
    """Seen from outside, while it waits for a lock that the PBX's account never gives back."""
    made(database, plain)
    readers = Readers()
    assert len(SqliteContacts(readers).list(profile_of(database))) == 1
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        asking = Thread(target=lambda: SqliteContacts(readers).list(profile_of(database)))
        asking.start()
        found: dict[str, str] = {}
        end = time.monotonic() + SECONDS
        while found.get("Seccomp") != "2" and time.monotonic() < end:
            found = next((status_of(child) for one in waiting() for child in children(one)), found)
        asking.join()
    uid = str(PBX if os.geteuid() == 0 else os.getuid())
    assert found["Uid"].split() == [uid] * 4
    assert found["Groups"].split() == ([] if os.geteuid() == 0 else found["Groups"].split())
    assert {found[each] for each in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    assert (found["NoNewPrivs"], found["Seccomp"]) == ("1", "2")
    assert [each.code for each in readers.troubles()] == ["reading-busy"]
    readers.close()


def waiting() -> list[int]:
    """Return the processes that wait for this one's questions."""
    return [each for each in children(os.getpid()) if status_of(each).get("Name") == "beistand-read"]


def children(process: int) -> list[int]:
    found: list[int] = []
    for tasks in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(each) for each in tasks.read_text().split()]
    return found


def status_of(process: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (each.partition(":") for each in lines)}


@pytest.fixture(params=["fake", "real"])
def readings(request: pytest.FixtureRequest, database: Path) -> Iterator[Readings]:
    """The port Readings after one file could not be read."""
    if request.param == "fake":
        yield FakeReadings((message("odd-file", path=str(database)),))
        return
    made(database, ODD["fifo"])
    readers = Readers()
    SqliteContacts(readers).list(profile_of(database))
    yield readers
    readers.close()


def test_a_trouble_names_its_file(readings: Readings, database: Path) -> None:
    assert [(each.code, each.fields["path"]) for each in readings.troubles()] == [("odd-file", str(database))]
