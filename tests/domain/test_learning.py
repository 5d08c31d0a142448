"""B1: both appliances say the same about a generation, and each believes the one who knows."""

from datetime import UTC, datetime

import pytest

from beistand.domain.generation import Copy, CopyState, Generation
from beistand.domain.learning import learnt_by_receiver, learnt_by_source
from beistand.domain.message import message

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GENERATION = Generation(
    id="20260301T115500Z-7",
    pair="c" * 32,
    source="a" * 16,
    epoch=2,
    sequence=7,
    begin=NOON,
    end=NOON,
    profile="asterisk",
    pbx_version="22.10",
    manifest="0" * 64,
    entries=10,
    size=1000,
)
TAKEN, TRANSFERRED, VERIFIED = CopyState.TAKEN, CopyState.TRANSFERRED, CopyState.VERIFIED
IMPORTED, FAILED = CopyState.IMPORTED, CopyState.FAILED


def copy(state: CopyState, **changes: object) -> Copy:
    return Copy(**{"generation": GENERATION, "state": state, "at": NOON, **changes})  # type: ignore[arg-type]


def test_a_line_that_broke_after_the_import_hides_it_from_nobody() -> None:
    mine = copy(FAILED, why=message("peer-silent"), failed_stage="import", asked=True, bytes_on_wire=7)
    assert learnt_by_source(mine, copy(IMPORTED)) == copy(IMPORTED, asked=True, bytes_on_wire=7)


@pytest.mark.parametrize("mine", [TAKEN, TRANSFERRED, VERIFIED])
def test_the_source_learns_what_failed_there(mine: CopyState) -> None:
    theirs = copy(FAILED, why=message("import-interrupted"), failed_stage="import")
    assert learnt_by_source(copy(mine), theirs) == theirs


@pytest.mark.parametrize(
    ("mine", "theirs"), [(IMPORTED, FAILED), (FAILED, FAILED), (FAILED, TRANSFERRED), (TRANSFERRED, VERIFIED)]
)
def test_the_source_keeps_what_is_no_news(mine: CopyState, theirs: CopyState) -> None:
    assert learnt_by_source(copy(mine), copy(theirs)) is None


@pytest.mark.parametrize("mine", [None, copy(TAKEN), copy(TRANSFERRED)])
def test_the_receiver_learns_of_a_cycle_that_never_reached_it(mine: Copy | None) -> None:
    theirs = copy(FAILED, why=message("peer-silent"), failed_stage="offer")
    assert learnt_by_receiver(mine, theirs, is_live=False) == theirs


def test_the_receiver_believes_nobody_that_something_is_imported_here() -> None:
    assert learnt_by_receiver(None, copy(IMPORTED), is_live=False) is None
    assert learnt_by_receiver(copy(FAILED), copy(IMPORTED), is_live=True) is None
    assert learnt_by_receiver(None, copy(IMPORTED), is_live=True) == copy(IMPORTED)


def test_the_receiver_takes_the_figures_of_a_cycle_that_both_call_imported() -> None:
    theirs = copy(IMPORTED, asked=True, seconds=3.0, bytes_on_wire=7)
    assert learnt_by_receiver(copy(IMPORTED), theirs, is_live=True) == theirs
    assert learnt_by_receiver(theirs, theirs, is_live=True) is None


@pytest.mark.parametrize("theirs", [TAKEN, TRANSFERRED, FAILED])
def test_what_is_imported_here_stays_so(theirs: CopyState) -> None:
    assert learnt_by_receiver(copy(IMPORTED), copy(theirs), is_live=True) is None
