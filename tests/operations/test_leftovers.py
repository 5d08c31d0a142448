"""F2, F3: a job that could not even write down how it ended is ended by the next look, not by a restart."""

from pathlib import Path
from typing import Any, NoReturn

import pytest

from beistand.domain.errors import BeistandError, Cancelled, NoSpace
from beistand.domain.generation import Copy, CopyState
from beistand.operations.data_ready import make_ready
from beistand.operations.importing import live_generation
from beistand.operations.leftovers import clear_leftovers, has_leftovers
from fakes.progress import FakeProgress
from fakes.standby import File, Folder, Sandbox, Trees, sandbox

TREES: Trees = {"etc": Folder(), "etc/sip.conf": File(b"one"), "lib/pbx": Folder()}


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    box = sandbox(tmp_path)
    box.cycle(TREES)
    return box


def full(*_arguments: Any, **_named: Any) -> NoReturn:
    raise NoSpace("state-disk-full", path="/var/lib/beistand/state.db")


def test_a_good_import_leaves_nothing(box: Sandbox) -> None:
    assert not has_leftovers(box.node)


def test_an_import_whose_failure_could_not_be_recorded_is_ended(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = box.standing_trees()
    record = box.node.store.record

    def until_verified(copy: Copy) -> None:
        if copy.state is CopyState.FAILED:
            full()
        record(copy)

    with monkeypatch.context() as patch:
        patch.setattr(box.node.store, "record", until_verified)
        patch.setattr(box.node.disk, "place", full)
        with pytest.raises(BeistandError):
            box.cycle({**TREES, "etc/sip.conf": File(b"two")})
    assert has_leftovers(box.node)
    for _ in range(2):
        clear_leftovers(box.node, FakeProgress())
        assert not has_leftovers(box.node)
        assert box.standing_trees() == before
    assert [each.state for each in box.node.store.copies(2)] == [CopyState.FAILED, CopyState.IMPORTED]


class EndedMidway(FakeProgress):
    """Is ended by a click when the import has exchanged some of its files."""

    def advance(self, done: int, total: int) -> None:
        super().advance(done, total)
        if self.stages[-1] == "import" and done:
            self.cancelled.set()


def test_what_a_click_ends_is_whole_at_once_and_cleared_up_later(box: Sandbox) -> None:
    """F14: removing what was staged of a million files is nothing that a takeover waits for."""
    before, live = box.standing_trees(), live_generation(box.node)
    assert live is not None
    job = EndedMidway()
    with pytest.raises(Cancelled):
        box.cycle({**TREES, **{f"etc/{number}": File(b"two") for number in range(10)}}, job=job)
    assert job.stages == ["verify", "import", "take-back"]
    make_ready(box.node, live.id)
    assert box.standing_trees() == before
    assert len(box.staging()) == 2
    assert has_leftovers(box.node)
    clear_leftovers(box.node, FakeProgress())
    assert not has_leftovers(box.node)
    assert box.staging() == [live.id]


def test_a_click_ends_the_clearing_up_between_any_two_files_but_no_way_back(box: Sandbox) -> None:
    before = box.standing_trees()
    with pytest.raises(Cancelled):
        box.cycle({**TREES, "etc/sip.conf": File(b"two"), "etc/new": File(b"")}, job=EndedMidway())
    for at in (1, 2):
        with pytest.raises(Cancelled):
            clear_leftovers(box.node, FakeProgress(cancel_at=at))
        assert box.standing_trees() == before
        assert has_leftovers(box.node)
    clear_leftovers(box.node, FakeProgress())
    assert not has_leftovers(box.node)
