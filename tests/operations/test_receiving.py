"""Offers, verification and what reaches the trees (S15, S17, F4, F5, F7, I10, I11)."""

import os
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beistand.domain.errors import BadGeneration, BeistandError, Cancelled, Failed, NoSpace, Refused
from beistand.domain.generation import CopyState
from beistand.domain.manifest import Entry, Kind, database_name, dump_name, encode
from beistand.domain.role import Grant, Standing
from beistand.operations.importing import live_base, live_generation, restore_points
from beistand.operations.receiving import check_offer, receive_generation
from fakes.clock import A_SUNDAY_NOON
from fakes.progress import FakeProgress
from fakes.standby import File, Folder, Link, Rows, Sandbox, Trees, database_bytes, lay_out, sandbox, snapshot

TREES: Trees = {
    "etc": Folder(),
    "etc/sip.conf": File(b"one"),
    "etc/users": Folder(0o750),
    "etc/users/102": File(b"forwarded"),
    "lib/pbx": Folder(),
    "lib/pbx/sounds": Link("/usr/share/asterisk/sounds"),
    "lib/pbx/astdb.sqlite3": Rows(("one",)),
}
OWN: Trees = {
    "etc": Folder(),
    "etc/host.key": File(b"mine", 0o600),
    "etc/package.conf": File(b"default"),
    "lib/pbx": Folder(),
    "lib/pbx/licences": Folder(0o700),
    "lib/pbx/licences/key": File(b"mine", 0o600),
    "identity": Folder(),
    "identity/secret": File(b"mine", 0o600),
}


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    box = sandbox(tmp_path, mounts=("", "lib"))
    lay_out(box.live, OWN)
    return box


def refusal(box: Sandbox, **fields: Any) -> str:
    with pytest.raises(Refused) as refused:
        check_offer(box.node, box.announce(TREES, **fields))
    return refused.value.message.code


def with_standing(
    box: Sandbox, epoch: int, *, holder: str = "b" * 16, own: int = 0, settled: int = 0
) -> Standing:
    grant = Grant(epoch=epoch, holder=holder, parent=0, operator="root", at=A_SUNDAY_NOON, evidence="")
    return msgspec.structs.replace(box.store.stands, grant=grant, own_epoch=own, settled_epoch=settled)


# --- the offer ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"pair": "d" * 32}, "generation-other-pair"),
        ({"source": "d" * 16}, "not-our-peer"),
        ({"profile": "freepbx"}, "generation-profile-differs"),
        ({"pbx_version": "Asterisk 20.1.0"}, "generation-version-differs"),
        ({"id": "../../etc-1"}, "generation-malformed"),
        ({"id": "20260301T120100Z-1\n"}, "generation-malformed"),
        ({"id": "20260301T120100Z-9"}, "generation-malformed"),
        ({"id": "٢0260301T120100Z-1"}, "generation-malformed"),
        ({"manifest": "../live"}, "generation-malformed"),
        ({"entries": -1}, "generation-malformed"),
        ({"entries": 10**9}, "generation-malformed"),
        ({"size": -1}, "generation-malformed"),
        ({"epoch": 0}, "generation-malformed"),
    ],
)
def test_an_offer_that_does_not_fit_is_refused(box: Sandbox, fields: dict[str, Any], code: str) -> None:
    assert refusal(box, **fields) == code


def test_an_offer_of_another_version_names_both(box: Sandbox) -> None:
    with pytest.raises(Refused) as refused:
        check_offer(box.node, box.announce(TREES, pbx_version="Asterisk 20.1.0"))
    assert refused.value.message.fields == {"ours": "Asterisk 22.10.0", "theirs": "Asterisk 20.1.0"}


def test_an_appliance_without_a_pair_takes_nothing(box: Sandbox) -> None:
    box.store.paired = None
    assert refusal(box) == "not-paired"


