"""SIGKILL and power cuts at points of an import and of a takeover: stated roles, whole data, and what is next works.

The points are system calls of the running agent, found by strace(1), so that they are the same on every machine.
"""

from __future__ import annotations

import time

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import switching
from e2e.striking import RENAMES, agent, struck, wait_for_another_agent, wait_until_stopped
from e2e.trees import Listing, differences, listing, run_python

pytestmark = pytest.mark.lab

GATE = "/run/beistand/may-serve"
"""Opened right after the grant and the address, right before the PBX starts."""
STATE = "/var/lib/beistand/state.db-wal"
"""Written durably before each step of a plan, and with the grant."""
CHANGE = """
import os
for number in range(12):
    with open(f"/etc/asterisk/part-{number}.conf", "wb") as file:
        file.write(os.urandom(100))
os.makedirs("/var/spool/asterisk/monitor", exist_ok=True)
with open("/var/spool/asterisk/monitor/call.wav", "wb") as file:
    file.write(os.urandom(50_000))
"""


@pytest.fixture(scope="module")
def administrator(lab: Lab) -> Administrator:
    return switching.prepare_pair(lab)


def wait_until_connected(administrator: Administrator) -> None:
    def is_so() -> bool:
        return all(administrator.status(host)["peer"]["connected"] for host in ("a", "b"))

    wait_for(is_so, switching.SOON_SECONDS, "the two to hear each other")


# --- imports --------------------------------------------------------------------------------------


@pytest.mark.shows("B6", "F1")
@pytest.mark.parametrize("when", [3, 9, 20], ids=["at-its-record", "in-the-first-half", "in-the-second-half"])
def test_an_import_that_is_killed_leaves_one_generation_whole(
    administrator: Administrator, when: int
) -> None:
    """B6: killed between two renames, b holds the old or the new generation, and the next cycle works."""
    lab = administrator.lab
    old, new = _change(lab)
    with struck(lab, RENAMES, f"signal=KILL:when={when}") as pid:
        answer = administrator.ask("a", "cycle")
        assert answer.get("state") != "done", "the kill came too late to be in the import"
        wait_for_another_agent(lab, pid)
    _assert_whole(administrator, old, new)


@pytest.mark.shows("B6", "F1")
def test_a_power_cut_in_an_import_leaves_one_generation_whole(administrator: Administrator) -> None:
    """B6: the same with the power cord, pulled while the agent stands still in the middle of the renames."""
    lab = administrator.lab
    old, new = _change(lab)
    with lab.popen("a", ["beistand", "cycle"]) as cycle:
        with struck(lab, RENAMES, "signal=STOP:when=9") as pid:
            wait_until_stopped(lab, pid)
            lab.off("b")
        lab.on("b")
        switching.wait_for_agent(lab, "b")
        cycle.communicate(timeout=180)
    assert cycle.returncode != 0
    _assert_whole(administrator, old, new)


def _change(lab: Lab) -> tuple[Listing, Listing]:
    """Change files on a; return what b holds before the import and what it should hold after it."""
    old = listing(lab, "b")
    run_python(lab, "a", CHANGE)
    new = listing(lab, "a")
    assert len(differences(old, new)) > 12
    return old, new


def _assert_whole(administrator: Administrator, old: Listing, new: Listing) -> None:
    lab = administrator.lab
    found = listing(lab, "b")
    assert differences(found, old) == {} or differences(found, new) == {}
    switching.wait_for_state(administrator, "b", "standing-by")
    switching.wait_for_state(administrator, "a", "serving")
    wait_until_connected(administrator)
    switching.cycle(administrator)
    assert differences(listing(lab, "b"), listing(lab, "a")) == {}


# --- takeovers ------------------------------------------------------------------------------------


