"""Complaints: a trouble that lasts is told once, whatever the turn that found it is called."""

import pytest

from beistand.agent.log import Complaints
from beistand.domain.errors import Failed
from beistand.domain.message import message

LASTS = message("pbx-not-asked", path="/run/ctl", why="timeout")


def test_a_turn_that_tells_a_trouble_under_its_own_name_tells_it_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    complaints = Complaints(lambda: 1.0)
    for _ in range(3):
        with complaints.about("commit"):
            complaints.tell("commit", LASTS)
    assert capsys.readouterr().err.count("pbx-not-asked") == 1


def test_a_turn_that_fails_is_told_once_until_it_works_again(capsys: pytest.CaptureFixture[str]) -> None:
    complaints = Complaints(lambda: 1.0)
    for _ in range(3):
        with complaints.about("commit"):
            raise Failed("pbx-not-asked", path="/run/ctl", why="timeout")
    assert capsys.readouterr().err.count("pbx-not-asked") == 1
    with complaints.about("commit"):
        pass
    with complaints.about("commit"):
        raise Failed("pbx-not-asked", path="/run/ctl", why="timeout")
    assert capsys.readouterr().err.count("pbx-not-asked") == 1


def test_a_trouble_that_ended_and_came_back_is_told_again(capsys: pytest.CaptureFixture[str]) -> None:
    complaints = Complaints(lambda: 1.0)
    for _ in range(2):
        with complaints.about("commit"):
            complaints.tell("commit", LASTS)
        complaints.end("commit")
    assert capsys.readouterr().err.count("pbx-not-asked") == 2
