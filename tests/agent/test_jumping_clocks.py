"""F9: two clocks that jump for hours and decades, by random schedules; `make torture` runs many more of them."""

from pathlib import Path
from random import Random

from fakes.agents import TwoAgents
from fakes.jumping_clocks import Life

STEPS = 8
SEED = 0


def test_whatever_the_clocks_show_order_and_ages_are_true(tmp_path: Path) -> None:
    two = TwoAgents(tmp_path)
    life = Life(two, Random(SEED))
    try:
        for _ in range(STEPS):
            life.step()
        life.settle()
    finally:
        two.stop()