def test_an_active_or_superseded_appliance_imports_nothing(box: Sandbox) -> None:
    box.store.stands = with_standing(box, 1, holder="a" * 16, own=1)
    assert refusal(box) == "not-standby"
    box.store.stands = with_standing(box, 3, own=2)
    assert refusal(box, epoch=3) == "not-standby"


def test_nothing_is_imported_under_a_running_pbx(box: Sandbox) -> None:
    generation = box.announce(TREES)
    box.send(TREES, "")
    box.services.running.add("pbx.service")
    before = snapshot(box.root)
    with pytest.raises(Refused, match="pbx-running"):
        receive_generation(box.node, generation, "", FakeProgress())
    assert snapshot(box.root) == before


def test_order_is_by_lineage_and_not_by_clock(box: Sandbox) -> None:
    box.cycle(TREES)
    box.cycle({**TREES, "etc/new": File(b"")})
    long_ago = {"id": "19700101T000000Z-2", "sequence": 2}
    assert refusal(box, **long_ago) == "generation-not-newer"
    box.sequence = 10
    later = box.announce(TREES, id="19700101T000000Z-11")
    assert check_offer(box.node, later).base


def test_a_generation_of_an_epoch_that_is_over_is_refused_whatever_its_number(box: Sandbox) -> None:
    box.cycle(TREES)
    box.store.stands = with_standing(box, 4)
    assert refusal(box, epoch=2) == "generation-superseded"


def test_a_generation_of_an_epoch_that_nobody_was_granted_is_refused(box: Sandbox) -> None:
    box.cycle(TREES)
    assert refusal(box, epoch=1000) == "generation-epoch-unknown"


def test_a_new_pair_begins_its_own_order(box: Sandbox) -> None:
    box.cycle(TREES)
    assert box.store.paired is not None
    other = "d" * 32
    box.store.paired = msgspec.structs.replace(box.store.paired, id=other)
    box.sequence = 0
    assert check_offer(box.node, box.announce(TREES, pair=other))


def test_after_serving_everything_is_compared_anew(box: Sandbox) -> None:
    box.cycle(TREES)
    assert live_base(box.node)
    box.store.stands = with_standing(box, 4, own=3, settled=3)
    lay_out(box.live, {"etc/users/102": File(b"changed while serving")})
    generation = box.announce(TREES, epoch=4)
    assert check_offer(box.node, generation).base == ""
    box.send(TREES, "")
    receive_generation(box.node, generation, "", FakeProgress())
    assert box.standing_trees()["etc/users/102"] == box.expected(TREES)["etc/users/102"]
    assert [each.id for each in restore_points(box.node)] == [generation.id]


# --- imports --------------------------------------------------------------------------------------


def test_a_first_import_makes_the_trees_equal_and_keeps_what_is_our_own(box: Sandbox) -> None:
    copy = box.cycle(TREES)
    assert copy.state is CopyState.IMPORTED
    own = {name: thing for name, thing in OWN.items() if name != "etc/package.conf"}
    assert box.standing_trees() == {
        "lib": ("folder", 0o755, "root"),
        **box.expected(own),
        **box.expected(TREES),
    }
    assert not list(box.inbox.glob("files/*"))
    assert not list(box.inbox.glob("manifest/*"))
    assert list(box.inbox.glob("databases/*"))


def test_owner_mode_and_time_are_the_actives(box: Sandbox) -> None:
    secret = File(b"", 0o400, "daemon", 1_600_000_000_123_456_789)
    trees = {**TREES, "etc/secret": secret, "etc/x": Folder(0o1770, "daemon")}
    box.cycle(trees)
    assert box.expected(trees).items() <= box.standing_trees().items()


def test_names_that_are_no_text_come_back_as_they_were(box: Sandbox) -> None:
    odd = os.fsdecode(b"etc/\xff\xfe new\nline")
    trees = {**TREES, odd: File(b"odd"), "etc/träger": File(b"utf-8")}
    box.cycle(trees)
    box.cycle({**trees, odd: File(b"other")})
    assert box.standing_trees()[odd] == ("file", 0o640, "root", b"other", 1_700_000_000_000_000_000)


