"""I7: every state that waits for a person names what that person can do."""

import pytest

from beistand.domain.choices import (
    STATES,
    Choice,
    HeldBy,
    Predicament,
    Where,
    choices,
    job_choices,
    setup_choices,
)
from beistand.domain.job import Job, JobKind
from beistand.domain.setup import Stage
from beistand.text.catalogue import entries
from fakes.situations import NOW


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
        (Predicament(state="recovering"), ["let-it-end", "take-over-now"]),
        (Predicament(state="recovering", serving=True), ["let-it-end"]),
    ],
)
def test_what_can_be_done(seen: Predicament, codes: list[str]) -> None:
    assert [each.code for each in choices(seen)] == codes


@pytest.mark.parametrize(
    ("stage", "codes"),
    [
        (None, []),
        (Stage.BEGUN, []),
        (Stage.WAITING, ["confirm-setup", "undo-setup", "let-setup-lapse"]),
        (Stage.UNDOING, ["undo-setup"]),
        (Stage.CONFIRMED, []),
        (Stage.UNDONE, []),
    ],
)
def test_what_can_be_done_about_a_setup(stage: Stage | None, codes: list[str]) -> None:
    assert [each.code for each in setup_choices(stage)] == codes


@pytest.mark.parametrize(
    ("stage", "codes"),
    [("await-silence", ["switch-off-peer", "end-takeover"]), ("make-data-ready", []), ("", [])],
)
def test_what_can_be_done_about_a_job(stage: str, codes: list[str]) -> None:
    job = Job(id="1", kind=JobKind.TAKEOVER, stage=stage, begin=NOW)
    assert [each.code for each in job_choices(job)] == codes
    assert job_choices(None) == ()


def every() -> list[Choice]:
    of_others = [*setup_choices(Stage.WAITING), *setup_choices(Stage.UNDOING)]
    of_others += job_choices(Job(id="1", kind=JobKind.TAKEOVER, stage="await-silence", begin=NOW))
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
    return [*of_others, *(each for one in seen for each in choices(one))]


def test_no_such_state_is_without_a_choice() -> None:
    for state in STATES:
        for held_by in HeldBy:
            assert choices(Predicament(state=state, held_by=held_by)), state


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_choice_has_its_words(language: str) -> None:
    assert {f"choice.{each.code}" for each in every()} <= set(entries(language))


AT_THE_MACHINE = {"confirm-setup", "undo-setup"}
"""Who confirms proves by his session that the machine is reached; and the pages move with the own address."""


def test_every_choice_is_a_command_and_a_page_or_an_act_by_hand() -> None:
    for each in every():
        assert bool(each.command) == (each.where is not Where.NOWHERE), each
        assert bool(each.page) == (bool(each.command) and each.code not in AT_THE_MACHINE), each
