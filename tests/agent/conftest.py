from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.agents import TwoAgents


@pytest.fixture
def two(tmp_path: Path) -> Iterator[TwoAgents]:
    world = TwoAgents(tmp_path)
    yield world
    world.stop()
