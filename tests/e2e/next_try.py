"""A scheduled try that fails, and the next one (S10): with the wait in between as it is, or with a moved clock."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.errors import LabError
from beistand_lab.lab import Lab, wait_for
from e2e.pairing_up import GENEROUS_SECONDS, newest, wait_for_agent, wait_until_connected

WAIT_SECONDS = 300
NEWS = "/etc/asterisk/news.conf"


def fail_and_come_back(lab: Lab, pair: Administrator, pass_time: Callable[[], None] | None = None) -> None:
    """A scheduled cycle meets a standby that is off; five minutes later one comes by itself, and it works.

    `pass_time` moves the active's clock; without it all five minutes are waited for, and counted.
    """
    lab.copy_in("a", NEWS, "by itself")
    lab.off("b")
    before = _tries(pair)
    _let_cycles_run_each_minute(pair)
    wait_for(lambda: pair.status("a")["attempt"] == 2, 150, "the scheduled cycle to fail")
    failed = time.time()
    planned = dt.datetime.fromisoformat(pair.status("a")["next_cycle"]).timestamp()
    assert planned == pytest.approx(failed + WAIT_SECONDS, abs=20)
    assert _tries(pair) == before + 1
    switch_standby_on(lab, pair)
    # Connected again, and runs of the schedule fall due meanwhile: nothing is tried before its time.
    assert _tries(pair) == before + 1
    if pass_time:
        pass_time()
        wait_for_agent(lab, "a")
    wait_for(lambda: is_there(lab, b"by itself"), WAIT_SECONDS + 2 * GENEROUS_SECONDS, "the next try")
    if not pass_time:
        assert time.time() - failed > WAIT_SECONDS - 20
    copies = [each for each in pair.copies("a") if each["generation"]["sequence"] - before in (1, 2)]
    pair.run("a", "config", "set", "schedule.every=1000")
    wait_for(lambda: pair.status("a")["attempt"] == 0, GENEROUS_SECONDS, "the end of the run")
    assert [each["asked"] for each in copies] == [False, False]
    assert copies[1]["state"] == "failed"


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


def _tries(pair: Administrator) -> int:
    """How many generations the active has begun so far: each try takes one."""
    sequence: int = newest(pair, "a")["generation"]["sequence"]
    return sequence


def _let_cycles_run_each_minute(pair: Administrator) -> None:
    start = dt.datetime.now()  # noqa: DTZ005  # local time is what is typed
    settings = {
        "schedule.interval": "minute",
        "schedule.every": "1",
        "schedule.start": f"{start:%Y-%m-%d}",
        "schedule.at": f"{start:%H:%M}",
    }
    pair.run("a", "config", "set", *(f"{name}={value}" for name, value in settings.items()))
