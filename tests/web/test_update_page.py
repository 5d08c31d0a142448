"""S4: the page of an update: what is seen, and what can be done about it here."""

import pytest

from beistand.domain.account import AccountRole
from beistand.domain.job import Job, JobKind
from beistand.domain.message import message
from beistand.protocol import GetStatus, GetUpdate, PauseCycles, ResumeCycles, StartCycle
from web import scenes, update_values
from web.conftest import BEGIN, Start

JOB = Job(id="0123456789abcdef", kind=JobKind.CYCLE, begin=BEGIN)


def test_the_steps_are_shown_with_what_is_seen_and_the_one_that_is_next(start: Start) -> None:
    browser, _ = start({GetStatus: scenes.ACTIVE, GetUpdate: update_values.MIDWAY})
    page = browser.get("/update/").content.decode()
    for part in (
        "pbx-b is updated",
        "before: 0.1.0",
        "On pbx-a, as root",
        "calls end when the telephone system restarts",
        "Resume, and run a cycle now",
    ):
        assert part in page, part
    assert page.count('aria-current="step"') == 1
    assert "On pbx-b, as root" not in page


@pytest.mark.parametrize(
    ("path", "request_type"), [("/update/pause/", PauseCycles), ("/update/resume/", ResumeCycles)]
)
def test_what_is_pressed_is_asked_and_a_reload_asks_nothing_again(
    start: Start, path: str, request_type: type
) -> None:
    replies = {GetUpdate: update_values.PAUSED, request_type: update_values.PAUSED, StartCycle: JOB}
    browser, agent = start({GetStatus: scenes.ACTIVE, **replies})
    answer = browser.post(path)
    assert answer.status_code == 303
    assert len(agent.asked(request_type)) == 1


def test_resuming_leads_to_the_cycle_and_back(start: Start) -> None:
    replies = {ResumeCycles: update_values.PAUSED, StartCycle: JOB}
    browser, _ = start({GetStatus: scenes.ACTIVE, **replies})
    assert browser.post("/update/resume/").headers["Location"] == f"/jobs/{JOB.id}/?next=%2Fupdate%2F"


def test_that_cycles_run_again_is_told_whatever_becomes_of_the_one_now(start: Start) -> None:
    replies = {
        GetUpdate: update_values.BEFORE,
        ResumeCycles: update_values.BEFORE,
        StartCycle: message("job-running", kind="backup", job="7"),
    }
    browser, _ = start({GetStatus: scenes.ACTIVE, **replies})
    page = browser.post("/update/resume/").content.decode()
    assert "The cycles run again." in page
    assert "A job is running already" in page
    assert "The cycles run again." not in browser.get("/update/").content.decode()


def test_after_a_failed_cycle_another_one_is_a_click_away(start: Start) -> None:
    browser, _ = start({GetStatus: scenes.ACTIVE, GetUpdate: update_values.VIEWS["failed"]})
    page = browser.get("/update/").content.decode()
    assert "The cycle after it failed" in page
    assert 'action="/cycle/"' in page


def test_a_refusal_stands_on_the_same_page(start: Start) -> None:
    replies = {GetUpdate: update_values.BEFORE, ResumeCycles: message("cycles-not-paused")}
    browser, _ = start({GetStatus: scenes.ACTIVE, **replies})
    page = browser.post("/update/resume/").content.decode()
    assert "The cycles are not paused" in page
    assert "Pause cycles" in page


def test_the_standby_shows_it_and_leads_to_the_active(start: Start) -> None:
    browser, _ = start({GetStatus: scenes.STANDBY, GetUpdate: update_values.ON_THE_STANDBY})
    page = browser.get("/update/").content.decode()
    assert "https://192.0.2.1:8443/update/" in page
    assert "<form" not in page.split("<main")[1]


def test_a_viewer_looks_and_changes_nothing(start: Start) -> None:
    browser, agent = start(
        {GetStatus: scenes.ACTIVE, GetUpdate: update_values.PAUSED}, role=AccountRole.VIEWER
    )
    assert "<form" not in browser.get("/update/").content.decode().split("<main")[1]
    assert browser.post("/update/pause/").status_code == 403
    assert agent.asked(PauseCycles) == []
