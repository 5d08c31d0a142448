"""I7: every state that waits for a person names what that person can do."""

import pytest

from beistand.domain.choices import STATES, Choice, HeldBy, Predicament, Where, choices
from beistand.text.catalogue import entries


@pytest.mark.parametrize(
    ("seen", "codes"),
    [
        (Predicament(state="forked", serving=True), ["keep-serving-here", "serve-there"]),
        (Predicament(state="forked"), ["keep-serving-there", "serve-here"]),
        (Predicament(state="serving", serving=True, is_fork_open=True), ["keep-serving-here", "serve-there"]),
        (
            Predicament(state="superseded", is_fork_open=True),
            ["keep-serving-there", "serve-here", "look-at-kept-data"],
        ),
        (Predicament(state="superseded"), ["leave-it", "serve-here", "look-at-kept-data"]),
        (
            Predicament(state="held", held_by=HeldBy.PEER),
            ["wait-for-peer", "serve-here", "keep-serving-there"],
        ),
        (Predicament(state="held", held_by=HeldBy.STRANGER), ["unplug-stranger", "try-again"]),
        (Predicament(state="held", held_by=HeldBy.STRICT), ["serve-now", "wait-for-peer"]),
        (Predicament(state="held"), ["wait-for-peer", "serve-now"]),
        (Predicament(state="active-failed", serving=True), ["try-again", "serve-there"]),
        (Predicament(state="released"), ["serve-there", "take-back"]),
        (Predicament(state="unverified", serving=True), ["wait-for-peer", "serve-there"]),
        (Predicament(state="checking"), ["wait-for-peer", "serve-now"]),
        (Predicament(state="serving", serving=True), []),
        (
            Predicament(state="standing-by", is_undo_open=True),
            ["wait-for-peer", "take-over-again", "take-back-there"],
        ),
        (
            Predicament(state="superseded", is_undo_open=True),
            ["wait-for-peer", "take-over-again", "take-back-there"],
        ),
        (Predicament(state="unverified", serving=True, is_undo_open=True), ["wait-for-peer", "serve-there"]),
        (Predicament(state="standing-by"), []),
        (Predicament(state="starting"), []),
    ],
)
def test_what_can_be_done(seen: Predicament, codes: list[str]) -> None:
    assert [each.code for each in choices(seen)] == codes


def every() -> list[Choice]:
    seen = [
        Predicament(
            state=state, serving=serving, held_by=held_by, is_fork_open=is_open, is_undo_open=is_undo_open
        )
        for state in (*STATES, "serving")
        for serving in (True, False)
        for held_by in HeldBy
        for is_open in (True, False)
        for is_undo_open in (True, False)
    ]
    return [each for one in seen for each in choices(one)]


def test_no_such_state_is_without_a_choice() -> None:
    for state in STATES:
        for held_by in HeldBy:
            assert choices(Predicament(state=state, held_by=held_by)), state


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_choice_has_its_words(language: str) -> None:
    assert {f"choice.{each.code}" for each in every()} <= set(entries(language))


def test_every_choice_is_a_command_and_a_page_or_an_act_by_hand() -> None:
    for each in every():
        assert bool(each.command) == bool(each.page) == (each.where is not Where.NOWHERE), each
