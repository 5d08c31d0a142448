"""Cut an import, a way along restore points and their recovery at every effect, on a real disk (F1, I10, I11)."""

import contextlib
import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any

import msgspec
import pytest

from beistand.adapters.disk import LocalDisk
from beistand.adapters.folders import trusted_folders
from beistand.adapters.manifests import ManifestFolder
from beistand.domain.generation import CopyState
from beistand.domain.imports import Lineage
from beistand.operations.importing import live_generation, recover_import, restore_points, roll_back
from fakes.cutting import Crash, CutDisk, CutManifests, Scissors, When
from fakes.standby import File, Folder, Link, Rows, Sandbox, Trees, lay_out, sandbox, snapshot

BEFORE: Trees = {
    "etc": Folder(),
    "etc/package.conf": File(b"as the package left it"),
    "etc/host.key": File(b"mine"),
    "lib/pbx": Folder(0o750),
    "lib/pbx/cache": Folder(),
    "lib/pbx/cache/x": File(b"local"),
    "lib/pbx/licences": Folder(),
    "lib/pbx/licences/key": File(b"mine"),
    "lib/pbx/astdb.sqlite3": Rows(("fresh",)),
    "lib/pbx/astdb.sqlite3-wal": File(b"of the fresh one"),
}
ONE: Trees = {
    "etc": Folder(),
    "etc/sip.conf": File(b"one"),
    "etc/keep.conf": File(b"the same"),
    "etc/becomes-folder": File(b"a file"),
    "etc/becomes-file": Folder(0o700),
    "etc/becomes-file/x": File(b"x"),
    "etc/becomes-link": File(b"file"),
    "etc/link": Link("keep.conf"),
    "etc/gone": Folder(0o711),
    "etc/gone/deep": Folder(),
    "etc/gone/deep/file": File(b"moves"),
    "lib/pbx": Folder(),
    "lib/pbx/voicemail": Folder(0o770),
    "lib/pbx/astdb.sqlite3": Rows(("one",)),
}
TWO: Trees = {
    "etc": Folder(0o750),
    "etc/sip.conf": File(b"two"),
    "etc/keep.conf": File(b"the same"),
    "etc/becomes-folder": Folder(),
    "etc/becomes-folder/y": File(b"y", 0o600),
    "etc/becomes-file": File(b"now a file"),
    "etc/becomes-link": Link("sip.conf"),
    "etc/link": Link("becomes-folder/y"),
    "lib/pbx": Folder(),
    "lib/pbx/voicemail": Folder(0o700),
    "lib/pbx/voicemail/moved": File(b"moves", 0o600),
    "lib/pbx/astdb.sqlite3": Rows(("two", "more")),
    "default": File(b"OPTIONS="),
}
THREE: Trees = {**TWO, "etc/sip.conf": File(b"three")}
MOUNTS = ("", "lib")


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory: a thousand imports, each with its syncs."""
    path = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield path
    rmtree(path)


class Disk(CutDisk):
    """May be replaced by one with a planted fault."""


def rebooted(box: Sandbox, scissors: Scissors, kind: type[CutDisk] = Disk) -> Any:
    """Return the node as a new agent sees it: the disk and the store are what is left."""
    disk = kind(trusted_folders(box.profile), mounts=tuple(str(box.live / each) for each in reversed(MOUNTS)))
    disk.scissors = scissors
    box.store._effect = scissors
    node = box.with_disk(disk)
    return with_fields(node, manifests=CutManifests(ManifestFolder(node.places), scissors))


def with_fields(node: Any, **fields: Any) -> Any:
    return type(node)(**{**{name: getattr(node, name) for name in node.__dataclass_fields__}, **fields})


Act = Callable[[Sandbox, Any], object]


class Situation:
    """A standby before an act, which it may or may not survive with the new state."""

    def __init__(self, prepare: Callable[[Sandbox], object], act: Act) -> None:
        self.prepare = prepare
        self.act = act

    def fresh(self, root: Path) -> Sandbox:
        if root.exists():
            rmtree(root)
        root.mkdir()
        box = sandbox(root, mounts=MOUNTS)
        lay_out(box.live, BEFORE)
        self.prepare(box)
        return box


def prepared(*cycles: Trees) -> Callable[[Sandbox], object]:
    return lambda box: [box.cycle(each) for each in cycles]


def second_cycle(box: Sandbox, node: Any) -> object:
    return box.cycle(TWO, node=node)


def back_by_two(box: Sandbox, node: Any) -> object:
    return roll_back(node, restore_points(node)[-1].id)


def forward_again(box: Sandbox, node: Any) -> object:
    return roll_back(node, restore_points(node)[0].id)


def three_points(box: Sandbox) -> None:
    prepared(ONE, TWO)(box)
    # Somebody looked into the imported database and was killed: what lies beside it belongs to it.
    lay_out(box.live, {"lib/pbx/astdb.sqlite3-wal": File(b"of the second one")})
    box.cycle(THREE)


def gone_back(box: Sandbox) -> None:
    three_points(box)
    back_by_two(box, box.node)


SITUATIONS = {
    "first import": Situation(lambda box: None, lambda box, node: box.cycle(ONE, node=node)),
    "next import": Situation(prepared(ONE), second_cycle),
    "no change": Situation(prepared(TWO), second_cycle),
    "restore point": Situation(three_points, back_by_two),
    "newest again": Situation(gone_back, forward_again),
}


def states_between(situation: Situation, folder: Path) -> tuple[dict[str, dict[str, object]], int]:
    """Return every whole state that the act may leave, by the live generation's id, and its count of effects."""
    box = situation.fresh(folder / "whole")
    known = {_live_id(box): box.standing_trees()}
    for point in restore_points(box.node):
        copy = situation.fresh(folder / "point")
        roll_back(copy.node, point.id)
        known[point.id] = copy.standing_trees()
    scissors = Scissors()
    situation.act(box, rebooted(box, scissors))
    known[_live_id(box)] = box.standing_trees()
    return known, scissors.count


