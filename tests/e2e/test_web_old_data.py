"""B3, F27, F28: the copy has become too old, both sides say so; the takeover asks twice, and is mended on its page.

Nobody waits for old data: the clock of the active's agent is 40 minutes behind while the copy is made. Then its cord
is pulled, and it comes back with the right time, as after 40 minutes without power.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterator

import pytest

from beistand_lab import late_clock
from beistand_lab.browser import NARROW, Browser
from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import switching
from e2e.pairing_up import GENEROUS_SECONDS, cycle, newest, paired, wait_for_agent
from e2e.person import Person

pytestmark = pytest.mark.lab

BEHIND = dt.timedelta(minutes=40)
EVERY = 10
"""Minutes: two runs and one try of five minutes are promised, 25 at most."""
ADMINISTRATOR = "admin@lab.example"
NAME, PASSWORD = "anna", "korrekt pferd batterie"
AGED = r"[Tt]he standby.s data is 4\d minutes.* old; the schedule promises [12]\d minutes"
PAGE = "/admin/redundancy/"
SPOOL = "/var/spool/asterisk"
NEWS = f"{SPOOL}/long.wav"
PROGRAM = "/usr/sbin/asterisk"


@pytest.fixture(scope="module")
def pair(lab: Lab) -> Administrator:
    """One generation is imported; the schedule's first run comes five minutes later."""
    for host in ("a", "b"):
        switching.wait_for_agent(lab, host)
    late_clock.set_back(lab, "a", BEHIND)
    pair = paired(lab)
    pair.run("a", "account", "add", NAME, "--role=administrator", "--password-stdin", input=f"{PASSWORD}\n")
    host = lab.settings.address("m")
    pair.ask("a", "mail", "server", "--host", host, "--encryption", "none", "--sender", "pbx@lab.example")
    pair.run("a", "config", "set", "attempts=1", "send_mail=true", f"mail_address={ADMINISTRATOR}")
    cycle(pair)
    begin = dt.datetime.fromisoformat(newest(pair, "a")["generation"]["begin"]).astimezone()
    first = begin + dt.timedelta(minutes=EVERY / 2)
    schedule = {"interval": "minute", "every": EVERY, "start": f"{first:%Y-%m-%d}", "at": f"{first:%H:%M}"}
    pair.run("a", "config", "set", *(f"schedule.{name}={value}" for name, value in schedule.items()))
    wait_for(lambda: pair.ask("b", "config", "show")["schedule"] is not None, GENEROUS_SECONDS, "b to know")
    wait_for(lambda: pair.ask("b", "mail", "show")["host"] == host, GENEROUS_SECONDS, "b to know the server")
    return pair


@pytest.fixture(scope="module")
def person(lab: Lab) -> Iterator[Person]:
    with Browser(lab.settings) as browser:
        yield Person(lab, browser, NAME, PASSWORD)


def sequence(pair: Administrator) -> int:
    """How many generations the active has begun so far."""
    found: int = newest(pair, "a")["generation"]["sequence"]
    return found


def stale(pair: Administrator, host: str) -> dict[str, float]:
    """Age and limit, as `beistand status` tells them; empty: nothing is told."""
    found = [each["fields"] for each in pair.status(host)["findings"] if each["code"] == "copy-stale"]
    return found[0] if found else {}


@pytest.mark.shows("S9")
def test_what_was_missed_while_the_machine_was_off_runs_once_at_boot(lab: Lab, pair: Administrator) -> None:
    """S9: four runs fell due without power; one comes, and the next when the schedule says so."""
    before = sequence(pair)
    lab.sh("a", ["fallocate", "--length=2M", NEWS])
    lab.fill("b", SPOOL, leave=500_000)
    lab.off("a")
    late_clock.set_right(lab, "a")
    lab.on("a")
    wait_for_agent(lab, "a")
    wait_for(lambda: sequence(pair) > before, GENEROUS_SECONDS, "the run that was missed")
    wait_for(lambda: newest(pair, "a")["state"] == "failed", GENEROUS_SECONDS, "its end")
    tried = newest(pair, "a")
    assert (tried["generation"]["sequence"], tried["asked"]) == (before + 1, False)
    assert tried["why"]["code"] in {"no-space", "no-room-for-generation", "peer-disk-full"}, tried
    coming = dt.datetime.fromisoformat(pair.status("a")["next_cycle"]).timestamp() - time.time()
    assert 0 < coming < EVERY * 60


