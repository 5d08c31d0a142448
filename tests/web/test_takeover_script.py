"""What the script of the takeover's progress does when the agent forgets the job, or the line is dead (F12, S20)."""

from collections.abc import Iterator

import pytest

from beistand.domain.message import message
from beistand.protocol import WatchJob
from web.page_scenes import SCENES
from web.visits import Visit, visiting

RUNNING, DONE = SCENES["takeover-running"], SCENES["takeover-done"]
LOST = "No answer at the moment"


@pytest.fixture(scope="module")
def visit() -> Iterator[Visit]:
    with visiting() as visit:
        yield visit


def test_a_takeover_that_a_restart_forgot_is_explained(visit: Visit) -> None:
    """Else it would be said to run for ever."""
    visit.go(RUNNING, "en")
    assert "Takeover running" in visit.browser.text
    visit.says({**RUNNING.replies, WatchJob: message("unknown-job", job="x")})
    visit.browser.wait_for_text("not known any more")
    assert "Takeover running" not in visit.browser.text
    assert visit.browser.path == RUNNING.path
    assert "ready to take over" in visit.browser.text  # how it stands now


def test_a_line_that_is_lost_is_told_until_it_is_back(visit: Visit) -> None:
    visit.go(RUNNING, "en")
    assert LOST not in visit.browser.text
    visit.agent.is_gone = True
    visit.browser.wait_for_text(LOST)
    assert "Takeover running" in visit.browser.text
    visit.agent.is_gone = False
    visit.browser.wait(lambda: LOST not in visit.browser.text, what="the note to go")
    visit.says(DONE.replies)
    visit.browser.wait_for_text("is the active appliance now")
    assert LOST not in visit.browser.text


def test_who_was_logged_out_meanwhile_comes_to_the_log_in(visit: Visit) -> None:
    visit.go(RUNNING, "en")
    visit.log_out()
    visit.browser.wait_for_path("/log-in/")
