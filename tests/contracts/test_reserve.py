"""What is kept on the state's disk for the grant, on file systems that are really full (F2)."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from beistand.adapters.disk import LocalDisk
from beistand.adapters.reserve import BYTES
from beistand.adapters.store import SqliteStore
from beistand.domain.errors import NoSpace
from beistand.domain.licence import LicenceSet
from beistand.domain.mail import OutboxEntry
from beistand.domain.role import Grant, Role, Side
from beistand.ports.store import Store

ME, PEER = "a" * 16, "b" * 16
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def a_grant(epoch: int, holder: str = ME) -> Grant:
    return Grant(epoch=epoch, holder=holder, parent=epoch - 1, operator="root", at=NOW, evidence="")


def a_mail(number: int, body: str = "full") -> OutboxEntry:
    return OutboxEntry(
        occasion=f"problem-found-{number}",
        kind="administrator",
        recipient="admin@example.org",
        subject="",
        body=body,
        since=NOW,
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as log:
        while True:
            log.write(bytes(4096))


def grow(store: Store) -> None:
    for number in range(1000):
        store.put(f"document {number}", bytes(8192))


def test_f2_a_full_disk_still_has_room_for_the_grant(small_disk: Path) -> None:
    store = SqliteStore(small_disk / "state.db")
    store.initialise(ME, Side.EVEN, LicenceSet(), None)
    with pytest.raises(OSError, match="No space"):
        fill(small_disk / "log")
    with pytest.raises(NoSpace, match="state-disk-full"):
        grow(store)
    store.save_plan(b"[1]")
    store.close_plan(a_grant(2))
    assert store.standing().role is Role.ACTIVE
    store.close()
    assert SqliteStore(small_disk / "state.db").standing().role is Role.ACTIVE


def full(store: SqliteStore, small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        fill(small_disk / "log")
    with pytest.raises(NoSpace):
        grow(store)
    # The trace of an earlier failure must not be what makes room.
    with suppress(OSError):
        fill(small_disk / "more")


def test_f2_a_grant_finds_room_while_somebody_else_takes_each_byte_that_is_freed(small_disk: Path) -> None:
    """A call is being recorded onto the same disk: it grows into whatever the reserve gives up."""
    store = SqliteStore(small_disk / "state.db")
    store.initialise(ME, Side.EVEN, LicenceSet(), None)
    full(store, small_disk)
    with (small_disk / "recording").open("ab", buffering=0) as recording:
        for step in range(8):
            store.save_plan(b"[%d]" % step * 500)
            with suppress(OSError):
                while recording.write(bytes(4096)):
                    pass
        store.close_plan(a_grant(2))
    store.close()
    assert SqliteStore(small_disk / "state.db").standing().role is Role.ACTIVE


def test_f2_the_state_opens_on_a_disk_that_is_full_to_the_last_byte(small_disk: Path) -> None:
    """SQLite makes two files beside it before it reads one line."""
    store = SqliteStore(small_disk / "state.db")
    store.initialise(ME, Side.EVEN, LicenceSet(), a_grant(2))
    store.close()
    with pytest.raises(OSError, match="No space"):
        fill(small_disk / "log")
    again = SqliteStore(small_disk / "state.db")
    assert again.standing().role is Role.ACTIVE
    assert again.adopt(a_grant(3, PEER))
    again.put("released", b"4", vital=True)
    again.close()
    assert SqliteStore(small_disk / "state.db").get("released") == b"4"


def test_f2_an_alarm_finds_room_but_leaves_half_of_it_to_the_grant(small_disk: Path) -> None:
    store = SqliteStore(small_disk / "state.db")
    store.initialise(ME, Side.EVEN, LicenceSet(), None)
    full(store, small_disk)
    assert store.enqueue([a_mail(0)], ("told", b"disk-full")) == 1
    with pytest.raises(NoSpace):
        store.enqueue([a_mail(number, bytes(2000).hex()) for number in range(1000)])
    assert store.get("told") == b"disk-full"
    reserve = small_disk / "state.reserve"
    assert reserve.stat().st_size == BYTES // 2
    store.close_plan(a_grant(2))


def test_f2_the_reserve_is_made_again_when_there_is_room(small_disk: Path) -> None:
    store = SqliteStore(small_disk / "state.db")
    store.initialise(ME, Side.EVEN, LicenceSet(), None)
    full(store, small_disk)
    while store.reserve.give_up_piece():
        pass
    assert not store.reserve.refill()
    for name in ("log", "more"):
        (small_disk / name).unlink(missing_ok=True)
    assert store.reserve.refill()
    figures = (small_disk / "state.reserve").stat()
    assert figures.st_size == figures.st_blocks * 512 == BYTES
    assert figures.st_mode & 0o777 == 0o600


def test_f2_the_record_of_what_is_live_is_written_on_a_full_disk(small_disk: Path) -> None:
    """A takeover in the middle of an import takes it back, and says so in this file."""
    store = SqliteStore(small_disk / "state.db")
    disk, record = LocalDisk((), reserve=store.reserve), small_disk / "live.json"
    disk.write(record, b"before")
    full(store, small_disk)
    disk.write(record, b"after" * 1000)
    assert record.read_bytes() == b"after" * 1000
    assert [name for name in os.listdir(small_disk) if name.startswith(".")] == []
