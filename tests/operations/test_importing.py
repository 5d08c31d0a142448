"""Restore points and what is kept (B7)."""

from pathlib import Path

import pytest

from beistand.domain.errors import Refused
from beistand.domain.generation import CopyState
from beistand.operations.importing import live_generation, recover_import, restore_points, roll_back
from fakes.progress import FakeProgress
from fakes.standby import File, Folder, Rows, Sandbox, Trees, sandbox


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return sandbox(tmp_path)


def state(number: int) -> Trees:
    """Return trees that differ from those of every other number in content, mode, names and database."""
    return {
        "etc": Folder(),
        "etc/same": File(b"same"),
        "etc/sip.conf": File(str(number).encode()),
        f"etc/{number}": Folder(0o700 + number),
        f"etc/{number}/file": File(b"moves with each"),
        "lib/pbx": Folder(),
        "lib/pbx/astdb.sqlite3": Rows((str(number),)),
    }


def import_states(box: Sandbox, count: int) -> list[str]:
    return [box.cycle(state(number)).generation.id for number in range(count)]


def test_every_restore_point_is_exactly_what_it_was_in_any_order(box: Sandbox) -> None:
    ids = import_states(box, 4)
    for number in (0, 3, 1, 2, 2, 0):
        roll_back(box.node, ids[number])
        assert box.standing_trees() == {"lib": ("folder", 0o755, "root"), **box.expected(state(number))}
        assert live_generation(box.node).id == ids[number]  # type: ignore[union-attr]
        assert [each.id for each in restore_points(box.node)] == ids[::-1]


def test_an_import_after_going_back_replaces_what_was_newer(box: Sandbox) -> None:
    ids = import_states(box, 4)
    roll_back(box.node, ids[1])
    box.trees = state(1)
    newest = box.cycle(state(9)).generation.id
    assert [each.id for each in restore_points(box.node)] == [newest, ids[1], ids[0]]
    assert len(box.staging()) == 3
    roll_back(box.node, ids[0])
    assert box.expected(state(0)).items() <= box.standing_trees().items()


def test_the_oldest_restore_points_go_first(box: Sandbox) -> None:
    box.store.keep = 2
    ids = import_states(box, 6)
    assert [each.id for each in restore_points(box.node)] == ids[:2:-1]
    assert box.staging() == sorted(ids[4:])
    assert len(list((box.state / "manifests").glob("*.jsonl"))) == 3
    with pytest.raises(Refused, match="restore-point-unknown"):
        roll_back(box.node, ids[2])
    assert box.expected(state(5)).items() <= box.standing_trees().items()


def test_fewer_restore_points_are_kept_from_the_next_import_on(box: Sandbox) -> None:
    ids = import_states(box, 5)
    box.store.keep = 1
    box.cycle(state(5))
    assert [each.sequence for each in restore_points(box.node)] == [6, 5]
    roll_back(box.node, ids[4])
    assert box.expected(state(4)).items() <= box.standing_trees().items()


def test_no_way_back_once_the_trees_moved_on(box: Sandbox) -> None:
    ids = import_states(box, 2)
    box.store.stands = type(box.store.stands)(
        me="a" * 16, side=box.store.stands.side, own_epoch=2, settled_epoch=2
    )
    with pytest.raises(Refused, match="live-moved-on"):
        roll_back(box.node, ids[0])
    roll_back(box.node, ids[1])  # it is the live one: there is nothing to do


def test_a_running_pbx_keeps_its_data(box: Sandbox) -> None:
    ids = import_states(box, 2)
    box.services.running.add("pbx.service")
    with pytest.raises(Refused, match="pbx-running"):
        roll_back(box.node, ids[0])


def test_a_lost_record_of_a_copy_is_repaired(box: Sandbox) -> None:
    import_states(box, 2)
    box.store._copies.clear()
    recover_import(box.node)
    assert [copy.state for copy in box.store.copies()] == [CopyState.IMPORTED]


def test_recovery_of_an_appliance_that_never_imported_does_nothing(box: Sandbox) -> None:
    recover_import(box.node)
    assert live_generation(box.node) is None
    assert restore_points(box.node) == ()
    assert box.standing_trees() == {"lib": ("folder", 0o755, "root")}


class Counting(FakeProgress):
    """Notes how far the import itself was said to be, between any two effects."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[int] = []

    def advance(self, done: int, total: int) -> None:
        super().advance(done, total)
        if self.stages[-1] == "import":
            self.steps.append(done)


def test_an_import_goes_once_over_the_files_that_changed(box: Sandbox) -> None:
    """F14: of a million files each pass takes its time, in an import and in its way back."""
    many: Trees = {"etc": Folder(), **{f"etc/{number}": File(b"one") for number in range(100)}}
    box.cycle(many)
    job = Counting()
    box.cycle({name: File(b"two") if name != "etc" else Folder() for name in many}, job=job)
    *before_each, at_the_end = job.steps
    assert len(before_each) == 100
    assert job.steps == sorted(job.steps)
    assert (at_the_end, at_the_end) == job.told