def test_a_rename_costs_no_content(box: Sandbox) -> None:
    box.cycle({**TREES, "etc/a": File(b"recording" * 1000)})
    moved = {**TREES, "etc/users/a": File(b"recording" * 1000, 0o600)}
    box.cycle(moved)
    assert box.expected(moved).items() <= box.standing_trees().items()


def test_a_touched_path_is_replaced_whatever_it_holds_and_kept(box: Sandbox) -> None:
    box.cycle(TREES)
    lay_out(box.live, {"etc/sip.conf": File(b"edited by hand")})
    changed = {**TREES, "etc/sip.conf": File(b"two")}
    box.cycle(changed)
    assert box.expected(changed).items() <= box.standing_trees().items()
    assert any(path.read_bytes() == b"edited by hand" for path in box.live.rglob(".beistand/*/old/*"))


def test_a_local_change_that_would_be_reused_is_seen_and_repaired_by_the_next_cycle(box: Sandbox) -> None:
    box.cycle(TREES)
    lay_out(box.live, {"etc/sip.conf": File(b"edited by hand")})
    moved = {**TREES, "etc/renamed.conf": File(b"one")}
    with pytest.raises(Failed, match="live-drifted"):
        box.cycle(moved)
    assert box.store.copies()[0].state is CopyState.FAILED
    box.cycle(moved)
    assert box.expected(moved).items() <= box.standing_trees().items()
    assert box.standing_trees()["etc/sip.conf"] == box.expected(TREES)["etc/sip.conf"]


def test_a_folder_that_became_a_link_here_redirects_nothing(box: Sandbox) -> None:
    box.cycle(TREES)
    users = box.live / "etc/users"
    (users / "102").unlink()
    users.rmdir()
    users.symlink_to(box.live / "identity")
    changed = {**TREES, "etc/users/102": File(b"new"), "etc/users/secret": File(b"overwritten")}
    with pytest.raises(Failed, match="live-drifted"):
        box.cycle(changed)
    assert (box.live / "identity/secret").read_bytes() == b"mine"
    box.cycle(changed)
    assert (box.live / "identity/secret").read_bytes() == b"mine"
    assert box.expected(changed).items() <= box.standing_trees().items()


def test_a_tree_that_an_administrator_moved_elsewhere_is_refused(box: Sandbox) -> None:
    (box.live / "etc").rename(box.live / "elsewhere")
    (box.live / "etc").symlink_to(box.live / "elsewhere")
    before = box.standing_trees()
    with pytest.raises(Failed, match="tree-differs"):
        box.cycle(TREES)
    assert box.standing_trees() == before


def test_a_folder_with_files_of_our_own_stays_and_is_told(box: Sandbox) -> None:
    box.cycle(TREES)
    lay_out(box.live, {"etc/users/mine": File(b"")})
    without = {name: thing for name, thing in TREES.items() if not name.startswith("etc/users")}
    box.cycle(without)
    assert "etc/users/mine" in box.standing_trees()
    assert "etc/users/102" not in box.standing_trees()
    assert box.store.events[-1].message.code == "folders-kept"


def test_what_lies_beside_a_database_goes_and_comes_back_with_it(box: Sandbox) -> None:
    box.cycle(TREES)
    lay_out(box.live, {"lib/pbx/astdb.sqlite3-wal": File(b"frames of one")})
    box.cycle({**TREES, "lib/pbx/astdb.sqlite3": Rows(("two",))})
    assert "lib/pbx/astdb.sqlite3-wal" not in box.standing_trees()
    assert box.standing_trees()["lib/pbx/astdb.sqlite3"] == ("database", 0o660, "root", ("two",))


def test_an_unchanged_generation_costs_no_restore_point(box: Sandbox) -> None:
    box.cycle(TREES)
    box.cycle({**TREES, "etc/new": File(b"")})
    for _ in range(10):
        copy = box.cycle({**TREES, "etc/new": File(b"")})
    assert live_generation(box.node) == copy.generation
    assert len(restore_points(box.node)) == 2


