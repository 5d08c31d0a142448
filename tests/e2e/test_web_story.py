"""The whole story by pages, in a real Chromium: two machines out of the box, and in the end the other one serves.

A person with a browser, and the one-time codes from the two consoles: `beistand setup-code` is the only command.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from beistand_lab.browser import NARROW, WIDE, Browser
from beistand_lab.lab import Lab, wait_for
from beistand_lab.settings import PHONES, ROOT_PASSWORD
from e2e import selling, switching
from e2e.pairing_up import GENEROUS_SECONDS
from e2e.person import Person

pytestmark = pytest.mark.lab

PASSWORD = "Jörgs fünf süße Äpfel 🍏"
OTHER_PASSWORD = "only until they are a pair"
CONFIG_NAME = "Redundanz Köln ☎ „Zentrale“ 🎉"
USERS = {"alice@lab.example", "bob@lab.example", "carol@lab.example"}
LETTER = "Telefonanlage: bitte prüfen Sie Ihr Telefon"
ADMINISTRATOR = "admin@lab.example"
GREETING = "/var/spool/asterisk/voicemail/default/101/greet.wav"
IMPORT = "/module/redundancy/import/"
CYCLE_SECONDS = 150.0
"""A timer of one minute, and the cycle itself."""


@pytest.fixture(scope="module")
def person(lab: Lab) -> Iterator[Person]:
    """A German, at first."""
    with Browser(lab.settings) as browser:
        browser.prefer(language="de")
        yield Person(lab, browser, "joerg", PASSWORD)


@pytest.mark.shows("S3", "S19")
def test_both_machines_are_set_up_in_the_browser(lab: Lab, person: Person) -> None:
    """S19: whoever has the code from the console is the first administrator, of either appliance."""
    browser = person.browser
    person.become_administrator("a", person.name, PASSWORD)
    person.set_up("active", PASSWORD)
    assert browser.has(".state-role-active")
    with lab.sip_probe(lab.settings.service_address) as probe:
        probe.first_answer(time.time(), GENEROUS_SECONDS)
    for number in PHONES:
        lab.phone(number).register(seconds=GENEROUS_SECONDS)
    lab.sh("a", ["mkdir", "-p", str(Path(GREETING).parent)])
    lab.copy_in("a", GREETING, bytes(range(256)) * 64)
    person.become_administrator("b", "berta", OTHER_PASSWORD)
    person.set_up("standby", OTHER_PASSWORD)
    assert browser.has(".state-role-standby")
    _is_sound(browser)


@pytest.mark.shows("S8", "S9", "S22")
def test_the_module_and_the_mail_server_are_configured(lab: Lab, person: Person) -> None:
    """S8, S9, S22: what a mistake is told at its field, and what was right is kept."""
    browser = person.browser
    person.log_in("a", "/licences/")
    key = browser.find("#server-key").text
    browser.open("a", "/module/")
    person.send("main form[action='/module/create/']")
    browser.wait_for_path("/module/redundancy/settings/")
    assert browser.find("[name=licence_key]").get_attribute("value") == key
    browser.fill("licence_key", "not-a-key")
    browser.fill("attempts", "7")
    browser.find("[name=send_mail]").click()
    browser.fill("mail_address", ADMINISTRATOR)
    _save(browser)
    browser.wait(lambda: browser.has("#id_licence_key_error"), what="the refusal of what is no key")
    assert browser.find("[name=attempts]").get_attribute("value") == "7"
    browser.fill("licence_key", key)
    _save(browser)
    browser.wait(lambda: browser.has(".told-done"), what="the word that it is kept")
    browser.open("a", "/module/redundancy/general/")
    browser.driver.execute_script(
        "arguments[0].value = arguments[1]", browser.find("[name=name]"), CONFIG_NAME
    )
    _save(browser)
    browser.wait(lambda: CONFIG_NAME in browser.heading, what="the name as heading")
    browser.open("a", "/mail/")
    browser.fill("host", lab.settings.address("m"))
    browser.find("[name=encryption] option[value=none]").click()
    browser.fill("sender", "anlage@lab.example")
    browser.fill("own_password", PASSWORD)
    person.send("#server form")
    browser.wait(lambda: browser.has(".told-done"), what="the word that it is kept")
    assert browser.find("[name=port]").get_attribute("value") == "25"
    assert all(each in browser.find("#users").text for each in USERS)
    browser.fill("address", ADMINISTRATOR)
    person.send("#test form")
    browser.wait(lambda: browser.has("#test .told-done"), what="the test mail")
    assert [each.recipients for each in lab.mails()] == [(ADMINISTRATOR,)]


@pytest.mark.shows("S5", "S13")
def test_the_two_become_a_pair(lab: Lab, person: Person) -> None:
    """S13, S5: after the fingerprint was compared; each side then knows the other's licences, and keeps its own."""
    browser = person.browser
    browser.open("a", "/module/redundancy/standby/")
    browser.fill("server", lab.settings.address("b"))
    person.send("main form[action$='/host-key/']")
    browser.wait(lambda: browser.has("#fingerprint"), what="the fingerprint")
    console = lab.sh("b", ["ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub"]).stdout
    assert browser.find("#fingerprint").text in console.split()
    browser.find("[name=compared]").click()
    browser.fill("password", ROOT_PASSWORD)
    browser.fill("own_password", PASSWORD)
    person.send("main form[action$='/pair/']")
    person.see_job_done("/module/redundancy/standby/")
    assert ROOT_PASSWORD not in browser.driver.page_source
    there: dict[str, list[list[str]]] = {}
    for host in ("a", "b"):
        person.log_in(host, "/licences/")  # b, too: the accounts went over
        browser.wait(lambda: all(selling.shown_keys(browser)), what="licences on both sides")
        there[host] = selling.shown_keys(browser)
        assert not browser.has(".state-bad"), browser.text
    assert there["a"] == there["b"][::-1]
    assert not set(there["a"][0]) & set(there["a"][1])
    browser.console_errors()  # b refused its pages for the moment in which the accounts went over


