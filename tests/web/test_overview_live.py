"""The overview looks again by itself and disturbs nobody who is busy with it; in a real browser."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from beistand.domain.message import message
from beistand.domain.role import Role
from beistand.protocol import Authenticate, GetStatus, Status
from web import page_values as values
from web.page_scenes import SCENES, USUAL
from web.visits import Visit, visiting

LATER = replace(values.ACTIVE, service_address="192.0.2.77")
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"
"""As when the tab comes to the front: nobody waits for the clock here, but in the one test that is about it."""
SHOWN_AS_OF = "return document.getElementById('as-of').textContent"


@pytest.fixture(scope="module")
def visit() -> Iterator[Visit]:
    with visiting() as visit:
        yield visit


@pytest.fixture
def page(visit: Visit) -> Visit:
    """The overview in English, as it was some time ago."""
    visit.go(SCENES["overview"], "en")
    _run(visit, "document.getElementById('as-of').textContent = 'As of long ago'")
    return visit


def _run(page: Visit, script: str) -> object:
    return page.browser.driver.execute_script(script)


def _tells(page: Visit, status: Status) -> None:
    page.agent.answer({**USUAL, GetStatus: status})


def _look(page: Visit) -> int:
    """Have the page look again, and return how often the agent had been asked by then."""
    asked = _asked(page)
    _run(page, LOOK)
    page.browser.wait(lambda: _asked(page) > asked and not _run(page, "return isLooking"))
    return asked


def _asked(page: Visit) -> int:
    return len([each for each in page.agent.asked(Authenticate) if each.is_watching])


def _is_as_of_long_ago(page: Visit) -> bool:
    return _run(page, SHOWN_AS_OF) == "As of long ago"


def test_what_changed_is_there_soon_without_a_hand(page: Visit) -> None:
    _tells(page, LATER)
    page.browser.wait_for_text(LATER.service_address, 20)
    assert not _is_as_of_long_ago(page)
    assert page.browser.console_errors() == []


def test_what_comes_and_goes_stands_in_its_place(page: Visit) -> None:
    _tells(page, values.TROUBLED)
    _look(page)
    assert "What you should know" in page.browser.text
    headings = "return [...document.querySelectorAll('main h2')].map((each) => each.textContent)"
    changed = _run(page, headings)
    page.browser.open("", "/")
    assert _run(page, headings) == changed
    _tells(page, values.ACTIVE)
    _look(page)
    assert "What you should know" not in page.browser.text


def test_a_fold_that_somebody_opened_and_the_focus_stay(page: Visit) -> None:
    summary = page.browser.find("main details summary")
    page.browser.press(summary, leads_on=False)
    _tells(page, values.TROUBLED)
    _look(page)
    assert "What you should know" in page.browser.text
    assert _run(page, "return document.querySelector('main details').open")
    assert page.browser.driver.switch_to.active_element == summary


def test_what_is_just_marked_stays(page: Visit) -> None:
    _run(page, "getSelection().selectAllChildren(document.getElementById('is'))")
    marked = _run(page, "return String(getSelection())")
    _tells(page, replace(LATER, state="unverified"))
    _look(page)
    assert _run(page, "return String(getSelection())") == marked
    assert _is_as_of_long_ago(page), "what is shown is older than it says"
    _run(page, "getSelection().removeAllRanges()")
    _look(page)
    assert LATER.service_address in page.browser.text


def test_what_somebody_stands_on_does_not_go(page: Visit) -> None:
    button = page.browser.find("form[action='/cycle/'] button")
    _run(page, "document.querySelector(\"form[action='/cycle/'] button\").focus()")
    _tells(page, replace(LATER, job=values.JOB))
    _look(page)
    assert page.browser.driver.switch_to.active_element == button
    assert _is_as_of_long_ago(page)
    _run(page, "document.activeElement.blur()")
    _look(page)
    assert not page.browser.has("form[action='/cycle/']")


def test_nothing_is_said_aloud_that_nobody_asked_for(page: Visit) -> None:
    live = "return document.querySelector('[data-again]').closest('[aria-live], [role=status], [role=alert]')"
    assert _run(page, live) is None
    inside = (
        "return document.querySelectorAll('[data-again] [aria-live], [data-again] [role]:not(svg)').length"
    )
    assert _run(page, inside) == 0


def test_an_appliance_that_does_not_answer_is_told_and_so_is_its_return(page: Visit) -> None:
    page.agent.is_gone = True
    _run(page, LOOK)
    page.browser.wait_for_text("This appliance does not answer")
    assert "192.0.2.10" in page.browser.text
    assert _is_as_of_long_ago(page)
    page.agent.is_gone = False
    _look(page)
    assert "This appliance does not answer" not in page.browser.text


def test_who_was_logged_out_comes_to_the_log_in(page: Visit) -> None:
    page.agent.answer({**USUAL, Authenticate: message("session-ended")})
    _run(page, LOOK)
    page.browser.wait_for_path("/log-in/")
    page.browser.wait_for_text("Your session has ended")
    page.agent.answer(USUAL)
    page.log_out()


def test_the_top_of_the_page_says_another_role(page: Visit) -> None:
    assert "active" in page.browser.find(".where").text
    _tells(page, replace(values.STANDBY, state="superseded", role=Role.SUPERSEDED))
    _look(page)
    assert "superseded" in page.browser.find(".where").text


def test_a_tab_that_nobody_sees_asks_nothing(page: Visit) -> None:
    _run(page, "Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    asked = _asked(page)
    _run(page, LOOK)
    _run(page, "delete document.hidden")
    _look(page)
    assert _asked(page) == asked + 1


def test_two_looks_are_one_request(page: Visit) -> None:
    asked = _asked(page)
    _run(page, f"{LOOK}; {LOOK}; {LOOK};")
    page.browser.wait(lambda: _asked(page) > asked and not _run(page, "return isLooking"))
    assert _asked(page) == asked + 1
