"""A broken-in peer says anything: the agent lives, tells what it did not believe, and a takeover works."""

import random
from pathlib import Path

import pytest

from fuzz.extent import EXTENT, attacks
from fuzz.hostile_words import OTHERS, Liar

WORDS = 40


@pytest.mark.parametrize("seed", range(12 * EXTENT))
def test_whatever_a_peer_says_a_takeover_works(tmp_path: Path, seed: int) -> None:
    liar = Liar(tmp_path, random.Random(seed))
    try:
        for _ in range(WORDS):
            liar.says()
        attacks["words of a peer"] += WORDS
        liar.is_survived()
        assert liar.refused
    finally:
        liar.ends()


def test_what_was_said_before_changes_no_later_word(tmp_path: Path) -> None:
    before, liar = repr(OTHERS), Liar(tmp_path, random.Random("again"))
    try:
        for _ in range(3_000):
            liar.next_word()
    finally:
        liar.ends()
    assert repr(OTHERS) == before
