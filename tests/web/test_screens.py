"""Every page in every state, in both languages, wide and narrow, light and dark: rules, and pictures to look at."""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beistand_lab.browser import NARROW, WIDE
from beistand_lab.settings import LABS
from fakes.agent_server import FakeAgent
from web.page_process import REPOSITORY, BrowserBeside, WebProcess
from web.page_scenes import PASSWORD, SCENES, USUAL, Scene

SCREENS = REPOSITORY / "build" / "screens" / "states"
IS_PHOTOGRAPHED = "BEISTAND_SCREENS" in os.environ
"""Set by `make screens`: every look, with its picture. Else the look in which most would break: German, the longer
words, on a phone, dark; and each fourth scene in English, wide and light."""
EVERY_LOOK = list(itertools.product((WIDE, NARROW), (False, True)))
LOOKS = (
    {"en": EVERY_LOOK, "de": EVERY_LOOK}
    if IS_PHOTOGRAPHED
    else {"en": [(WIDE, False)], "de": [(NARROW, True)]}
)
WALL, ZOOMED = (3840, 2160), (640, 450)
"""4K, and what 200 % leave of a window of 1280 pixels."""


class Visit:
    """One web process, one browser, one agent that says what a scene wants."""

    def __init__(self, agent: FakeAgent, browser: BrowserBeside) -> None:
        self.agent = agent
        self.browser = browser
        self.titles: dict[tuple[str, str], str] = {}
        self._is_in = False

    def go(self, scene: Scene, language: str) -> None:
        self.browser.prefer(language=language)
        self._log_in(wanted=scene.logged_in)
        self.agent.answer({**USUAL, **scene.replies})
        self.agent.is_gone = not scene.has_agent
        self.browser.open("", scene.path)
        self.agent.is_gone = False
        for name, text in scene.fill.items():
            field = self.browser.find(f"main [name={name}]:not([type=hidden])")
            field.clear()
            field.send_keys(text)
        if scene.press:
            self.browser.press(self.browser.find(scene.press), leads_on=not scene.opens)

    def _log_in(self, *, wanted: bool) -> None:
        if wanted == self._is_in:
            return
        self.browser.forget()
        self.agent.answer(USUAL)
        if wanted:
            self.browser.open("", "/log-in/")
            self.browser.fill("name", "anna")
            self.browser.fill("password", PASSWORD)
            self.browser.press(self.browser.find("main .primary"))
            self.browser.wait_for_path("/")
        self._is_in = wanted


@pytest.fixture(scope="module")
def visit() -> Iterator[Visit]:
    own = os.getpid()  # several runs may look at once
    address, name = f"127.73.{own // 250 % 250}.{own % 250 + 1}", f"screens-{own}"
    with (
        FakeAgent(USUAL) as agent,
        WebProcess(agent.path, address),
        BrowserBeside(name, address) as browser,
    ):
        yield Visit(agent, browser)
    shutil.rmtree(LABS / name, ignore_errors=True)


@pytest.mark.parametrize("name", SCENES)
def test_every_page_in_every_look(visit: Visit, name: str) -> None:
    wrong: dict[str, list[str]] = {}
    for language, looks in LOOKS.items():
        if not IS_PHOTOGRAPHED and language == "en" and list(SCENES).index(name) % 4:
            continue
        visit.go(SCENES[name], language)
        browser = visit.browser
        found = [*_titled(visit, SCENES[name], language), *_noise(browser)]
        for size, dark in looks:
            browser.prefer(language=language, dark=dark)
            browser.size(*size)
            found += browser.problems()
            if IS_PHOTOGRAPHED:
                browser.screenshot(_picture(name, language, size[0], dark=dark))
        browser.size(*WIDE)
        if found:
            wrong[language] = sorted(set(found))
    assert wrong == {}


