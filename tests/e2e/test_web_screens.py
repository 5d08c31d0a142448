"""Every page as people see it: both languages, wide and narrow, light and dark, written to build/screens."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from beistand_lab.browser import NARROW, WIDE, Browser
from beistand_lab.lab import Lab
from beistand_lab.settings import PROJECT
from e2e.pairing_up import cycle, seeded

PASSWORD = "sieben blaue Kannen"
SCREENS = PROJECT / "build" / "screens"
PAGES = {
    "overview": "/",
    "module": "/module/",
    "module-general": "/module/redundancy/general/",
    "module-settings": "/module/redundancy/settings/",
    "module-standby": "/module/redundancy/standby/",
    "module-import": "/module/redundancy/import/",
    "backups": "/backups/",
    "licences": "/licences/",
    "mail": "/mail/",
    "network": "/network/",
    "logs": "/logs/",
    "audit": "/logs/audit/",
    "takeover": "/admin/redundancy/",
    "accounts": "/accounts/",
    "account-new": "/accounts/new/",
    "account-remove": "/accounts/account/anna/remove/",
    "token-new": "/accounts/tokens/new/",
    "password": "/password/",
    "api": "/api/",
    "not-found": "/no-such-page/",
}
ON_THE_STANDBY = ("overview", "module-settings", "module-import", "takeover", "accounts")
EVERY_LOOK = [
    (language, width, dark) for language in ("en", "de") for width in (WIDE, NARROW) for dark in (False, True)
]
LOOKS = EVERY_LOOK if "BEISTAND_SCREENS" in os.environ else [("en", WIDE, False), ("de", NARROW, True)]
"""`make screens` takes all of them; tests/web/test_screens.py checks each page in every look without a lab."""


@pytest.fixture(scope="module")
def pair(lab: Lab, browser: Browser) -> Iterator[None]:
    """Paired, two generations on the standby, an administrator on both."""
    administrator = seeded(lab)
    cycle(administrator)
    code = json.loads(lab.sh("a", ["beistand", "setup-code", "--json"]).stdout)["code"]
    browser.open("a")
    photograph(browser, "a", "setup", "/setup/")
    browser.prefer(language="en")
    browser.open("a", "/setup/")
    for label, value in (("One-time code", code), ("Name", "anna"), ("Password", PASSWORD)):
        browser.fill(label, value)
    browser.fill("Password once more", PASSWORD)
    browser.click("Become administrator")
    browser.wait_for_path("/")
    return


@pytest.mark.parametrize("name", PAGES)
def test_every_page_of_the_active(pair: None, browser: Browser, name: str) -> None:
    assert photograph(browser, "a", name, PAGES[name]) == {}


@pytest.mark.parametrize("name", ON_THE_STANDBY)
def test_the_pages_of_the_standby_with_the_same_account(pair: None, browser: Browser, name: str) -> None:
    """S17: always inactive there, and saying so; accounts are pair settings."""
    browser.prefer(language="en")
    browser.open("b", "/log-in/")
    if browser.path.startswith("/log-in/"):
        browser.fill("Name", "anna")
        browser.fill("Password", PASSWORD)
        browser.press(browser.find("main button"))
        browser.wait_for_path("/")
    assert photograph(browser, "b", name, PAGES[name]) == {}


def test_the_log_in_page(pair: None, browser: Browser) -> None:
    browser.forget()
    assert photograph(browser, "a", "log-in", "/log-in/") == {}


def photograph(browser: Browser, host: str, name: str, path: str) -> dict[str, list[str]]:
    """Take the page in every look; returns what is wrong with which of them."""
    wrong = {}
    for language, width, dark in LOOKS:
        look = f"{language}-{width[0]}-{'dark' if dark else 'light'}"
        browser.prefer(language=language, dark=dark)
        browser.size(*width)
        browser.open(host, path)
        browser.screenshot(picture(host, name, look))
        errors = [each for each in browser.console_errors() if "404" not in each]
        if found := [*browser.problems(), *errors]:
            wrong[look] = found
    browser.size(*WIDE)
    return wrong


def picture(host: str, name: str, look: str) -> Path:
    return SCREENS / f"{name}-{'standby-' if host == 'b' else ''}{look}.png"
