"""Histories of two real agents: whatever happens in whatever order, the invariants of DESIGN hold (F1, F20, F21)."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.agents import TwoAgents
from fakes.fuse import silent_deaths
from fakes.histories import History, end_at

STEPS = 40


@pytest.fixture(autouse=True)
def _deaths() -> Iterator[None]:
    with silent_deaths():
        yield


@pytest.mark.parametrize("seed", range(25))
def test_whatever_happens_one_serves_in_the_end_or_one_click_is_enough(tmp_path: Path, seed: int) -> None:
    """I1 to I9, after every effect and at the end."""
    two = TwoAgents(tmp_path)
    history = History(two, random.Random(seed))
    try:
        for _ in range(STEPS):
            history.step()
        history.check_end()
    finally:
        two.stop()


@pytest.mark.parametrize("takes_power", [False, True], ids=["killed", "power"])
@pytest.mark.parametrize("who", ["a", "b"])
def test_a_takeover_that_ends_at_any_effect_recovers(tmp_path: Path, who: str, takes_power: bool) -> None:
    """F1: of the one that claims (b) and of the one that releases (a); `make torture` takes all of them."""
    ended = [
        end_at(tmp_path / f"{at}", who, at, is_before=takes_power, takes_power=takes_power) for at in range(5)
    ]
    assert all(ended)
    if who == "b":
        grant = range(5, 9)
        assert all(
            end_at(tmp_path / f"{at}", who, at, is_before=not takes_power, takes_power=takes_power)
            for at in grant
        )
