"""Whose machine this is: cards decide, a machine-id only where there are none."""

import pytest

from beistand.domain.machine import MOST_CARDS, MachineSigns, Whose, twins, whose, with_news


def signs(*cards: str, machine_id: str = "1") -> MachineSigns:
    return MachineSigns(machine_id=machine_id, cards=cards, host="pbx1")


@pytest.mark.parametrize(
    ("known", "seen", "expected"),
    [
        (signs("a"), signs("a"), Whose.OWN),
        (signs("a", "b"), signs("b", "c"), Whose.OWN),  # one of two cards was replaced
        (signs("a"), signs("a", machine_id="2"), Whose.OWN),  # somebody renewed the machine-id
        (signs("a"), signs("b"), Whose.OTHER),
        (signs("a"), signs("b", machine_id="2"), Whose.OTHER),
        (signs("a"), signs(), Whose.OWN),  # the driver is late: no network to harm anybody with
        (signs("a"), signs(machine_id="2"), Whose.OTHER),
        (signs(), signs(), Whose.OWN),
        (signs(), signs("a"), Whose.OWN),
        (signs(), signs(machine_id="2"), Whose.OTHER),
        (None, signs("a"), Whose.UNKNOWN),
    ],
)
def test_whose_it_is(known: MachineSigns | None, seen: MachineSigns, expected: Whose) -> None:
    assert whose(known, seen) is expected


def test_a_card_that_is_away_stays_known_and_the_list_stays_short() -> None:
    known = with_news(signs("a", "b"), signs("a", "c"))
    assert known.cards == ("a", "b", "c")
    for number in range(100):
        known = with_news(known, signs("a", f"x{number}"))
    assert len(known.cards) == MOST_CARDS
    assert {"a", "x99"} <= {*known.cards}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("pbx1", "PBX1 ", True), ("pbx1", "pbx2", False), ("", "", False), ("pbx1", "pbx1.example.com", False)],
)
def test_twins(one: str, other: str, expected: bool) -> None:
    assert twins(one, other) is expected