@pytest.mark.shows("B3", "F28")
def test_both_sides_say_that_the_data_is_too_old(lab: Lab, pair: Administrator, person: Person) -> None:
    """B3: by page, by the command line and by mail, from both, though only one of them fails."""
    for host in ("a", "b"):
        wait_for(lambda host=host: bool(stale(pair, host)), GENEROUS_SECONDS, f"{host} to tell")  # type: ignore[misc]
        told, now = stale(pair, host), time.time()
        begin = dt.datetime.fromisoformat(pair.status(host)["usable"]["generation"]["begin"])
        assert told["age"] == pytest.approx(now - begin.timestamp(), abs=30)
        assert told["age"] > BEHIND.total_seconds()
        assert told["limit"] <= (2 * EVERY + 5) * 60
        assert re.search(AGED, pair.run(host, "status").stdout)
        person.log_in(host)
        person.browser.wait(lambda: re.search(AGED, person.browser.text), what="the age on the overview")
        assert person.browser.problems() == []
    senders = set()

    def both_wrote() -> bool:
        subjects = [each.subject for each in lab.mails() if ADMINISTRATOR in each.recipients]
        senders.update(each.partition(":")[0] for each in subjects if "data is too old" in each)
        return senders == {"Beistand pbx-a", "Beistand pbx-b"}

    wait_for(both_wrote, GENEROUS_SECONDS, "a mail of each")


@pytest.mark.shows("F28", "S20")
def test_old_data_is_shown_large_and_served_only_after_a_typed_word(
    lab: Lab, pair: Administrator, person: Person
) -> None:
    """F28, F27: the age stands in big letters; and after the word the PBX is missing."""
    lab.empty("b", SPOOL)
    lab.sh("b", ["mv", PROGRAM, f"{PROGRAM}.away"])
    lab.off("a")
    browser = person.browser
    browser.size(*NARROW)
    person.log_in("b", PAGE)
    person.see_plan("pbx-a is down.")
    age, size = browser.driver.execute_script(
        "const age = document.querySelector('.age-old'); return [age.innerText, getComputedStyle(age).fontSize]"
    )
    assert re.search(r"4\d minutes.* old", age), age
    assert float(size.removesuffix("px")) > 24
    assert browser.problems() == []
    browser.fill("password", PASSWORD)
    browser.click("Take over with", leads_on=False)
    browser.wait(lambda: browser.find("#missing-data-old").is_displayed(), what="the question for the word")
    assert not switching.has_address(lab, "b")
    person.see_plan("pbx-a is down.")
    for each in browser.driver.find_elements("css selector", "[name=accept]"):
        each.click()  # no phone was registered: none can bear witness
    browser.fill("word-data-old", "OLD")
    assert browser.find("[name=password]").get_attribute("value") == PASSWORD
    browser.click("Take over with")
    browser.wait(lambda: browser.has(".verdict-stop"), 2 * switching.SOON_SECONDS, "the failure of the PBX")
    assert "asterisk.service" in browser.find(".verdict-stop").text


@pytest.mark.shows("F27")
def test_a_pbx_that_does_not_start_is_told_and_serves_once_it_is_mended(
    lab: Lab, pair: Administrator, person: Person
) -> None:
    """F27: the cause stands on the page, trying again shows whether it is mended, and one click leads on."""
    browser = person.browser
    switching.wait_for_state(pair, "b", "active-failed")
    browser.open("b", PAGE)
    browser.wait_for_text("asterisk.service")
    assert browser.problems() == []
    click = time.time()
    browser.find("#retry_password").send_keys(PASSWORD)
    browser.click("Serve now")
    switching.wait_for_log(lab, "b", "Failed to start", click, unit="asterisk")
    assert pair.status("b")["state"] == "active-failed"
    lab.sh("b", ["mv", f"{PROGRAM}.away", PROGRAM])
    person.log_in("b", PAGE)
    browser.find("#retry_password").send_keys(PASSWORD)
    browser.click("Serve now")
    switching.wait_for_state(pair, "b", "serving", "unverified")
    assert switching.serves(lab, "b")
    with lab.sip_probe(lab.settings.service_address) as probe:
        assert probe.first_answer(time.time(), switching.SOON_SECONDS)
