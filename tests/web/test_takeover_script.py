"""What the script of the takeover's progress does when the agent forgets the job, or the line is dead (F12, S20)."""

from collections.abc import Iterator

import pytest

from beistand.domain.message import message
from beistand.protocol import StartTakeover, WatchJob
from web.page_scenes import PASSWORD, SCENES
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


def test_what_is_missing_is_marked_before_anything_is_sent(visit: Visit) -> None:
    """A1: the password stays where it was typed, and the lines say what is wanted of them."""
    visit.go(SCENES["takeover-incomplete"], "en")
    browser = visit.browser
    browser.wait_for_text("Choose one of the two.")
    assert browser.path == "/admin/redundancy/"
    assert browser.find("[name=password]").get_attribute("value") == PASSWORD
    assert len(browser.driver.find_elements("css selector", "#replug .has-errors")) == 2
    assert browser.driver.execute_script("return document.activeElement.id") == "replug-1-done"
    browser.press(browser.find("[data-all-dead] button"), leads_on=False)
    assert browser.driver.find_elements("css selector", "#replug .has-errors") == []
    assert "Choose one of the two." not in browser.text
    assert visit.agent.asked(StartTakeover) == []
    browser.find("#confirm input[type=text]").send_keys("  uNPLUG ")
    visit.says(
        {**SCENES["takeover-incomplete"].replies, StartTakeover: RUNNING.replies[WatchJob], **RUNNING.replies}
    )
    browser.press(browser.find("button.big"))
    (asked,) = visit.agent.asked(StartTakeover)
    assert set(asked.stay_dead) == {"ISDN-Anschluss, obere Dose", "Türsprechstelle"}
    assert asked.accept == ("peer-holds-address", "replug-first")


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
