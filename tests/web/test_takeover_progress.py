"""How far a takeover is and what came of it (S20, S21), as administrators and viewers see it."""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from beistand.domain.account import AccountRole
from beistand.domain.finding import Finding, Severity
from beistand.domain.job import JobKind, JobState
from beistand.domain.mail import Encryption
from beistand.domain.message import message
from beistand.domain.role import Role
from beistand.protocol import GetMail, GetStatus, MailView, UsersTold, WatchJob
from web import scenes
from web.conftest import BEGIN, Start, text_of

MAIL = MailView(
    host="m",
    port=25,
    encryption=Encryption.NONE,
    user="",
    has_password=False,
    sender="",
    texts=(),
    outbox=(),
)
PAGE = "/admin/redundancy/0123456789abcdef/"
JOB = "/jobs/0123456789abcdef/"


def test_a_viewer_sees_how_far_it_is_and_how_it_ended(start: Start) -> None:
    """The takeover page is for administrators (S19); their colleagues see the job, as every other one."""
    failed = scenes.job(state=JobState.FAILED, end=BEGIN, error=message("pbx-silent", address="192.0.2.10"))
    browser, _ = start({GetStatus: scenes.STANDBY, WatchJob: [scenes.job(), failed]}, role=AccountRole.VIEWER)
    running = browser.get(JOB)
    assert running.status_code == 200
    assert "making the data ready" in running.content.decode()
    assert "Cancel" not in running.content.decode()
    assert "192.0.2.10" in browser.get(JOB).content.decode()


def test_an_administrator_comes_to_the_page_of_the_takeover(start: Start) -> None:
    browser, _ = start({GetStatus: scenes.STANDBY, WatchJob: scenes.job()})
    assert browser.get(JOB).headers["Location"] == PAGE


@pytest.mark.parametrize(
    ("changes", "states", "told"),
    [
        ({"stage": "fast-probe"}, ["done", "doing", "todo"], "Takeover running"),
        ({"stage": ""}, ["todo", "todo", "todo"], "It begins"),
        (
            {"stage": "undo", "failed_stage": "fast-probe"},
            ["open", "failed", "skipped"],
            "1 minute at most; what the other appliance cannot be told by then",
        ),
        (
            {
                "stage": "undo",
                "failed_stage": "fast-probe",
                "state": JobState.FAILED,
                "error": message("job-not-running", job="x"),
            },
            ["undone", "failed", "skipped"],
            "Nothing was taken over",
        ),
        (
            {"stage": "fast-probe", "state": JobState.FAILED, "error": message("job-not-running", job="x")},
            ["undone", "failed", "skipped"],
            "Nothing was taken over",
        ),
        (
            {"stage": "serve", "state": JobState.FAILED, "error": message("job-not-running", job="x")},
            ["done", "done", "failed"],
            "The telephone system does not answer",
        ),
        (
            {"stage": "serve", "state": JobState.DONE, "result": {"seconds": 3.25, "epoch": 3}},
            ["done", "done", "done"],
            "3.2 seconds",
        ),
    ],
)
def test_each_step_has_its_state(start: Start, changes: dict[str, Any], states: list[str], told: str) -> None:
    browser, _ = start({GetStatus: scenes.STANDBY, WatchJob: scenes.job(**changes), GetMail: MAIL})
    page = browser.get(PAGE)
    assert re.findall(r"stage stage-(\w+)", page.content.decode()) == states
    assert told in text_of(page)
    is_over = changes.get("state") is not None
    assert ("http-equiv" in page.content.decode()) is not is_over


def test_an_undo_is_no_takeover_that_is_done(start: Start) -> None:
    undone = scenes.job(kind=JobKind.UNDO, stage="undo", stages=(), state=JobState.DONE, end=BEGIN)
    browser, _ = start({GetStatus: scenes.STANDBY, WatchJob: undone})
    assert browser.get(PAGE).headers["Location"] == JOB
    text = text_of(browser.get(JOB))
    assert "Nothing was taken over" in text
    assert "active appliance now" not in text


def test_only_a_grant_makes_it_done(start: Start) -> None:
    """Whatever else ends well as a takeover: the result says which grant was made."""
    browser, _ = start({GetStatus: scenes.STANDBY, WatchJob: scenes.job(state=JobState.DONE, end=BEGIN)})
    text = text_of(browser.get(PAGE))
    assert "Nothing was taken over" in text
    assert "active appliance now" not in text
    assert "What comes next" not in text


BROKEN_OFF = scenes.job(
    stage="fast-probe",
    state=JobState.FAILED,
    end=BEGIN,
    error=message(
        "undo-failed", why="address-in-use address=192.0.2.10 mac=02:00:00:00:00:99", undo="peer-silent"
    ),
)
UNDO_OPEN = Finding(code="undo-open", severity=Severity.BLOCK, fields={"peer": "pbx-a"})


def test_what_is_not_undone_yet_is_not_called_undone(start: Start) -> None:
    waiting = msgspec.structs.replace(scenes.STANDBY, findings=(UNDO_OPEN,))
    browser, _ = start({GetStatus: waiting, WatchJob: BROKEN_OFF})
    page = browser.get(PAGE)
    text = text_of(page)
    assert re.findall(r"stage stage-(\w+)", page.content.decode()) == ["open", "failed", "skipped"]
    assert "02:00:00:00:00:99" in text
    assert "Not undone yet" in text
    assert "as soon as pbx-a answers" in text
    assert "Everything that was begun is undone" not in text
    assert "http-equiv" in page.content.decode()  # it says so itself once it is undone


