"""The contract of the port Store: what was returned is on disk, in one piece, in one order."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from beistand.adapters import store as adapter
from beistand.adapters.state_file import MIGRATIONS, StateFile
from beistand.adapters.store import COPIES_KEPT, EVENTS_KEPT, SqliteStore
from beistand.domain.attempts import Attempts
from beistand.domain.config import ModuleConfig
from beistand.domain.errors import Failed, Refused
from beistand.domain.generation import Copy, CopyState, Generation
from beistand.domain.licence import Licence, LicenceKind, LicenceSet
from beistand.domain.message import message
from beistand.domain.pair import Appliance, Pair
from beistand.domain.role import Grant, Role, Side
from beistand.ports.store import Event, Room, Store

ME, PEER = "a" * 16, "b" * 16
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY = "AAAAA-BBBBB-CCCCC-DDDDD"
LICENCES = LicenceSet(licences=(Licence(key=KEY, kind=LicenceKind.SERVER),))


def a_grant(epoch: int, holder: str = ME) -> Grant:
    return Grant(epoch=epoch, holder=holder, parent=epoch - 1, operator="root", at=NOW, evidence="")


def a_copy(epoch: int, sequence: int, state: CopyState = CopyState.TAKEN) -> Copy:
    begin = NOW - timedelta(hours=epoch)  # clocks run against the lineage: order must not follow them
    generation = Generation(
        id=f"{begin:%Y%m%dT%H%M%SZ}-{sequence}",
        pair="c" * 32,
        source=ME,
        epoch=epoch,
        sequence=sequence,
        begin=begin,
        end=begin,
        profile="asterisk",
        pbx_version="22.10",
        manifest="0" * 64,
        entries=1,
        size=1,
    )
    return Copy(generation=generation, state=state, at=NOW)


def a_pair() -> Pair:
    peer = Appliance(
        node=PEER,
        host="pbx-b",
        own_address="192.0.2.2/24",
        service_addresses=("192.0.2.10",),
        mac="02:00:00:00:00:02",
        beistand_version="0.1.0",
        pbx_version="22.10",
        profile="asterisk",
        licence_key=KEY,
        gateway="192.0.2.254",
        dns=(),
        is_static=True,
        now=NOW,
    )
    return Pair(id="c" * 32, peer=peer, peer_host_key="ssh-ed25519 AAAA", side=Side.EVEN, since=NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(path)
    opened.initialise(ME, Side.EVEN, LICENCES, None)
    yield opened
    opened.close()


def reopened(path: Path) -> Store:
    """A second connection sees only what was committed."""
    return SqliteStore(path)


def test_a_fresh_store_has_no_identity(path: Path) -> None:
    fresh = SqliteStore(path)
    assert not fresh.is_initialised()
    for asked in (
        fresh.standing,
        lambda: fresh.adopt(a_grant(2)),
        lambda: fresh.settle(1),
        lambda: fresh.set_side(Side.ODD),
        lambda: fresh.close_plan(a_grant(2)),
    ):
        with pytest.raises(Refused, match="not-initialised"):
            asked()


def test_the_identity_is_made_once_and_stays(store: SqliteStore, path: Path) -> None:
    with pytest.raises(Refused, match="already-initialised"):
        store.initialise(PEER, Side.ODD, LicenceSet(), a_grant(4, PEER))
    again = reopened(path)
    assert (again.standing().me, again.standing().side) == (ME, Side.EVEN)
    assert again.licences() == LICENCES


def test_the_first_grant_makes_the_active(path: Path) -> None:
    store = SqliteStore(path)
    store.initialise(ME, Side.EVEN, LICENCES, a_grant(2))
    assert store.standing().role is Role.ACTIVE
    assert store.standing().own_epoch == 2


def test_only_a_higher_grant_is_adopted(store: SqliteStore) -> None:
    assert store.adopt(a_grant(4, PEER))
    assert not store.adopt(a_grant(4, PEER))
    assert not store.adopt(a_grant(3))
    assert store.standing().grant == a_grant(4, PEER)
    assert store.standing().own_epoch == 0


def test_a_grant_for_me_is_my_own_epoch(store: SqliteStore) -> None:
    assert store.adopt(a_grant(4, ME))
    assert store.standing().own_epoch == 4
    assert store.adopt(a_grant(5, PEER))
    assert store.standing().role is Role.SUPERSEDED
    store.settle(5)
    store.settle(3)
    assert store.standing().settled_epoch == 5
    assert store.standing().role is Role.STANDBY


@pytest.mark.parametrize("epoch", [2**62, 2**63 - 2, 2**63 - 1])
@pytest.mark.parametrize("holder", [ME, PEER])
def test_the_largest_numbers_are_kept(store: SqliteStore, epoch: int, holder: str) -> None:
    assert store.adopt(a_grant(epoch, holder))
    assert store.standing().epoch == epoch
    store.settle(epoch)
    store.record(a_copy(5, 2**60))
    assert store.copies()[0].generation.sequence == 2**60


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.adopt(a_grant(2**63)),
        lambda store: store.adopt(a_grant(10**30, PEER)),
        lambda store: store.close_plan(a_grant(2**64)),
        lambda store: store.settle(2**63),
        lambda store: store.next_sequence(2**63),
        lambda store: store.record(a_copy(2**63 // 10**15, 2**63)),
        lambda store: store.put("name \ud800", b""),
    ],
)
def test_what_fits_in_no_column_is_refused_and_changes_nothing(store: SqliteStore, change) -> None:
    store.save_plan(b"a plan")
    before = (store.standing(), store.plan(), store.copies())
    with pytest.raises(Refused, match="state-value"):
        change(store)
    assert (store.standing(), store.plan(), store.copies()) == before


@pytest.mark.parametrize("own", [True, False])
def test_an_impossible_number_is_forgotten_and_whose_data_is_here_is_not(
    store: SqliteStore, own: bool
) -> None:
    store.adopt(a_grant(7, ME if own else PEER))
    store.adopt(a_grant(2**63 - 1, PEER))
    store.forget_epoch(a_grant(7, "0" * 16))
    assert store.standing().epoch == 7
    assert store.standing().has_own_data is own
    assert not store.standing().is_holder
    assert store.adopt(a_grant(8, PEER))


def test_the_end_of_the_plan_and_the_grant_are_one(store: SqliteStore, path: Path) -> None:
    store.save_plan(b"[1]")
    store.save_plan(b"[2]")
    assert reopened(path).plan() == b"[2]"
    store.close_plan(a_grant(6))
    assert reopened(path).plan() is None
    assert reopened(path).standing().grant == a_grant(6)


def test_a_grant_that_was_overtaken_changes_nothing(store: SqliteStore, path: Path) -> None:
    store.save_plan(b"[1]")
    store.adopt(a_grant(7, PEER))
    with pytest.raises(Refused, match="grant-overtaken"):
        store.close_plan(a_grant(6))
    assert reopened(path).plan() == b"[1]"
    assert reopened(path).standing().grant == a_grant(7, PEER)


def test_a_plan_may_end_without_a_grant(store: SqliteStore) -> None:
    store.save_plan(b"[1]")
    store.close_plan(None)
    assert store.plan() is None
    assert store.standing().grant is None


def test_settings_come_back_as_they_were(store: SqliteStore, path: Path) -> None:
    assert store.pair() is None
    assert store.config() == ModuleConfig()
    assert store.attempts() == Attempts()
    config = ModuleConfig(attempts=3, mail_address="admin@example.org", revision=2)
    attempts = Attempts(failed=2, next_at=NOW)
    store.set_pair(a_pair())
    store.set_config(config)
    store.set_attempts(attempts)
    store.put("figures", b"{}")
    again = reopened(path)
    assert (again.pair(), again.config(), again.attempts()) == (a_pair(), config, attempts)
    assert (again.get("figures"), again.get("others")) == (b"{}", None)


def test_sequence_numbers_are_never_given_twice(store: SqliteStore, path: Path) -> None:
    assert [store.next_sequence(2), store.next_sequence(2), store.next_sequence(4)] == [1, 2, 1]
    store.close()
    assert reopened(path).next_sequence(2) == 3


def test_copies_are_ordered_by_lineage_not_by_clock(store: SqliteStore) -> None:
    for epoch, sequence in ((2, 9), (4, 1), (2, 10), (4, 2)):
        store.record(a_copy(epoch, sequence))
    assert [each.generation.order for each in store.copies()] == [(4, 2), (4, 1), (2, 10), (2, 9)]
    assert [each.generation.order for each in store.copies(limit=1)] == [(4, 2)]


def test_a_copy_is_updated_in_place(store: SqliteStore) -> None:
    store.record(a_copy(2, 1))
    store.record(a_copy(2, 1, CopyState.IMPORTED))
    assert [each.state for each in store.copies()] == [CopyState.IMPORTED]


def test_failures_never_push_out_what_is_imported(store: SqliteStore) -> None:
    store.record(a_copy(2, 1, CopyState.IMPORTED))
    for sequence in range(2, COPIES_KEPT + 20):
        store.record(a_copy(2, sequence, CopyState.FAILED))
    kept = store.copies(limit=10 * COPIES_KEPT)
    assert len(kept) == COPIES_KEPT + 1
    assert kept[-1].state is CopyState.IMPORTED


def test_history_is_newest_first_and_capped(store: SqliteStore) -> None:
    with store._file.change() as db:
        old = [(msgspec.json.encode(Event(at=NOW, message=message("old"))),)] * EVENTS_KEPT
        db.executemany("INSERT INTO event (body) VALUES (?)", old)
    store.tell(Event(at=NOW, message=message("cycle-failed", try_number=2), operator="root"))
    assert store.events(1)[0].message == message("cycle-failed", try_number=2)
    assert len(store.events(2 * EVENTS_KEPT)) == EVENTS_KEPT
    assert tuple(each for _, each in store.history()) == store.events(2 * EVENTS_KEPT)
    assert [number for number, _ in store.history()] == list(range(EVENTS_KEPT + 1, 1, -1))


def test_each_room_keeps_its_own(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """D12: no kind of line pushes out another."""
    monkeypatch.setattr(adapter, "KEPT", {Room.TOLD: 3, Room.DONE: 2, Room.REFUSED: 4})
    store.tell(Event(at=NOW, message=message("told")))
    store.tell(Event(at=NOW, message=message("done")), Room.DONE)
    for number in range(50):
        store.tell(Event(at=NOW, message=message("refused", number=number)), Room.REFUSED)
    kept = [each.message for _, each in store.history()]
    assert kept[-2:] == [message("done"), message("told")]
    assert [each.fields["number"] for each in kept[:-2]] == [49, 48, 47, 46]


def test_an_event_is_told_anew_in_its_place(store: SqliteStore) -> None:
    first = store.tell(Event(at=NOW, message=message("one")), Room.REFUSED)
    second = store.tell(Event(at=NOW, message=message("two")))
    assert second > first
    store.retell(first, Event(at=NOW, message=message("one", times=5)))
    store.retell(second + 1, Event(at=NOW, message=message("none")))
    assert [(number, each.message) for number, each in store.history()] == [
        (second, message("two")),
        (first, message("one", times=5)),
    ]


def test_the_audit_log_of_the_version_before_finds_its_rooms(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    old = [
        message("cycle-failed"),
        message("audit.takeover"),
        message("audit.retry", refused="needs-password"),
    ]
    with closing(sqlite3.connect(path)) as db, db:
        for statement in (*MIGRATIONS[0], *MIGRATIONS[1]):
            db.execute(statement)
        for each in old:
            body = msgspec.json.encode(Event(at=NOW, message=each))
            db.execute("INSERT INTO event (body) VALUES (?)", (body,))
        db.execute("PRAGMA user_version = 2")
    store = SqliteStore(path)
    rooms = store._file.rows("SELECT room FROM event ORDER BY number")
    assert rooms == [("told",), ("done",), ("refused",)]
    assert [each.message for each in store.events()] == old[::-1]
    store.close()


def test_many_threads_share_one_store(store: SqliteStore) -> None:
    given: list[int] = []
    threads = [
        Thread(target=lambda: given.extend(store.next_sequence(2) for _ in range(20))) for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(given) == list(range(1, 161))


def test_only_root_may_read_it(store: SqliteStore, path: Path) -> None:
    store.put("figures", b"{}")
    modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    assert modes == dict.fromkeys(("state.db", "state.db-wal", "state.db-shm", "state.reserve"), 0o600)


@pytest.mark.parametrize("damage", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_told(path: Path, damage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(damage)
    with pytest.raises(Failed, match="state-damaged"):
        SqliteStore(path)


def test_a_damaged_page_is_told(store: SqliteStore, path: Path) -> None:
    for sequence in range(1, 60):
        store.record(a_copy(2, sequence))
    store.close()
    whole = bytearray(path.read_bytes())
    whole[4096:] = b"\x5a" * (len(whole) - 4096)
    path.write_bytes(whole)
    with pytest.raises(Failed, match="state-damaged"):
        SqliteStore(path)


def test_a_file_of_a_newer_version_is_refused_untouched(store: SqliteStore, path: Path) -> None:
    store.close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    before = path.read_bytes()
    with pytest.raises(Refused, match="state-from-newer-version"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(Failed, match="state-not-written"):
        SqliteStore(tmp_path / "state" / "state.db")


WRITER = """
import sys
from pathlib import Path
from beistand.adapters.store import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
while True:
    number = store.next_sequence(2)
    store.put("newest", str(number).encode())
    print(number, flush=True)
