"""What is about to travel has room on the standby, whatever lies in its inbox (B5)."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from beistand.domain.errors import NoSpace
from beistand.domain.manifest import Entry, Kind, changes, portions
from beistand.domain.words import word_problem
from beistand.operations.room_there import answer_offer, make_room, room_needed
from beistand.protocol import FolderNeed, MakeRoom
from fakes.standby import File, Folder, Sandbox, Trees, sandbox, snapshot
from operations.test_receiving import SmallDisk

MIB = 1 << 20
TREES: Trees = {"etc": Folder(), "etc/sip.conf": File(b"one"), "lib/pbx": Folder()}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Sandbox]:
    """A standby whose whole file system, inbox included, has 64 MiB."""
    with SmallDisk(tmp_path / "all", "64m"):
        box = sandbox(tmp_path / "all")
        box.disk._given_mounts = (str(box.root),)
        yield box


def needed(box: Sandbox, size: int, *, arriving: int = -1) -> MakeRoom:
    """Return what a recording of this size needs."""
    folder = str(box.live / "var")
    return MakeRoom(
        arriving=size if arriving < 0 else arriving,
        folders=(FolderNeed(path=folder, size=size),),
        largest=FolderNeed(path=f"{folder}/big.wav", size=size),
    )


def entry(path: str, size: int, digest: str = "a", kind: Kind = Kind.FILE) -> Entry:
    return Entry(path=path, kind=kind, mode=0o600, owner="root", group="root", size=size, digest=digest * 64)


def test_what_has_room_leaves_an_interrupted_transfer_where_it_is(small: Sandbox) -> None:
    small.put("files/var/half.wav", bytes(MIB))
    make_room(small.node, needed(small, MIB))
    assert (small.inbox / "files/var/half.wav").exists()


def test_it_counts_twice_where_inbox_and_trees_share_a_disk(small: Sandbox) -> None:
    make_room(small.node, needed(small, 20 * MIB))
    with pytest.raises(NoSpace) as refused:
        make_room(small.node, needed(small, 30 * MIB))
    assert refused.value.message.code == "no-room-for-generation"
    fields = refused.value.message.fields
    assert (fields["path"], fields["size"]) == (str(small.live / "var/big.wav"), 30 * MIB)
    assert (fields["needed"], fields["mount"]) == (60 * MIB, str(small.root))
    assert isinstance(fields["free"], int)
    assert 0 < fields["free"] < 60 * MIB


@pytest.mark.parametrize(
    "name", ["files/var/big.wav", "manifest/x", "databases/y", "strange/deep/z", "alone"]
)
def test_what_an_earlier_transfer_left_goes_for_the_next_one(small: Sandbox, name: str) -> None:
    small.put(name, bytes(40 * MIB))
    before = snapshot(small.live)
    make_room(small.node, needed(small, 10 * MIB))
    assert os.listdir(small.inbox) == []
    assert snapshot(small.live) == before


@pytest.mark.parametrize("name", ["files/var/big.wav", "strange/z"])
def test_an_offer_is_not_refused_for_the_sake_of_junk(small: Sandbox, name: str) -> None:
    small.cycle(TREES)
    small.put(name, bytes(46 * MIB))
    taken = small.node.disk.free(str(small.root))
    offered = small.announce(TREES, entries=(taken >> 20) * 1400)  # three lines of each have to have room
    assert answer_offer(small.node, offered).base
    assert os.listdir(small.inbox) == []


def test_links_and_pipes_in_the_inbox_lead_nowhere(small: Sandbox) -> None:
    small.put("files/x", bytes(46 * MIB))
    (small.inbox / "out").symlink_to(small.live)
    os.mkfifo(small.inbox / "pipe")
    (small.live / "kept").write_bytes(b"1")
    make_room(small.node, needed(small, 10 * MIB))
    assert os.listdir(small.inbox) == []
    assert (small.live / "kept").exists()


def test_needed_is_what_travels_and_what_is_staged() -> None:
    old = [entry("/t/a", 5), entry("/t/b", 7, "b"), entry("/t/same", 9, "c")]
    new = [
        entry("/t/a", 50, "d"),
        entry("/t/moved", 7, "b"),
        entry("/t/same", 9, "c"),
        entry("/u/new", 70, "e"),
    ]
    found = room_needed(portions(changes(iter(old), iter(new)), lambda: iter(old)))
    assert found.arriving == 120  # what was renamed does not travel
    assert found.folders == (FolderNeed(path="/u", size=70), FolderNeed(path="/t", size=57))
    assert found.largest == FolderNeed(path="/u/new", size=70)


def test_names_that_no_text_can_hold_are_left_to_the_other_side() -> None:
    odd = os.fsdecode(b"/t\xff/a")
    found = room_needed(portions(changes(iter([]), iter([entry(odd, 10)])), lambda: iter([])))
    assert (found.arriving, found.folders, found.largest.size) == (10, (), 10)


@pytest.mark.parametrize("name", ["a\nb.wav", "\x1b[2J.wav", "\u202egnp.wav", "\n" * 250])
def test_no_name_of_a_file_makes_words_that_the_other_side_refuses(name: str) -> None:
    """A cycle would never end: whoever makes recordings names them."""
    path = "/var/" + f"{name}/" * 16 + name
    new = [entry(path[:4095], MIB)]
    request = room_needed(portions(changes([], new), lambda: iter(())))
    assert word_problem(request) is None
    assert msgspec.json.decode(msgspec.json.encode(request), type=MakeRoom) == request
