"""R5: two histories are noticed by the grants alone, whoever hears of whom first."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from beistand.domain.fork import Fork, found_in, is_fork, is_open, over, parted_at
from beistand.domain.role import Grant
from fakes.situations import NOW, A, B, grant, standing


def minted(epoch: int, holder: str, over: int | None, parent: int = 0, **changes: Any) -> Grant:
    return msgspec.structs.replace(grant(epoch, holder, parent), over=over, **changes)


FIRST = grant(2, A)
TAKEN = minted(3, B, over=2, parent=2)


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        (FIRST, TAKEN, False),  # an ordinary takeover: it knew what it took over from
        (TAKEN, minted(4, A, over=3, parent=3), False),  # and back
        (TAKEN, minted(4, A, over=0, parent=2), True),  # a, held, was clicked on behind the broken line
        (minted(5, B, over=2, parent=3), minted(4, A, over=0, parent=2), True),  # b was clicked on twice
        (minted(6, A, over=0, parent=4), TAKEN, True),  # a was clicked on twice: the parent is its own click
        (FIRST, minted(4, A, over=0, parent=2), False),  # one appliance alone makes no fork
        (FIRST, grant(3, B, 2), False),  # of an older Beistand: the parent tells
        (minted(4, A, over=None, parent=2), TAKEN, True),
    ],
)
def test_two_children_of_one_parent(one: Grant, other: Grant, *, is_one: bool) -> None:
    assert is_fork(one, other) is is_one
    assert is_fork(other, one) is is_one


@pytest.mark.parametrize(
    ("stands", "peer_epoch", "names"),
    [
        (standing(B, FIRST), 0, 2),  # the peer is silent, its grant is known
        (standing(B, FIRST), 2, 2),
        (standing(A, FIRST), 0, 0),  # held by itself, and nothing is known of the other
        (standing(A, FIRST), 3, 3),  # told at the click
        (standing(A, minted(4, A, over=3)), 0, 3),  # what an earlier click knew is still known
        (standing(A, minted(4, A, over=3)), 4, 3),  # the peer tells our own number: nothing of its own
    ],
)
def test_what_a_click_knew_of_the_other(stands: Any, peer_epoch: int, names: int) -> None:
    assert over(stands, peer_epoch) == names


def test_both_sides_find_the_same_fork() -> None:
    mine = minted(4, A, over=0, parent=2)
    expected = Fork(older=TAKEN, newer=mine)
    assert found_in(standing(A, mine), TAKEN) == expected
    assert found_in(standing(B, TAKEN), mine) == expected
    assert found_in(standing(B, FIRST), TAKEN) is None


def test_a_choice_that_knew_of_both_ends_it() -> None:
    fork = Fork(older=TAKEN, newer=minted(4, A, over=0))
    assert is_open(fork, standing(A, fork.newer))
    assert is_open(fork, standing(B, TAKEN))
    assert not is_open(fork, standing(A, minted(6, A, over=3)))
    assert not is_open(None, standing(A, FIRST))


def test_where_the_histories_parted() -> None:
    """Where one continues the other's data: the newer click. Where it does not: the first of the two."""
    early, late = NOW, NOW + timedelta(hours=1)
    taken = minted(3, B, over=2, parent=2, at=late)
    assert parted_at(minted(2, A, over=0, at=early), taken) == late
    assert parted_at(minted(4, A, over=0, parent=2, at=early), taken) == early
    # Chosen knowing of both, and still not with the data of the other.
    assert parted_at(minted(4, A, over=3, parent=2, at=late + timedelta(hours=1)), taken) == late
