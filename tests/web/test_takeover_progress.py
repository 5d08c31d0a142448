"""How far a takeover is and what came of it (S20, S21), as administrators and viewers see it."""

from beistand.domain.account import AccountRole
from beistand.domain.job import JobState
from beistand.domain.message import message
from beistand.protocol import GetStatus, WatchJob
from web import scenes
from web.conftest import BEGIN, Start

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
