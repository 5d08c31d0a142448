"""A planned takeover, and every way in which one must not happen."""

from __future__ import annotations

import json
import time

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import asking, switching

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def administrator(lab: Lab) -> Administrator:
    return switching.prepare_pair(lab)


@pytest.mark.shows("S18", "S20")
def test_the_plan_tells_that_the_active_serves_and_does_nothing(administrator: Administrator) -> None:
    """S20: evidence and age of the data are shown; b does not touch the address, a goes on serving."""
    lab, begin = administrator.lab, time.time()
    shown = switching.plan_with_verdict(administrator, "peer-holds")
    assert "peer-still-serves" in switching.codes(shown)
    assert shown["facts"]["holder_mac"] == lab.settings.mac("a")
    assert 0 < shown["age_seconds"] < 600
    assert len(shown["phones"]) == 3
    switching.assert_call_works(lab)
    switching.assert_quiet(lab, "b", begin, seconds=2)
    assert switching.serves(lab, "a")


@pytest.mark.shows("S18", "S20")
def test_a_takeover_is_refused_without_what_must_be_accepted(administrator: Administrator) -> None:
    """S20: while the active serves, only a person who says so by name switches."""
    lab, begin = administrator.lab, time.time()
    shown = switching.plan_with_verdict(administrator, "peer-holds")
    for accepted in ((), ("foreign-holder",), ("isolated", "partition-suspected")):
        answer = switching.confirm(administrator, shown, *accepted)
        assert answer["error"]["code"] == "not-accepted", answer
    answer = administrator.ask("b", "takeover", "--yes")
    assert answer["error"]["code"] == "takeover-not-accepted", answer
    assert switching.claims(lab, "b", begin) == []
    assert switching.serves(lab, "a")


@pytest.mark.shows("S18")
def test_a_takeover_is_refused_when_it_is_not_what_was_shown(administrator: Administrator) -> None:
    """S18: what a person confirms is what was shown; newer data makes it another plan."""
    lab, begin = administrator.lab, time.time()
    answer = switching.confirm_digest(administrator, "0" * 64, "peer-still-serves")
    assert answer["error"]["code"] == "plan-changed", answer
    old = switching.plan(administrator)["digest"]
    switching.cycle(administrator)
    answer = switching.confirm_digest(administrator, old, "peer-still-serves")
    assert answer["error"]["code"] == "plan-changed", answer
    assert switching.claims(lab, "b", begin) == []
    assert switching.serves(lab, "a")


@pytest.mark.shows("S3", "S20", "F16")
def test_two_clicks_at_once_are_one_takeover(administrator: Administrator) -> None:
    """S3: the active releases, the standby serves; the second of two clicks does nothing more (F16)."""
    lab, begin = administrator.lab, time.time()
    digest = switching.plan_with_verdict(administrator, "peer-holds")["digest"]
    click = ["beistand", "takeover", "--confirm", digest, "--accept", "peer-still-serves", "--json"]
    clicks = [lab.popen("b", click) for _ in range(2)]
    answers = [json.loads(each.communicate(timeout=180)[0]) for each in clicks]
    done = [each for each in answers if each.get("state") == "done"]
    refused = [each["error"]["code"] for each in answers if each.get("error")]
    assert len(done) == len(refused) == 1, answers
    assert refused[0] in {"job-running", "already-active", "plan-changed"}
    taken = switching.first_claim(lab, "b", begin)
    switching.assert_call_works(lab)
    # I1, I2: from the first frame of the new holder on there is none of the old one.
    switching.assert_quiet(lab, "a", taken)
    assert switching.serves(lab, "b")
    switching.wait_for_state(administrator, "b", "serving")
    switching.wait_for_state(administrator, "a", "superseded")
    assert administrator.status("b")["epoch"] == administrator.status("a")["epoch"] == 3


@pytest.mark.shows("B5", "F19")
def test_the_old_active_boots_and_stays_quiet(administrator: Administrator) -> None:
    """B5: its cord is pulled and it comes back while the new active serves."""
    lab = administrator.lab
    lab.off("a")
    begin = time.time()
    lab.on("a")
    switching.wait_for_state(administrator, "a", "superseded")
    switching.assert_quiet(lab, "a", begin)
    switching.assert_call_works(lab)


@pytest.mark.shows("B5", "F19")
def test_the_old_active_boots_alone_and_stays_quiet(administrator: Administrator) -> None:
    """B5: also without the new active it never serves again by itself; a later boot of that one does."""
    lab = administrator.lab
    for host in ("a", "b"):
        lab.off(host)
    begin = time.time()
    lab.on("a")
    switching.wait_for_state(administrator, "a", "superseded")
    # An agent that dies and comes back learns nothing from it, either.
    lab.sh("a", ["systemctl", "kill", "--signal=SIGKILL", "beistand-agent"])
    switching.wait_for_state(administrator, "a", "superseded")
    switching.assert_quiet(lab, "a", begin)
    lab.on("b")
    switching.wait_for_state(administrator, "b", "serving")
    switching.assert_call_works(lab)
    assert switching.claims(lab, "a", begin) == []


@pytest.mark.shows("S18", "S20")
def test_one_click_brings_the_old_active_back(administrator: Administrator) -> None:
    """S18: a superseded appliance serves again, with its own old data, when a person says so by name."""
    lab = administrator.lab
    asking.wait_until_connected(lab)
    shown = switching.plan(administrator, "a")
    assert {"peer-still-serves", "own-data"} <= switching.codes(shown)
    begin = time.time()
    switching.take_over(administrator, "peer-still-serves", "own-data", host="a")
    taken = switching.first_claim(lab, "a", begin)
    switching.assert_call_works(lab)
    switching.assert_quiet(lab, "b", taken)
    wait_for(lambda: administrator.status("b")["state"] == "superseded", 30, "b to be superseded")