def test_a_bug_undoes_nothing_either(start: Start) -> None:
    """The journal says what is so, not the error."""
    waiting = msgspec.structs.replace(scenes.STANDBY, findings=(UNDO_OPEN,))
    failed = msgspec.structs.replace(BROKEN_OFF, error=message("internal-error", reference="1a2b3c4d"))
    browser, _ = start({GetStatus: waiting, WatchJob: failed})
    assert "Not undone yet" in text_of(browser.get(PAGE))


def test_once_it_is_undone_the_page_says_so(start: Start) -> None:
    browser, _ = start({GetStatus: scenes.STANDBY, WatchJob: BROKEN_OFF})
    page = browser.get(PAGE)
    assert "Everything that was begun is undone" in text_of(page)
    assert re.findall(r"stage stage-(\w+)", page.content.decode()) == ["undone", "failed", "skipped"]
    assert "http-equiv" not in page.content.decode()


TAKEN = scenes.job(stage="serve", state=JobState.DONE, result={"seconds": 1.5, "epoch": 3})
ACTIVE = msgspec.structs.replace(scenes.STANDBY, role=Role.ACTIVE, state="serving")
UNREADABLE = message("users-not-read", path="/etc/asterisk/voicemail.conf", why="No such file or directory")
NO_WORD = "not known at the moment whether users got a mail"
PREPARED = "are being prepared"
NOBODY = "No user was mailed"


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"phones_at_once": 2, "phones_later": 4}, "2 phones can be called at once, 4 when they have"),
        ({"phones_at_once": 2, "phones_later": 0}, "2 phones can be called at once."),
        ({}, ""),
    ],
)
def test_how_many_phones_can_be_called_is_told_afterwards(
    start: Start, counts: dict[str, int], expected: str
) -> None:
    """B14."""
    taken = msgspec.structs.replace(TAKEN, result={**TAKEN.result, **counts})
    browser, _ = start({GetStatus: ACTIVE, WatchJob: taken, GetMail: MAIL})
    text = text_of(browser.get(PAGE))
    assert expected in text
    assert ("can be called" in text) is bool(expected)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (UsersTold(epoch=3, is_over=True, sent=130, waiting=70), "130 of 200 are sent"),
        (UsersTold(epoch=3, is_over=True, sent=1, given_up=1), "Given up: 1"),
        (UsersTold(epoch=3, is_over=False), PREPARED),
        (UsersTold(epoch=3, is_over=False, why=UNREADABLE), "voicemail.conf cannot be read: No such file"),
        (UsersTold(epoch=3, is_over=False, why=UNREADABLE), "tried again by itself"),
        (
            UsersTold(epoch=3, is_over=True, why=message("mail-server-unknown")),
            f"{NOBODY}: no mail server is configured.",
        ),
        (
            UsersTold(epoch=3, is_over=True, why=message("users-without-address")),
            f"{NOBODY}: no user has a mail address.",
        ),
        (UsersTold(epoch=3, is_over=True), NO_WORD),
        (UsersTold(epoch=5, is_over=True, sent=2), NO_WORD),
        (None, NO_WORD),
    ],
)
def test_the_result_says_what_became_of_the_mails_to_the_users(
    start: Start, told: UsersTold | None, expected: str
) -> None:
    """S21: and nothing that nobody has seen."""
    mail = msgspec.structs.replace(MAIL, users_told=told)
    browser, _ = start({GetStatus: ACTIVE, WatchJob: TAKEN, GetMail: mail})
    text = text_of(browser.get(PAGE))
    assert expected in text
    assert (NOBODY in text) is (NOBODY in expected)


def test_mails_that_nobody_can_ask_for_are_not_said_to_be_missing(start: Start) -> None:
    refused = message("internal-error", reference="1a2b3c4d")
    browser, _ = start({GetStatus: ACTIVE, WatchJob: TAKEN, GetMail: refused})
    text = text_of(browser.get(PAGE))
    assert NO_WORD in text
    assert NOBODY not in text


@pytest.mark.parametrize(
    ("told", "looks_again"),
    [
        (UsersTold(epoch=3, is_over=True, sent=1, waiting=1), True),
        (UsersTold(epoch=3, is_over=False, why=UNREADABLE), True),
        (None, True),
        (UsersTold(epoch=3, is_over=True, sent=2), False),
        (UsersTold(epoch=3, is_over=True, why=message("users-without-address")), False),
    ],
)
def test_right_after_it_the_page_looks_at_the_mails_again(
    start: Start, told: UsersTold | None, looks_again: bool
) -> None:
    just_now = msgspec.structs.replace(TAKEN, end=datetime.now(UTC))
    mail = msgspec.structs.replace(MAIL, users_told=told)
    browser, _ = start({GetStatus: ACTIVE, WatchJob: just_now, GetMail: mail})
    assert ("http-equiv" in browser.get(PAGE).content.decode()) is looks_again


def test_a_job_that_nobody_knows_any_more_is_none_for_the_script_either(start: Start) -> None:
    """It loads the page anew then, which says how it stands."""
    browser, _ = start({GetStatus: scenes.STANDBY, WatchJob: message("unknown-job", job="x")})
    assert browser.get(f"{PAGE}?part=1").status_code == 404


def test_what_the_agent_refuses_otherwise_is_no_forgotten_job(start: Start) -> None:
    refused = message("internal-error", reference="1a2b3c4d")
    browser, _ = start({GetStatus: scenes.STANDBY, WatchJob: refused})
    page = browser.get(PAGE)
    assert page.status_code == 409
    assert "not known any more" not in text_of(page)


def test_a_job_that_nobody_knows_any_more_is_explained(start: Start) -> None:
    browser, _ = start({GetStatus: scenes.STANDBY, WatchJob: message("unknown-job", job="x")})
    page = browser.get(PAGE)
    assert page.status_code == 404
    assert "not known any more" in text_of(page)