@pytest.mark.shows("S14", "S16", "S17")
def test_a_backup_fills_the_standby(lab: Lab, person: Person, tmp_path: Path) -> None:
    """S14, S16: made and downloaded on the active, uploaded, looked at, and saved only behind the warning."""
    browser = person.browser
    browser.open("a", "/backups/")
    person.send("main form[action='/backups/new/']")
    person.see_job_done("/backups/")
    browser.press(browser.find("main table a"))
    browser.wait(lambda: browser.has("main dl.facts"), what="the page of the backup")
    shown = browser.text
    file = person.download(tmp_path)
    assert hashlib.sha256(file.read_bytes()).hexdigest() in shown
    person.log_in("b", IMPORT)
    browser.fill("file", str(file))
    person.send("form[data-upload]", leads_on=False)
    person.see_job_done(IMPORT)
    assert "/var/spool/asterisk" in browser.text
    for host, refusal in (("pbx-a", True), ("pbx-b", False)):
        browser.fill("host", host)
        browser.fill("own_password", PASSWORD)
        assert lab.sh("b", ["ls", GREETING], check=False).returncode != 0  # nothing is touched before
        person.send("form.card-danger")
        if refusal:
            browser.wait(lambda: browser.has("#id_host_error"), what="the refusal of another name")
    person.see_job_done(IMPORT)
    assert lab.read("b", GREETING) == lab.read("a", GREETING)
    browser.open("b", "/module/redundancy/settings/")
    assert not browser.find("[name=attempts]").is_enabled()
    assert not switching.serves(lab, "b")


@pytest.mark.shows("S2", "S9")
def test_a_cycle_comes_by_itself(lab: Lab, person: Person) -> None:
    """S2, S9: a timer of one minute; both overviews show what came, and what was changed meanwhile is there."""
    browser = person.browser
    browser.open("a", "/module/redundancy/settings/")
    browser.find("[name=interval] option[value=minute]").click()
    person.set("every", "1")
    person.set("start", datetime.now().strftime("%Y-%m-%d"))  # noqa: DTZ005  # local time is what is typed
    person.set("at", "00:00")
    lab.copy_in("a", GREETING, b"a new greeting" * 999)
    _save(browser)
    browser.wait(lambda: browser.has(".told-done"), what="the word that it is kept")

    def has_come() -> bool:
        browser.open("a", "/")
        by_itself = "vom Zeitplan" in browser.find("section[aria-labelledby=cycles]").get_attribute(
            "innerHTML"
        )
        return by_itself and lab.read("b", GREETING) == lab.read("a", GREETING)

    browser.wait(has_come, CYCLE_SECONDS, "a cycle of the schedule on the overview")

    def is_on_both() -> bool:
        shown = []
        for host in ("a", "b"):
            browser.open(host, "/")
            shown.append(browser.find("section[aria-labelledby=copy] > p").text)
        return browser.has(".step:nth-child(4).step-done") and shown[0] == shown[1]

    browser.wait(is_on_both, GENEROUS_SECONDS, "the same imported generation on both overviews")
    _is_sound(browser)