def check_whole(box: Sandbox, known: dict[str, dict[str, object]]) -> None:
    """The trees are exactly one generation's, the record names it, and nothing else is left over."""
    lineage = (
        msgspec.json.decode((box.state / "live.json").read_bytes(), type=Lineage)
        if _has_record(box)
        else Lineage()
    )
    assert lineage.moving is None
    assert _live_id(box) in known
    assert box.standing_trees() == known[_live_id(box)]
    assert set(box.staging()) <= lineage.undos
    live = live_generation(box.node)
    for copy in box.store.copies():
        assert copy.state in (CopyState.IMPORTED, CopyState.FAILED)
        if live is not None and copy.generation.id == live.id:
            assert copy.state is CopyState.IMPORTED


def cut(
    box: Sandbox, situation: Situation, first: Scissors, then: Scissors | None, kind: type[CutDisk]
) -> None:
    """Crash in the act, perhaps again in the recovery, then recover for good, twice."""
    with pytest.raises(Crash):
        situation.act(box, rebooted(box, first, kind))
    if then is not None:
        with contextlib.suppress(Crash):
            recover_import(rebooted(box, then))
    recover_import(rebooted(box, Scissors()))
    after = snapshot(box.root)
    recover_import(rebooted(box, Scissors()))
    assert snapshot(box.root) == after, "a second recovery changed something"


def cut_everywhere(situation: Situation, folder: Path, kind: type[CutDisk] = Disk) -> set[str]:
    known, effects = states_between(situation, folder)
    seen = set()
    for at, when in itertools.product(range(effects), When):
        box = situation.fresh(folder / "cut")
        cut(box, situation, Scissors(at, when), None, kind)
        check_whole(box, known)
        seen.add(_live_id(box))
    return seen


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_cut_at_every_effect_leaves_a_whole_generation(name: str, folder: Path) -> None:
    known, _ = states_between(SITUATIONS[name], folder)
    seen = cut_everywhere(SITUATIONS[name], folder)
    assert len(seen) >= 2, "the cuts never reached one of the two ends"
    assert seen <= set(known)


@pytest.mark.parametrize("name", ["next import", "restore point"])
def test_a_second_cut_in_the_recovery_changes_nothing_of_that(name: str, folder: Path) -> None:
    situation = SITUATIONS[name]
    known, effects = states_between(situation, folder)
    recoveries = 0
    for at in range(0, effects, 3):
        for again in itertools.count(at % 2, 2):
            box = situation.fresh(folder / "cut")
            then = Scissors(again, When.AFTER if again % 4 < 2 else When.BEFORE)
            cut(box, situation, Scissors(at, When.AFTER), then, Disk)
            check_whole(box, known)
            if then.count <= again:
                break
            recoveries += 1
    assert recoveries > 100


def test_after_a_cut_the_next_cycle_works(folder: Path) -> None:
    situation = SITUATIONS["next import"]
    _, effects = states_between(situation, folder)
    for at in range(0, effects, 4):
        box = situation.fresh(folder / "cut")
        cut(box, situation, Scissors(at, When.AFTER), None, Disk)
        if (live := live_generation(box.node)) is not None and live.sequence == box.sequence:
            box.trees = TWO
        box.cycle(THREE)
        for name, seen in box.expected(THREE).items():
            assert box.standing_trees()[name] == seen


class JournalTooLate(CutDisk):
    """The record of what is under way is written after the first rename."""

    held: bytes | None = None

    def write(self, path: Path, body: bytes) -> None:
        if b'"moving":{' in body:
            self.held = body
            self.record = path
        else:
            super().write(path, body)

    def take(self, *given: Any) -> None:
        self.scissors(lambda: LocalDisk.take(self, *given))
        if self.held is not None:
            body, self.held = self.held, None
            super().write(self.record, body)


class NothingKept(CutDisk):
    """What is replaced is thrown away instead of being kept as undo."""

    def take(self, path: str, slot: Any) -> None:
        if slot.side == "old":
            Path(path).unlink(missing_ok=True)
        else:
            super().take(path, slot)


class CommitTooEarly(CutDisk):
    """The commit is written before the last renames."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.late: list[Callable[[], None]] = []

    def place(self, *given: Any) -> None:
        self.late.append(lambda: CutDisk.place(self, *given))

    def write(self, path: Path, body: bytes) -> None:
        super().write(path, body)
        if b'"moving":null' in body or b'"moving"' not in body:
            while self.late:
                late = self.late.pop(0)
                self.scissors(late)


class ModesForgotten(CutDisk):
    """Folders do not get their modes back."""

    def set_folder(self, path: str, shape: Any) -> None:
        super().set_folder(path, msgspec.structs.replace(shape, mode=0o755))


class LinksFollowed(CutDisk):
    """A link is staged as pointing elsewhere."""

    def stage_link(self, slot: Any, shape: Any) -> None:
        super().stage_link(slot, msgspec.structs.replace(shape, target=shape.target + "x"))


@pytest.mark.parametrize(
    "fault", [JournalTooLate, NothingKept, CommitTooEarly, ModesForgotten, LinksFollowed]
)
def test_planted_faults_are_caught(fault: type[CutDisk], folder: Path) -> None:
    with pytest.raises(AssertionError):
        cut_everywhere(SITUATIONS["next import"], folder, fault)


def _live_id(box: Sandbox) -> str:
    live = live_generation(box.node)
    return live.id if live else ""


def _has_record(box: Sandbox) -> bool:
    return (box.state / "live.json").exists()
