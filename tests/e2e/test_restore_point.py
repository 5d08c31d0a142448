"""The active was damaged before it died: the standby takes over with an older generation."""

from __future__ import annotations

import time

import pytest

from beistand_lab import calls
from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import switching

pytestmark = pytest.mark.lab

DIAL_PLAN = "/etc/asterisk/extensions.conf"


@pytest.fixture(scope="module")
def administrator(lab: Lab) -> Administrator:
    return switching.prepare_pair(lab)


def _write_forward(lab: Lab, target: str) -> None:
    """102 forwards its calls, and the PBX's database has it on disk."""
    calls.dial_and_wait_for_the_end(lab, 102, f"*61{target}")
    query = "select value from astdb where key like '/CFN/102'"
    ask = ["sqlite3", "-readonly", "/var/lib/asterisk/astdb.sqlite3", query]
    wait_for(
        lambda: lab.sh("a", ask, check=False).stdout.strip() == target, 20, "the forward in the database"
    )


@pytest.mark.shows("B7", "S2")
def test_an_older_generation_serves_as_it_was(administrator: Administrator) -> None:
    """B7: a good generation, then two of a damaged active; what the restore point held works, after a boot too."""
    lab = administrator.lab
    _write_forward(lab, "103")
    good = switching.cycle(administrator)["result"]["generation"]
    _write_forward(lab, "101")
    lab.copy_in("a", DIAL_PLAN, "[inside]\n")
    switching.cycle(administrator)
    lab.sh("a", ["rm", "/etc/asterisk/voicemail.conf"])
    switching.cycle(administrator)
    lab.off("a")
    shown = switching.plan_with_verdict(administrator, "peer-gone", restore_point=good)
    assert shown["generation"]["id"] == good
    answer = switching.plan(administrator, restore_point="20200101T000000Z-1")
    assert answer["error"]["code"] == "unknown-restore-point", answer
    answer = switching.confirm(administrator, shown, restore_point=good)
    assert answer.get("state") == "done", answer
    _assert_serves_the_good_one(lab)
    lab.off("b")
    lab.on("a")  # it agrees that b is the one to serve, as soon as it hears of it
    lab.on("b")
    switching.wait_for_state(administrator, "b", "serving")
    switching.wait_for_state(administrator, "a", "superseded")
    _assert_serves_the_good_one(lab)


def _assert_serves_the_good_one(lab: Lab) -> None:
    switching.assert_call_works(lab, 101, 103)
    lab.phone(102).kill()
    begin = time.time()
    caller, rung = lab.phone(101), lab.phone(103)
    caller.dial(102)
    rung.wait_for_event("CALL_ESTABLISHED", begin, switching.SOON_SECONDS)
    assert calls.hears(lab, 103, 101, begin, 30)
    caller.hangup()
    assert b"102 =>" in lab.read("b", "/etc/asterisk/voicemail.conf")
