"""F2, F3: a job that could not even write down how it ended is ended by the next look, not by a restart."""

from pathlib import Path
from typing import Any, NoReturn

import pytest

from beistand.domain.errors import BeistandError, NoSpace
from beistand.domain.generation import Copy, CopyState
from beistand.operations.leftovers import clear_leftovers, has_leftovers
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
        clear_leftovers(box.node)
        assert not has_leftovers(box.node)
        assert box.standing_trees() == before
    assert [each.state for each in box.node.store.copies(2)] == [CopyState.FAILED, CopyState.IMPORTED]