"""


def test_f1_what_was_returned_survives_a_kill(store: SqliteStore, path: Path) -> None:
    told = 0
    for lines in (3, 17, 40):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(lines):
            told = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        told = int((writer.stdout.read().splitlines() or [told])[-1])
        writer.stdout.close()
        writer.wait()
        assert int(reopened(path).get("newest") or 0) >= told
        assert reopened(path).next_sequence(2) > told


def test_after_gathering_a_copy_of_the_one_file_is_whole(tmp_path: Path) -> None:
    """What a backup of this machine takes is the file itself, not what SQLite keeps beside it."""
    store = SqliteStore(tmp_path / "state.db")
    store.initialise(ME, Side.EVEN, LicenceSet(), a_grant(2, ME))
    store.gather()
    (tmp_path / "copy").mkdir()
    copy = tmp_path / "copy" / "state.db"
    copy.write_bytes((tmp_path / "state.db").read_bytes())
    assert SqliteStore(copy).standing() == store.standing()


def test_who_forgets_what_he_is_keeps_accounts_and_the_named_document(store: SqliteStore) -> None:
    store.adopt(a_grant(2))
    store.set_pair(a_pair())
    store.record(a_copy(2, 1))
    store.put("setup", b"journal")
    store.put("released", b"3")
    for _ in range(2):
        store.forget_identity(keep=("setup",))
    assert not store.is_initialised()
    assert store.pair() is None
    assert store.licences() == LicenceSet()
    assert store.copies() == ()
    assert (store.get("setup"), store.get("released")) == (b"journal", None)
    store.initialise(PEER, Side.ODD, LICENCES, None)
    assert store.standing().grant is None


def test_what_is_known_can_be_read_while_a_disk_takes_its_time(path: Path) -> None:
    """F3, F26: a commit that waits for its fsync keeps neither the address nor a page waiting."""
    file = StateFile(path)
    seen: list[int] = []

    def read() -> int:
        return len(file.rows("SELECT 1 FROM document"))

    reading = Thread(target=lambda: seen.append(read()), daemon=True)
    with file.change() as db:
        db.execute("INSERT INTO document VALUES ('new', x'00')")
        reading.start()
        reading.join(10)
        assert seen == [0]
        assert read() == 1  # whoever changes something sees it
    assert read() == 1
    file.close()
