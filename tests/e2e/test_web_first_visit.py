"""The first visit in a real browser: code from the console, account, appliance, overview, log-in."""

import json

import pytest

from beistand_lab.browser import NARROW, WIDE, Browser
from beistand_lab.lab import Lab

PASSWORD = "sieben blaue Kannen"


@pytest.mark.shows("S19")
def test_a_fresh_machine_is_set_up_in_the_browser(lab: Lab, browser: Browser) -> None:
    """S19: the first administrator comes by the code from the console, and by nothing else."""
    browser.open("a")
    browser.wait_for_path("/setup/")
    assert healthy(browser) == []

    register(browser, code="AAAAA-AAAAA-AAAAA-AAAAA")
    browser.wait_for_text("code")
    assert not browser.has("details.account"), "a wrong code let somebody in"

    register(browser, code=code_of(lab, "a"))
    browser.wait_for_text("What is this appliance?")
    browser.size(*NARROW)
    assert healthy(browser) == []
    browser.size(*WIDE)

    browser.tick("Active")
    browser.fill("Service address", lab.settings.service_address)
    browser.fill("password", "not this one")
    browser.click("Set up this appliance")
    browser.wait(lambda: browser.has(".told-failed"), what="a refusal of the wrong password")
    assert browser.find("[name=service]").get_attribute("value") == lab.settings.service_address
    assert browser.find("[name=password]").get_attribute("value") == ""

    browser.fill("password", PASSWORD)
    browser.click("Set up this appliance")
    browser.wait_for_path("/")
    browser.wait_for_text(lab.settings.service_address)
    assert healthy(browser) == []


def test_whoever_logs_out_is_out(browser: Browser) -> None:
    browser.click("anna")
    browser.click("Log out")
    browser.wait_for_path("/log-in/")
    browser.open("a", "/accounts/")
    browser.wait_for_path("/log-in/")
    assert "next=/accounts/" in browser.path.replace("%2F", "/")


def test_logging_in_leads_back_to_the_page_that_was_asked_for(browser: Browser) -> None:
    log_in(browser, "wrong and long enough")
    browser.wait(lambda: browser.has(".told-failed"), what="a refusal")
    log_in(browser, PASSWORD)
    browser.wait_for_path("/accounts/")
    assert healthy(browser) == []


def test_language_and_light_are_switched_and_stay(browser: Browser) -> None:
    browser.click("DE")
    browser.wait_for_text("Benutzerkonten")
    browser.find(".to-dark").click()
    browser.wait(lambda: browser.has("html[data-theme=dark]"), what="a dark page")
    browser.open("a")
    assert browser.find("html").get_attribute("lang") == "de"
    assert browser.has("html[data-theme=dark]")
    assert healthy(browser) == []
    browser.find(".to-light").click()
    browser.click("EN")
    browser.wait_for_text("Overview")


def test_everything_works_without_script(browser: Browser) -> None:
    browser.without_script()
    try:
        browser.open("a", "/password/")
        browser.fill("Present password", PASSWORD)
        browser.fill("New password", PASSWORD + " und mehr")
        browser.fill("Password once more", PASSWORD + " und mehr")
        browser.click("Change password")
        browser.wait(lambda: browser.path == "/", what="the overview")
        assert "Your password is changed" in browser.text
    finally:
        browser.without_script(off=False)


@pytest.mark.shows("F12")
def test_the_page_says_that_the_agent_is_away_and_comes_back_with_it(lab: Lab, browser: Browser) -> None:
    """F12: a page never hangs, whatever the agent does."""
    lab.sh("a", ["systemctl", "stop", "beistand-agent"])
    try:
        browser.open("a")
        browser.wait_for_text("The agent does not answer")
    finally:
        lab.sh("a", ["systemctl", "start", "beistand-agent"])
    browser.wait_for_text("Overview", 60)
    browser.console_errors()  # the 503 itself


def code_of(lab: Lab, host: str) -> str:
    return str(json.loads(lab.sh(host, ["beistand", "setup-code", "--json"]).stdout)["code"])


def register(browser: Browser, *, code: str) -> None:
    browser.fill("One-time code", code)
    browser.fill("Name", "anna")
    browser.fill("Password", PASSWORD)
    browser.fill("Password once more", PASSWORD)
    browser.click("Become administrator")


def log_in(browser: Browser, password: str) -> None:
    browser.fill("Name", "anna")
    browser.fill("Password", password)
    browser.find("main button").click()


def healthy(browser: Browser) -> list[str]:
    """What is wrong with the page that is shown."""
    return [*browser.problems(), *browser.console_errors()]
