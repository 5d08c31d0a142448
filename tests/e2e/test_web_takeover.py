"""S19 to S22, B7, F16: the cord is pulled, and a person with a phone and no JavaScript makes the standby the active.

The active was damaged before it died: its newest generation has no extension 102, and an older one is chosen.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from beistand_lab.browser import NARROW, Browser
from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import asking, switching

pytestmark = pytest.mark.lab
PAGE = "/admin/redundancy/"
NAME, PASSWORD = "anna", "korrekt pferd batterie"
USERS = {"alice@lab.example", "bob@lab.example", "carol@lab.example"}
CLICKS = 50
CLICKING = Path(__file__).with_name("clicking.py")
SOCKET = "ISDN line, upper socket"
"""What stands on the list of what is replugged by hand."""
DIAL_PLAN, DAMAGED = "/etc/asterisk/extensions.conf", "[inside]\n"


@pytest.fixture(scope="module")
def administrator(lab: Lab) -> Administrator:
    """A pair with two generations, the newer one of a damaged PBX, and one account, which both appliances know."""
    administrator = switching.prepare_pair(lab)
    lab.copy_in("a", DIAL_PLAN, DAMAGED)
    switching.cycle(administrator)
    administrator.run(
        "a", "account", "add", NAME, "--role", "administrator", "--password-stdin", input=PASSWORD + "\n"
    )
    wait_for(
        lambda: any(each["name"] == NAME for each in administrator.ask("b", "account", "list")["accounts"]),
        switching.SOON_SECONDS,
        "the standby to know the account",
    )
    return administrator


@pytest.fixture(scope="module")
def other_browser(lab: Lab) -> Iterator[Browser]:
    """A second administrator's."""
    with Browser(lab.settings, name="other-browser") as browser:
        yield browser


def log_in(browser: Browser, host: str, path: str) -> None:
    browser.open(host, path)
    browser.fill("name", NAME)
    browser.fill("password", PASSWORD)
    browser.press(browser.find("main form button"))
    browser.wait_for_path(path)


@pytest.mark.shows("S22")
def test_the_mail_server_is_set_and_tried_by_page(
    lab: Lab, administrator: Administrator, browser: Browser
) -> None:
    """S22: host, port, encryption, sender and a test mail, without the command line."""
    log_in(browser, "a", "/mail/")
    browser.fill("host", lab.settings.address("m"))
    browser.choose("encryption", "none")
    assert browser.field("port").get_attribute("value") == "25"  # suggested by the page
    browser.fill("sender", "pbx@lab.example")
    browser.fill("own_password", PASSWORD)
    browser.click("Save")
    browser.wait_for_text("The mail server is saved")
    browser.fill("address", "admin@lab.example")
    browser.click("Send test mail")
    browser.wait_for_text("The server has taken the mail")
    wait_for(lambda: any("admin@lab.example" in each.recipients for each in lab.mails()), 20, "the test mail")
    assert "alice@lab.example" in browser.text
    assert browser.problems() == []
    assert browser.console_errors() == []
    wait_for(
        lambda: administrator.ask("b", "mail", "show")["host"] == lab.settings.address("m"),
        switching.SOON_SECONDS,
        "the standby to know the mail server",
    )


@pytest.mark.shows("S20")
def test_what_is_replugged_by_hand_is_written_down_by_page(
    administrator: Administrator, browser: Browser
) -> None:
    """S20: on the active, while all is well; the standby knows it."""
    browser.open("a", "/module/redundancy/standby/")
    browser.fill("replug", SOCKET)
    browser.press(browser.find("form[action$='/replug/'] button"))
    browser.wait(lambda: browser.has(".told-done"), what="the word that it is kept")
    wait_for(
        lambda: administrator.ask("b", "config", "show")["replug"] == [SOCKET],
        switching.SOON_SECONDS,
        "the standby to know the list",
    )