def test_a_cancelled_import_leaves_the_generation_before(box: Sandbox) -> None:
    box.cycle(TREES)
    before, live = box.standing_trees(), live_generation(box.node)
    changed = {**TREES, "etc/sip.conf": File(b"two"), "etc/new": File(b""), "etc/newer": File(b"")}
    cancelled = 0
    while True:
        job = FakeProgress(cancel_at=cancelled + 1)
        try:
            box.cycle(changed, job=job)
        except Cancelled:
            cancelled += 1
        else:
            break
        assert box.standing_trees() == before
        assert live_generation(box.node) == live
        assert box.store.copies()[0].state is CopyState.FAILED
    assert cancelled == job.checks > 15
    assert box.expected(changed).items() <= box.standing_trees().items()


def test_a_second_file_system_below_a_tree_gets_staging_of_its_own(tmp_path: Path) -> None:
    with SmallDisk(tmp_path / "live" / "etc" / "users", "32m"):
        box = sandbox(tmp_path, mounts=("etc/users", "lib", ""))
        box.cycle(TREES)
        box.cycle({**TREES, "etc/users/102": File(b"two")})
        assert box.standing_trees()["etc/users/102"][3] == b"two"  # type: ignore[index]
        assert (box.live / "etc/users/.beistand").exists()


# --- full disks -----------------------------------------------------------------------------------


class SmallDisk:
    """A small file system, for as long as the block."""

    def __init__(self, path: Path, size: str) -> None:
        self._path = path
        self._size = size

    def __enter__(self) -> None:
        self._path.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self._size}", "none", self._path], check=True)

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "-l", self._path], check=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Sandbox]:
    with SmallDisk(tmp_path / "live", "24m"):
        (tmp_path / "live/lib").mkdir()
        yield sandbox(tmp_path)


def test_space_is_checked_before_anything_is_staged(small: Sandbox) -> None:
    small.cycle(TREES)
    before = snapshot(small.root / "live")
    with pytest.raises(NoSpace) as full:
        small.cycle({**TREES, "etc/big": File(bytes(12 << 20))})
    assert full.value.message.code == "no-space"
    assert full.value.message.fields["mount"] == str(small.live)
    assert snapshot(small.root / "live") == before


def test_a_disk_that_fills_up_while_staging_changes_nothing(small: Sandbox) -> None:
    small.cycle(TREES)
    before = small.standing_trees()

    class Lying(type(small.disk)):  # type: ignore[misc]
        """Says that there is room."""

        def free(self, mount: str) -> int:
            return 1 << 40

    small.disk.__class__ = Lying
    with pytest.raises(NoSpace):
        small.cycle({**TREES, "etc/big": File(bytes(30 << 20))})
    assert small.standing_trees() == before
    assert len(small.staging()) == 1
    small.cycle({**TREES, "etc/small": File(b"")})


# --- damaged and hostile generations --------------------------------------------------------------


def rejected(box: Sandbox, trees: Trees, *, tamper: Any = None, **fields: Any) -> BeistandError:
    """Send these trees; return why they were not imported, after checking that nothing changed."""
    generation = box.announce(trees, **fields)
    base = check_offer(box.node, generation).base
    box.send(trees, base)
    if tamper:
        tamper()
    before = snapshot(box.live, without=".beistand")
    with pytest.raises(BeistandError) as bad:
        receive_generation(box.node, generation, base, FakeProgress())
    assert snapshot(box.live, without=".beistand") == before
    assert not (box.live / ".beistand").exists() or not box.staging()
    assert box.store.copies()[0].state is CopyState.FAILED
    return bad.value