@pytest.mark.parametrize("name", ["overview", "module-settings", "mail", "licences", "takeover-hung"])
def test_a_wall_and_a_magnified_window(visit: Visit, name: str) -> None:
    visit.go(SCENES[name], "de")
    for size in (WALL, ZOOMED):
        visit.browser.size(*size)
        assert visit.browser.problems() == []
        if IS_PHOTOGRAPHED:
            visit.browser.screenshot(_picture(name, "de", size[0], dark=False))
    visit.browser.size(*WIDE)


@pytest.mark.parametrize("name", ["overview", "module-settings", "accounts", "takeover-replug", "not-found"])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    visit: Visit, name: str, size: tuple[int, int]
) -> None:
    visit.go(SCENES[name], "de")
    browser = visit.browser
    browser.size(*size)
    browser.driver.execute_script("document.activeElement.blur(); window.scrollTo(0, 0)")
    reached = list(_by_tab(browser))
    there = browser.driver.execute_script(REACHABLE + "return all.length")
    browser.size(*WIDE)
    assert [each["name"] for each in reached if not each["is_shown"]] == []
    assert len({each["number"] for each in reached}) == there
    assert [each["number"] for each in reached] == sorted(each["number"] for each in reached)


def test_the_link_at_the_top_skips_the_menu(visit: Visit) -> None:
    visit.go(SCENES["overview"], "en")
    browser = visit.browser
    browser.press_key("Tab")
    browser.press_key("Enter")
    assert browser.driver.switch_to.active_element.tag_name == "main"


@pytest.mark.parametrize(
    "name", ["overview", "module-settings", "mail", "takeover-gone", "takeover-running", "job-running"]
)
def test_pages_without_script(visit: Visit, name: str) -> None:
    visit.browser.without_script()
    try:
        visit.go(SCENES[name], "de")
        shown = visit.browser.heading
    finally:
        visit.browser.without_script(off=False)
    assert shown.strip()


REACHABLE = """
const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, pre[tabindex]")].filter(
  (each) => !each.disabled && each.type !== "hidden" && each.checkVisibility({ visibilityProperty: true })
    && (each.matches("summary") || !each.closest("details:not([open])")) && each.getClientRects().length > 0
    && !(each.type === "radio" && !each.checked && document.querySelector(`[name="${each.name}"]:checked`)));
"""
FOCUSED = (
    REACHABLE
    + """
const now = document.activeElement;
if (now === document.body) return null;
const style = getComputedStyle(now), box = now.getBoundingClientRect();
const top = document.elementFromPoint(box.left + Math.min(box.width, 40) / 2, box.top + Math.min(box.height, 40) / 2);
const isClear = !top || now.contains(top) || top.contains(now);
return {
  number: all.indexOf(now),
  name: (now.innerText || now.name || now.id).slice(0, 60),
  is_shown: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.top >= -1
    && box.bottom <= innerHeight + box.height && isClear,
};
"""
)


def _by_tab(browser: BrowserBeside) -> Iterator[dict[str, Any]]:
    """Yield what has the focus after each press of the key, until it leaves the page."""
    for _ in range(120):
        browser.press_key("Tab")
        found = browser.driver.execute_script(FOCUSED)
        if found is None:
            return
        yield found


def _titled(visit: Visit, scene: Scene, language: str) -> list[str]:
    """Return what is wrong with language and title: another page has the same, people cannot tell the tabs apart."""
    title, path = visit.browser.driver.title, scene.path.partition("?")[0]
    said = visit.browser.find("html").get_attribute("lang")
    wrong = [] if said == language else [f"the page says that it is in {said}"]
    first = visit.titles.setdefault((language, title), path)
    is_error = not visit.browser.has("main form, main section, main .card") or path == "/network/"
    return wrong if first == path or is_error else [*wrong, f"titled as {first} is: {title}"]


def _noise(browser: BrowserBeside) -> list[str]:
    """Return what the console says; that an error page has an error's status is right."""
    return [each for each in browser.console_errors() if "status of" not in each]


def _picture(name: str, language: str, width: int, *, dark: bool) -> Path:
    return SCREENS / f"{name}-{language}-{width}-{'dark' if dark else 'light'}.png"
