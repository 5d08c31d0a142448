"""F1: cut the check and the import of an export at every effect, on a real disk: the old data or the new."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from crash.test_import import BEFORE, ONE, TWO, Situation, cut_everywhere, states_between
from fakes.exporting import Active, Seeding, clear
from fakes.standby import Sandbox, Trees, lay_out


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield path
    rmtree(path)


def carried(here: Trees, *cycles: Trees) -> Callable[[Sandbox], object]:
    """Put an export of TWO beside a standby that holds this."""

    def prepare(box: Sandbox) -> None:
        active = Active(box)
        active.store._sequence = 10
        active.saved(TWO).rename(box.root / "carried")
        clear(box)
        lay_out(box.live, here)
        for each in cycles:
            box.cycle(each)

    return prepare


def seed(box: Sandbox, node: Any) -> object:
    return Seeding(box).seed(box.root / "carried", node=node)


OVER_AN_EARLIER_IMPORT = Situation(carried(BEFORE, ONE), seed)


def test_a_cut_at_every_effect_leaves_a_whole_generation(folder: Path) -> None:
    known, _ = states_between(OVER_AN_EARLIER_IMPORT, folder)
    seen = cut_everywhere(OVER_AN_EARLIER_IMPORT, folder)
    assert len(seen) >= 2, "the cuts never reached one of the two ends"
    assert seen <= set(known)