@pytest.mark.parametrize(
    ("name", "thing", "code"),
    [
        ("etc/host.key", File(b"theirs"), "names-identity"),
        ("lib/pbx/licences", Folder(), "names-identity"),
        ("identity/secret", File(b"theirs"), "names-identity"),
        ("etc/new", Link("../identity/secret"), "link-to-identity"),
        ("etc/new", Link("/etc/machine-id"), "link-to-identity"),
        ("etc/new", Link("//etc/ssh/ssh_host_ed25519_key"), "link-to-identity"),
        ("etc/new", Link("/var/lib/../../etc/shadow"), "odd-link"),
        ("etc/new", Link("users/../../../../etc/shadow"), "odd-link"),
        ("etc/new", Link("/usr/bin"), "link-leaves-trees"),
        ("etc/new", Link("../../outside"), "link-leaves-trees"),
        ("etc/new", Link("/"), "link-leaves-trees"),
        ("elsewhere", File(b""), "outside-trees"),
        ("lib/pbx/cache/x", File(b""), "outside-trees"),
        ("etc/.beistand/x", File(b""), "names-staging"),
        ("etc/nowhere/x", File(b""), "folder-missing"),
        ("etc/sip.conf/x", File(b""), "folder-missing"),
        ("lib/pbx/sounds/x", File(b""), "folder-missing"),
        ("etc/other.sqlite3", Rows(("x",)), "database-undeclared"),
        ("lib/pbx/astdb.sqlite3-wal", File(b""), "outside-trees"),
        ("etc/x", File(b"", owner="no-such-account"), "owner-unknown"),
    ],
)
def test_what_must_never_be_written_rejects_the_whole_generation(
    box: Sandbox, name: str, thing: Any, code: str
) -> None:
    error = rejected(box, {**TREES, name: thing})
    assert error.message.code == code
    if code not in ("owner-unknown", "database-undeclared"):
        assert error.message.fields["path"] == str(box.live / name)


def test_a_link_that_stands_here_already_may_stay(box: Sandbox) -> None:
    (box.live / "etc/there").symlink_to("/opt/elsewhere")
    box.cycle({**TREES, "etc/there": Link("/opt/elsewhere")})
    assert box.standing_trees()["etc/there"] == ("link", "/opt/elsewhere")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"entries": 6}, "counts-differ"),
        ({"entries": 8}, "counts-differ"),
        ({"size": 1}, "counts-differ"),
        ({"manifest": "0" * 64}, "manifest-differs"),
    ],
)
def test_a_manifest_that_lies_is_rejected(box: Sandbox, fields: dict[str, Any], code: str) -> None:
    assert rejected(box, TREES, **fields).message.code == code


def test_a_flipped_byte_names_the_file(box: Sandbox) -> None:
    path = f"files{box.live}/etc/sip.conf"
    error = rejected(box, TREES, tamper=lambda: box.put(path, b"onE"))
    assert error.message.code == "content-differs"
    assert error.message.fields == {"path": str(box.live / "etc/sip.conf")}


@pytest.mark.parametrize("content", [b"", b"on", b"one more", bytes(1 << 20)])
def test_a_file_of_another_size_is_rejected(box: Sandbox, content: bytes) -> None:
    path = f"files{box.live}/etc/sip.conf"
    assert rejected(box, TREES, tamper=lambda: box.put(path, content)).message.code == "content-differs"


@pytest.mark.parametrize("kind", ["link", "folder-link", "fifo", "device", "folder", "missing", "inbox-link"])
def test_only_regular_files_are_taken_from_the_inbox(box: Sandbox, kind: str, tmp_path: Path) -> None:
    there = box.inbox / f"files{box.live}/etc/sip.conf"
    elsewhere = tmp_path / "elsewhere"
    lay_out(elsewhere, {"sip.conf": File(b"one")})

    def tamper() -> None:
        there.unlink()
        if kind == "link":
            there.symlink_to(elsewhere / "sip.conf")
        elif kind == "folder-link":
            (there.parent / "users/102").unlink()
            (there.parent / "users").rmdir()
            there.parent.rmdir()
            there.parent.symlink_to(elsewhere)
        elif kind == "fifo":
            os.mkfifo(there)
        elif kind == "device":
            os.mknod(there, 0o20666, os.makedev(1, 3))
        elif kind == "folder":
            there.mkdir()
        elif kind == "inbox-link":
            there.write_bytes(b"one")
            box.inbox.rename(tmp_path / "moved")
            box.inbox.symlink_to(tmp_path / "moved")

    assert rejected(box, TREES, tamper=tamper).message.code == "content-missing"