@pytest.mark.shows("S19", "S20", "S21", "B7", "F16")
def test_a_takeover_by_click_on_a_phone_without_javascript(
    lab: Lab, administrator: Administrator, browser: Browser, other_browser: Browser
) -> None:
    """S20: the page says that the active works, then that it is down, and wants the list ticked.

    S21: the users get a mail; B7: what is chosen on the page is what serves; F16: one job.
    """
    begin = time.time()
    log_in(other_browser, "b", PAGE)
    browser.size(*NARROW)
    browser.without_script()
    log_in(browser, "b", PAGE)
    for each in (browser, other_browser):
        assert "is working." in each.text
        assert "What happened since the last cycle stays behind".lower() in each.text.lower()
        assert SOCKET in each.text
    lab.off("a")
    other_browser.wait_for_text("is down.", switching.SOON_SECONDS)  # by itself
    assert other_browser.problems() == []

    def is_down() -> bool:
        browser.click("Look again")
        return "is down." in browser.text

    browser.wait(is_down, switching.SOON_SECONDS, "the page to say that a is down")
    chosen = choose_the_older_one(browser)
    browser.fill("password", PASSWORD)
    browser.click("Take over with", leads_on=False)
    # The browser stops before anything is sent, so that the password stays; each line wants one of two answers.
    assert browser.has("#replug input:invalid")
    assert browser.find("[name=password]").get_attribute("value") == PASSWORD
    assert not switching.has_address(lab, "b")
    assert shown_point(browser) == chosen
    browser.find("#replug-1-dead").click()  # nobody is there to replug it: that must not stop anything
    browser.click("Take over with")
    browser.wait_for_text("is the active appliance now.", switching.SOON_SECONDS)
    assert f"stay dead until somebody replugs them: {SOCKET}" in browser.text
    assert switching.serves(lab, "b")
    assert lab.read("b", DIAL_PLAN).decode() != DAMAGED
    switching.assert_call_works(lab)
    other_browser.wait_for_text("is the active appliance now.", switching.SOON_SECONDS)
    assert other_browser.path == browser.path
    wait_for(
        lambda: {to for each in lab.mails() if each.time > begin for to in each.recipients} >= USERS,
        switching.SOON_SECONDS,
        "a mail to every user",
    )
    other_browser.wait_for_text("3 of 3 are sent")
    assert other_browser.problems() == []
    assert other_browser.console_errors() == []


def choose_the_older_one(browser: Browser) -> str:
    """Choose the older of two restore points and have it shown; return which one it is."""
    newest, older = browser.driver.find_elements("css selector", "[name=restore_point] option")
    chosen = older.get_attribute("value")
    assert newest.is_selected()
    assert chosen
    older.click()
    browser.click("Show this one")
    assert shown_point(browser) == chosen
    return chosen


def shown_point(browser: Browser) -> str | None:
    return browser.find("[name=restore_point] option:checked").get_attribute("value")


@pytest.mark.shows("F16")
def test_fifty_clicks_at_once_are_one_job(
    lab: Lab, administrator: Administrator, browser: Browser, other_browser: Browser
) -> None:
    """F16: the form is sent fifty times at once; one job runs, everybody is led to it or told how things stand."""
    lab.on("a")
    switching.wait_for_state(administrator, "a", "superseded")
    asking.wait_until_connected(lab)
    log_in(other_browser, "a", PAGE)
    other_browser.wait_for_text("this appliance stays quiet")
    cookies = {each["name"]: each["value"] for each in other_browser.driver.get_cookies()}
    wanted = {
        "url": other_browser.url("a", PAGE),
        "cookies": cookies,
        "clicks": CLICKS,
        "fields": {"password": PASSWORD, "act": "takeover", f"replug-{SOCKET}": "done"},
        "accept": ["peer-still-serves", "own-data"],
    }
    done = lab.sh("m", [sys.executable, str(CLICKING)], input=json.dumps(wanted), timeout=120)
    answers = json.loads(done.stdout)
    jobs = {each["location"] for each in answers if each["location"]}
    assert len(answers) == CLICKS
    assert {each["status"] for each in answers} <= {200, 303}, answers
    assert len(jobs - {PAGE}) == 1, jobs
    switching.wait_for_state(administrator, "a", "serving")
    noted = [each["what"] for each in administrator.ask("a", "audit")["lines"]]
    clicks = [each for each in noted if each["code"] == "audit.takeover"]
    assert len([each for each in clicks if "refused" not in each["fields"]]) == 1, clicks
    assert switching.serves(lab, "a")
    switching.wait_for_state(administrator, "b", "superseded")
    assert administrator.status("a")["epoch"] == 4