def test_a_session_that_ends_elsewhere_is_told_where_somebody_waits_or_writes(person: Person) -> None:
    """Logged out in a third tab: neither takeover page nor form stands there as if nothing had happened."""
    browser, driver = person.browser, person.browser.driver
    waiting = driver.current_window_handle
    person.log_in("b", "/admin/redundancy/")
    driver.switch_to.new_window("tab")
    browser.open("b", "/password/")
    writing = driver.current_window_handle
    driver.switch_to.new_window("tab")
    browser.open("b")
    browser.find(".account summary").click()
    browser.press(browser.find("form[action='/log-out/'] button"))
    browser.wait_for_path("/log-in/")
    driver.close()
    driver.switch_to.window(writing)
    for field in ("old", "new", "again"):
        browser.fill(field, PASSWORD)
    person.send()
    browser.wait(lambda: browser.has(".told-warning"), what="the word that nothing was sent")
    driver.close()
    driver.switch_to.window(waiting)
    browser.wait_for_path("/log-in/")
    _is_sound(browser)


@pytest.mark.shows("S3", "S19", "S20", "S21")
def test_the_standby_takes_over_by_one_click(lab: Lab, person: Person) -> None:
    """S20, S3, S21: the evidence turns by itself; one click on a phone's screen, a call, a mail to everybody."""
    browser = person.browser
    browser.prefer(language="en")
    browser.size(*NARROW)
    person.log_in("b", "/admin/redundancy/")
    assert "pbx-a is working." in browser.text
    begin = time.time()
    lab.off("a")
    browser.wait_for_text("pbx-a is down.", switching.SOON_SECONDS)
    browser.wait(lambda: browser.has(".verdict-go"), what="the evidence that a is gone")
    person.see_plan("pbx-a is down.")
    _is_sound(browser)
    browser.fill("password", PASSWORD)
    click = time.time()
    browser.click("Take over with")
    browser.wait_for_text("pbx-b is the active appliance now.", switching.SOON_SECONDS)
    told = browser.driver.execute_script("return document.querySelector('.verdict-go .age').innerText")
    seconds = re.search(r"([\d.]+) s", told)
    assert seconds
    assert 0 < float(seconds[1]) < time.time() - click
    assert switching.first_claim(lab, "b", begin) >= click
    switching.assert_call_works(lab)
    wait_for(lambda: set(_mails(lab, begin)) >= USERS, switching.SOON_SECONDS, "a mail to every user")
    # Set up by somebody whose browser asked for German: whoever clicks now, its mails are German.
    assert {each.subject for each in lab.mails() if set(each.recipients) <= USERS} == {LETTER}
    browser.wait_for_text("3 of 3 are sent")
    browser.size(*WIDE)
    browser.open("b", "/")
    browser.wait(lambda: browser.has(".state-role-active"), what="the word that b is the active")
    assert lab.settings.service_address in browser.text


@pytest.mark.shows("S21", "B5")
def test_the_old_active_comes_back_and_stays_quiet(lab: Lab, person: Person) -> None:
    """B5: it says on its page that the other took over, and nobody gets another mail."""
    browser = person.browser
    begin = time.time()
    lab.on("a")

    def is_superseded() -> bool:
        person.log_in("a")
        return browser.has(".state-role-superseded") and "pbx-b" in browser.find("#is").text

    browser.wait(is_superseded, switching.SOON_SECONDS, "the overview of a to say superseded")
    switching.assert_quiet(lab, "a", begin)
    assert switching.serves(lab, "b")
    assert {who: count for who, count in _mails(lab, 0).items() if who in USERS} == dict.fromkeys(USERS, 1)
    _is_sound(browser)


def _save(browser: Browser) -> None:
    """Click the button that keeps a form of the module."""
    browser.press(browser.find("main form button.primary"))


def _mails(lab: Lab, begin: float) -> Counter[str]:
    """Who got how many since then."""
    return Counter(name for mail in lab.mails() if mail.time > begin for name in mail.recipients)


def _is_sound(browser: Browser) -> None:
    assert browser.problems() == []
    assert browser.console_errors() == []
