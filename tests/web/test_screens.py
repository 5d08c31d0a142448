"""Every page in every state, in both languages, wide and narrow, light and dark: rules, and pictures to look at."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beistand_lab.browser import NARROW, WIDE
from web.page_process import REPOSITORY, BrowserBeside
from web.page_scenes import SCENES, Scene
from web.visits import Visit, visiting

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


@pytest.fixture(scope="module")
def visit() -> Iterator[Visit]:
    with visiting() as visit:
        yield visit


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
// Tab stops once in a group: at the one that is chosen, else at the first.
const ofItsGroup = (name) => [":checked", "*"].map((each) => document.querySelector(
  `input${each === "*" ? "" : each}[type="radio"][name="${CSS.escape(name)}"]`)).find(Boolean);
const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, pre[tabindex]")].filter(
  (each) => !each.disabled && each.type !== "hidden" && each.checkVisibility({ visibilityProperty: true })
    && (each.matches("summary") || !each.closest("details:not([open])")) && each.getClientRects().length > 0
    && (each.type !== "radio" || each === ofItsGroup(each.name)));
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
