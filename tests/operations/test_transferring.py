"""What travels of a generation, and what is noticed before the peer would notice it."""

from pathlib import Path

import pytest

from beistand.domain.config import ModuleConfig
from beistand.domain.generation import CopyState
from beistand.operations.backup import take_generation
from beistand.operations.transfer import FEW, NOTHING, Unsettled, transfer
from fakes.active import Active, make_active
from fakes.progress import FakeProgress


@pytest.fixture
def active(tmp_path: Path) -> Active:
    return make_active(tmp_path)


def test_the_generation_that_is_live_there_needs_nothing(active: Active) -> None:
    taken = take_generation(active.node, FakeProgress())
    assert transfer(active.node, active.peer, taken, taken.generation.manifest, FakeProgress()) == NOTHING
    assert active.peer.sent == []


def test_contents_go_before_the_manifest_that_speaks_of_them(active: Active) -> None:
    active.write("a")
    taken = take_generation(active.node, FakeProgress())
    sent = transfer(active.node, active.peer, taken, "", FakeProgress())
    assert [folder for folder, _ in active.peer.sent] == ["files", "databases", "manifest"]
    assert sent.files == 3


@pytest.mark.parametrize("what", ["longer", "gone", "touched"])
def test_a_file_that_is_no_longer_what_was_said_never_travels(active: Active, what: str) -> None:
    file = active.write("a", "body")
    active.write("b")
    taken = take_generation(active.node, FakeProgress())
    if what == "longer":
        file.write_text("longer body")
    elif what == "gone":
        file.unlink()
    else:
        file.write_text("BODY")
    with pytest.raises(Unsettled) as unsettled:
        transfer(active.node, active.peer, taken, "", FakeProgress())
    assert unsettled.value.paths == {str(file)}
    assert unsettled.value.message.fields == {"count": 1, "first": str(file)}
    assert active.peer.sent == []


def test_more_changes_than_are_remembered_travel_all(active: Active) -> None:
    count = FEW + 100
    for number in range(count):
        active.write(f"{number % 50}/{number}", str(number))
    assert active.cycle().state is CopyState.IMPORTED
    assert len(active.travelled()) == count
    assert active.there(f"{(count - 1) % 50}/{count - 1}") == str(count - 1)


def test_the_bandwidth_limit_of_the_pair_is_kept(active: Active) -> None:
    limits: list[int] = []
    send = active.peer.send

    def noting(*arguments: object, **options: object) -> object:
        limits.append(options["bandwidth_limit"])
        return send(*arguments, **options)

    active.peer.send = noting
    active.store.set_config(ModuleConfig(bandwidth_limit=500))
    active.write("a")
    active.cycle()
    assert limits == [500, 500, 500]
