"""A cycle that is cancelled, doubled or killed: the standby's data is whole, and the next one works."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e.outside import pbx_processes
from e2e.pairing_up import (
    GENEROUS_SECONDS,
    UNIT,
    cycle,
    kill_agent,
    newest,
    refused_cycle,
    restarts,
    seeded,
    wait_for_agent,
    wait_for_stage,
    wait_until_connected,
)
from e2e.trees import differences, listing, run_python

pytestmark = pytest.mark.lab

SLOW_KIB = 50
"""KiB/s: so that a transfer of NEW_BYTES takes about 24 seconds."""
NEW_BYTES = 1_200_000
CHANGE = """
import os
for number in range(12):
    with open(f"/etc/asterisk/part-{number}.conf", "wb") as file:
        file.write(os.urandom(100))
os.makedirs("/var/spool/asterisk/monitor", exist_ok=True)
with open("/var/spool/asterisk/monitor/call.wav", "wb") as file:
    file.write(os.urandom(SIZE))
"""


@pytest.fixture(scope="module")
def pair(lab: Lab) -> Administrator:
    return seeded(lab)


@pytest.fixture
def slow(pair: Administrator) -> Iterator[None]:
    """The transfer of new data takes some seconds."""
    pair.run("a", "config", "set", f"bandwidth_limit={SLOW_KIB}")
    yield
    pair.run("a", "config", "set", "bandwidth_limit=0")


def change(lab: Lab, size: int = NEW_BYTES) -> None:
    """Twelve files in one file system and one in another are new: half of them would be a mix."""
    run_python(lab, "a", CHANGE.replace("SIZE", str(size)))


@contextmanager
def running_cycle(lab: Lab, pair: Administrator) -> Iterator[subprocess.Popen[str]]:
    """A cycle by hand that is sending contents now."""
    process = lab.popen("a", ["beistand", "cycle", "--json"])
    try:
        wait_for_stage(pair, "transfer")
        yield process
    finally:
        process.kill()
        process.communicate()


def answer_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=120)
    answer: dict[str, Any] = json.loads(out or err)
    return answer


def wait_for_failure(pair: Administrator, code: str) -> None:
    """Both sides call the newest generation failed, for the same reason."""

    def is_told(host: str) -> bool:
        copy = newest(pair, host)
        return bool(copy["state"] == "failed" and copy["why"]["code"] == code)

    for host in ("a", "b"):
        wait_for(lambda host=host: is_told(host), GENEROUS_SECONDS, f"{host} to tell {code}")  # type: ignore[misc]
    assert newest(pair, "a")["generation"]["id"] == newest(pair, "b")["generation"]["id"]


def assert_next_cycle_works(lab: Lab, pair: Administrator) -> None:
    wait_until_connected(pair)
    pair.run("a", "config", "set", "bandwidth_limit=0")
    assert cycle(pair)["result"]["state"] == "imported"
    assert differences(listing(lab, "a"), listing(lab, "b")) == {}
    assert pair.status("a")["attempt"] == 0


@pytest.mark.shows("S12")
@pytest.mark.usefixtures("slow")
def test_a_second_cycle_is_refused_and_the_first_goes_on(lab: Lab, pair: Administrator) -> None:
    """S12: one job at a time; the second is told which one runs."""
    change(lab)
    with running_cycle(lab, pair) as first:
        refused = refused_cycle(pair)
        assert refused["code"] == "job-running"
        assert refused["fields"]["kind"] == "cycle"
        assert answer_of(first)["state"] == "done"
    assert differences(listing(lab, "a"), listing(lab, "b")) == {}


@pytest.mark.usefixtures("slow")
def test_a_cancelled_cycle_leaves_the_standby_as_it_was(lab: Lab, pair: Administrator) -> None:
    """S10: who cancels means the run: no further try is waiting."""
    before = listing(lab, "b")
    change(lab)
    with running_cycle(lab, pair) as process:
        assert pair.ask("a", "cycle", "--cancel")["state"] == "cancelled"
        assert answer_of(process)["error"]["code"] == "cancelled"
    wait_for_failure(pair, "cancelled")
    assert listing(lab, "b") == before
    assert pair.status("a")["attempt"] == 0
    assert pair.ask("a", "cycle", "--cancel")["error"]["code"] == "no-cycle-running"
    assert_next_cycle_works(lab, pair)


def die(lab: Lab) -> None:
    count = restarts(lab, "a")
    kill_agent(lab, "a")
    wait_for(lambda: restarts(lab, "a") > count, GENEROUS_SECONDS, "systemd to start the agent anew")


def upgrade(lab: Lab) -> None:
    """What an upgrade of Beistand does to its agent."""
    lab.sh("a", ["systemctl", "restart", UNIT])


@pytest.mark.shows("B6", "F1")
@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("end", [die, upgrade])
def test_the_active_s_agent_ends_in_the_middle_of_a_transfer(
    lab: Lab, pair: Administrator, end: Callable[[Lab], None]
) -> None:
    """F1: calls go on, the cycle is called failed, the next try is planned, and it works."""
    before, calls = listing(lab, "b"), pbx_processes(lab, "a")
    change(lab)
    with running_cycle(lab, pair):
        end(lab)
    wait_for_agent(lab, "a")
    wait_until_connected(pair)
    wait_for_failure(pair, "cycle-interrupted")
    assert listing(lab, "b") == before
    assert pbx_processes(lab, "a") == calls != []
    assert pair.status("a")["attempt"] == 2
    assert_next_cycle_works(lab, pair)


@pytest.mark.shows("B6", "F1")
@pytest.mark.usefixtures("slow")
def test_the_standby_loses_power_in_the_middle_of_a_transfer(lab: Lab, pair: Administrator) -> None:
    """F1: the active notices, and the standby comes back with the data that it had."""
    before = listing(lab, "b")
    change(lab)
    with running_cycle(lab, pair) as process:
        lab.off("b")
        assert answer_of(process)["error"]["code"].startswith(("peer-", "transfer-interrupted"))
    lab.on("b")
    wait_for_agent(lab, "b")
    assert listing(lab, "b") == before
    assert_next_cycle_works(lab, pair)