@pytest.mark.shows("B6", "F1")
def test_a_takeover_that_is_killed_before_its_grant_did_not_happen(administrator: Administrator) -> None:
    """B6: b is the standby that it was, claims nothing, and takes over with the next click."""
    lab = administrator.lab
    lab.off("a")
    begin, digest = time.time(), switching.plan_with_verdict(administrator, "peer-gone")["digest"]
    with struck(lab, "fsync,fdatasync", "signal=KILL:when=2", path=STATE) as pid:
        _click_in_vain(lab, digest)
        wait_for_another_agent(lab, pid)
    switching.wait_for_state(administrator, "b", "standing-by")
    switching.assert_quiet(lab, "b", begin, seconds=3)


@pytest.mark.shows("B6", "F1")
def test_a_takeover_that_is_killed_after_its_grant_goes_on(administrator: Administrator) -> None:
    """B6: the agent that comes back knows of the grant and serves, without another click."""
    lab = administrator.lab
    digest = switching.plan_with_verdict(administrator, "peer-gone")["digest"]
    with struck(lab, "openat,open", "signal=KILL:when=1", path=GATE) as pid:
        _click_in_vain(lab, digest)
        wait_for_another_agent(lab, pid)
    switching.wait_for_state(administrator, "b", "serving")
    switching.assert_call_works(lab)


@pytest.mark.shows("B6", "F1")
def test_a_takeover_that_is_killed_while_the_pbx_starts_goes_on(administrator: Administrator) -> None:
    """B6: the same with the PBX half started; a is there and does not claim the address again."""
    lab = administrator.lab
    digest = _back_to_a(administrator)
    begin, pid = time.time(), agent(lab)
    arguments = ["--accept", "peer-still-serves", "--accept", "own-data"]
    with lab.popen("b", ["beistand", "takeover", "--confirm", digest, *arguments]) as click:
        wait_for(lambda: switching.pbx_runs(lab, "b"), switching.SOON_SECONDS, "the PBX to start")
        lab.sh("b", ["systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", "beistand-agent"])
        click.communicate(timeout=180)
    wait_for_another_agent(lab, pid)
    switching.wait_for_state(administrator, "b", "serving")
    switching.wait_for_state(administrator, "a", "superseded")
    switching.assert_call_works(lab)
    switching.assert_quiet(lab, "a", switching.first_claim(lab, "b", begin), seconds=2)


@pytest.mark.shows("B6", "F1")
def test_a_power_cut_right_after_the_grant_needs_no_click(administrator: Administrator) -> None:
    """B6: b boots and serves; meanwhile a, which released, does not."""
    lab = administrator.lab
    digest = _back_to_a(administrator)
    arguments = ["--accept", "peer-still-serves", "--accept", "own-data"]
    click = ["beistand", "takeover", "--confirm", digest, *arguments]
    with struck(lab, "openat,open", "signal=STOP:when=1", path=GATE) as pid, lab.popen("b", click) as clicked:
        wait_until_stopped(lab, pid)
        granted = time.time()
        lab.off("b")
        clicked.communicate(timeout=180)
    switching.assert_quiet(lab, "a", granted, seconds=3)
    lab.on("b")
    switching.wait_for_state(administrator, "b", "serving")
    switching.wait_for_state(administrator, "a", "superseded")
    switching.assert_call_works(lab)
    switching.assert_quiet(lab, "a", granted, seconds=1)


def _click_in_vain(lab: Lab, digest: str) -> None:
    """The command line loses its agent, and says so."""
    done = lab.sh("b", ["beistand", "takeover", "--confirm", digest], timeout=180, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def _back_to_a(administrator: Administrator) -> str:
    """Let a serve again; returns the digest of what b would do then."""
    if not administrator.lab.is_on("a"):
        administrator.lab.on("a")
    switching.wait_for_state(administrator, "a", "superseded")
    switching.take_over(administrator, "peer-still-serves", "own-data", host="a")
    switching.wait_for_state(administrator, "b", "superseded")
    return str(switching.plan(administrator)["digest"])