def test_a_damaged_database_is_rejected(box: Sandbox) -> None:
    trees = {**TREES, "lib/pbx/astdb.sqlite3": Rows(tuple(f"{count:0200}" for count in range(200)))}
    entries = box.entries(trees)
    at = next(index for index, entry in enumerate(entries) if entry.kind is Kind.DATABASE)
    body = bytearray(database_bytes(trees["lib/pbx/astdb.sqlite3"]))  # type: ignore[arg-type]
    body[4096:8192] = os.urandom(4096)
    error = rejected_entries(box, trees, entries, at, bytes(body))
    assert error.message.code == "database-damaged"


def rejected_entries(box: Sandbox, trees: Trees, entries: list[Entry], at: int, body: bytes) -> BeistandError:
    """Send a generation whose manifest tells the truth about one damaged dump."""
    entry = msgspec.structs.replace(entries[at], digest=sha256(body).hexdigest(), size=len(body))
    entries = [*entries[:at], entry, *entries[at + 1 :]]
    lines = b"".join(map(encode, entries))
    generation = box.announce(
        trees, manifest=sha256(lines).hexdigest(), size=sum(each.size for each in entries)
    )
    box.send(trees, "")
    box.put("manifest/current.jsonl", lines)
    box.put(f"databases/{dump_name(database_name(entry))}", body)
    before = snapshot(box.live)
    with pytest.raises(BadGeneration) as bad:
        receive_generation(box.node, generation, "", FakeProgress())
    assert snapshot(box.live, without=".beistand") == before
    return bad.value


def test_a_base_that_is_not_live_here_is_refused(box: Sandbox) -> None:
    box.cycle(TREES)
    changed = {**TREES, "etc/new": File(b"")}
    generation = box.announce(changed)
    box.send(changed, "x")
    with pytest.raises(Refused, match="base-unknown"):
        receive_generation(box.node, generation, "0" * 64, FakeProgress())


def test_a_rejected_generation_leaves_the_last_good_one_usable(box: Sandbox) -> None:
    box.cycle(TREES)
    good = box.standing_trees()
    changed = {**TREES, "etc/sip.conf": File(b"two")}
    generation = box.announce(changed)
    box.send(changed, check_offer(box.node, generation).base)
    box.put(f"files{box.live}/etc/sip.conf", b"damaged")
    with pytest.raises(BadGeneration):
        receive_generation(box.node, generation, live_base(box.node), FakeProgress())
    assert box.standing_trees() == good
    box.cycle(changed)
    assert box.expected(changed).items() <= box.standing_trees().items()


def test_staging_belongs_to_root_alone(box: Sandbox) -> None:
    box.cycle(TREES)
    for path in box.live.rglob(".beistand"):
        assert path.stat().st_mode & 0o777 == 0o700
    (box.live / "lib/.beistand").rename(box.live / "lib/away")
    (box.live / "lib/.beistand").symlink_to(box.live / "identity")
    with pytest.raises(Failed, match="staging-not-ours"):
        box.cycle({**TREES, "lib/pbx/new": File(b"")})
    assert box.standing_trees()["identity/secret"] == box.expected(OWN)["identity/secret"]


def test_a_takeover_does_not_wait_for_a_long_recording(box: Sandbox) -> None:
    box.cycle(TREES)
    checks = FakeProgress()
    box.cycle({**TREES, "etc/long": File(bytes(8 << 20))}, job=checks)
    short = FakeProgress()
    box.cycle({**TREES, "etc/long": File(b"short")}, job=short)
    assert checks.checks > short.checks + 6
