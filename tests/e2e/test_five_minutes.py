"""S10: the wait between two tries is five minutes of real time, and nobody can make it shorter.

This module takes seven minutes, nearly all of it waiting: it runs first, beside the others.
"""

from __future__ import annotations

import datetime as dt
import time

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.errors import LabError
from beistand_lab.lab import Lab, wait_for
from e2e.pairing_up import (
    GENEROUS_SECONDS,
    cycle,
    newest,
    paired,
    refused_cycle,
    wait_for_agent,
    wait_until_connected,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

WAIT_SECONDS = 300
NEWS = "/etc/asterisk/news.conf"


@pytest.fixture(scope="module")
def pair(lab: Lab) -> Administrator:
    administrator = paired(lab)
    administrator.run("a", "config", "set", "attempts=2")
    cycle(administrator)
    return administrator


def switch_standby_on(lab: Lab, pair: Administrator) -> None:
    lab.on("b")
    wait_for_agent(lab, "b")
    wait_until_connected(pair)


def is_there(lab: Lab, content: bytes) -> bool:
    """The standby's disk has the news."""
    try:
        return lab.read("b", NEWS) == content
    except LabError:
        return False


def tries(pair: Administrator) -> int:
    """How many generations the active has begun so far: each try takes one."""
    sequence: int = newest(pair, "a")["generation"]["sequence"]
    return sequence


@pytest.mark.shows("S10")
def test_a_cycle_by_hand_during_the_wait_is_the_next_try(lab: Lab, pair: Administrator) -> None:
    """S10: with two attempts the second failure gives up; a success ends the wait as well."""
    lab.copy_in("a", NEWS, "by hand")
    lab.off("b")
    refused_cycle(pair)
    status = pair.status("a")
    assert (status["attempt"], status["attempts"]) == (2, 2)
    assert status["next_cycle"]
    refused_cycle(pair)
    status = pair.status("a")
    assert (status["attempt"], status["next_cycle"]) == (0, "")
    refused_cycle(pair)
    assert pair.status("a")["attempt"] == 2
    switch_standby_on(lab, pair)
    cycle(pair)
    assert is_there(lab, b"by hand")
    status = pair.status("a")
    assert (status["attempt"], status["next_cycle"]) == (0, "")


@pytest.mark.shows("S9", "S10")
def test_a_failed_scheduled_cycle_is_tried_again_after_five_real_minutes(
    lab: Lab, pair: Administrator
) -> None:
    """S10: not at once when the standby is back, not with what falls due meanwhile; by itself, and it works."""
    lab.copy_in("a", NEWS, "by itself")
    lab.off("b")
    before = tries(pair)
    start = dt.datetime.now()  # noqa: DTZ005  # local time is what is typed
    pair.run(
        "a",
        "config",
        "set",
        "schedule.interval=minute",
        "schedule.every=1",
        f"schedule.start={start:%Y-%m-%d}",
        f"schedule.at={start:%H:%M}",
    )
    wait_for(lambda: pair.status("a")["attempt"] == 2, 150, "the scheduled cycle to fail")
    failed = time.time()
    planned = dt.datetime.fromisoformat(pair.status("a")["next_cycle"]).timestamp()
    assert planned == pytest.approx(failed + WAIT_SECONDS, abs=20)
    assert tries(pair) == before + 1
    switch_standby_on(lab, pair)
    wait_for(lambda: is_there(lab, b"by itself"), WAIT_SECONDS + 2 * GENEROUS_SECONDS, "the next try")
    waited = time.time() - failed
    assert waited > WAIT_SECONDS - 20
    copies = [each for each in pair.copies("a") if each["generation"]["sequence"] > before]
    pair.run("a", "config", "set", "schedule.every=1000")
    wait_for(lambda: pair.status("a")["attempt"] == 0, GENEROUS_SECONDS, "the end of the run")
    assert [each["asked"] for each in copies] == [False, False]
    assert copies[1]["state"] == "failed"
