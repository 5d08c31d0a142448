"""Clones of an appliance's disk on the same switch: not one frame claims the service address, nobody's call suffers."""

from __future__ import annotations

import time
from typing import Any

import pytest

from beistand_lab.cloning import cloned
from beistand_lab.demo.administrator import Administrator
from beistand_lab.errors import LabError
from beistand_lab.lab import Lab, wait_for
from e2e import switching
from e2e.booting import claiming_frames, everybody_asks

pytestmark = pytest.mark.lab
LISTEN_SECONDS = 5.0
"""The clone served 0.5 s after its agent was ready."""
MOST_SILENCE = 0.5
FORGET = """
import sqlite3
db = sqlite3.connect("/var/lib/beistand/state.db")
db.execute("DELETE FROM document WHERE name = 'machine'")
db.commit()
"""


@pytest.fixture(scope="module")
def administrator(lab: Lab) -> Administrator:
    """One active, of no pair yet."""
    administrator = Administrator(lab)
    for host in ("a", "b"):
        switching.wait_for_agent(lab, host)
    administrator.initialise()
    with lab.sip_probe(lab.settings.service_address) as probe:
        probe.first_answer(time.time(), switching.SOON_SECONDS)
    return administrator


def status(lab: Lab, host: str) -> dict[str, Any]:
    try:
        return Administrator(lab).status(host)
    except LabError:
        return {}  # it is still booting


def assert_quiet_copy(lab: Lab, source: str, original: str, *, own_address: bool = True) -> None:
    """The clone names its original, claims nothing while everybody asks, and the original answers all the while."""
    service, begin = lab.settings.service_address, time.time()
    with lab.sip_probe(service) as probe, cloned(lab, source, own_address=own_address) as clone:
        probe.first_answer(begin)
        asked = time.time()
        wait_for(lambda: status(lab, clone).get("findings"), switching.SOON_SECONDS, "the clone's agent")
        (finding,) = status(lab, clone)["findings"]
        assert finding["code"] == "machine-is-copy"
        assert finding["fields"]["host"] == original
        with everybody_asks(lab):
            switching.wait_quietly(time.time() + LISTEN_SECONDS)
        assert not claiming_frames(lab, clone, begin)
        assert not switching.has_address(lab, clone)
        assert not switching.pbx_runs(lab, clone)
        if own_address:  # else the two fight for the own address, which no Beistand can help
            assert probe.longest_silence(asked, time.time()) < MOST_SILENCE


@pytest.mark.shows("B5", "F20")
@pytest.mark.parametrize("own_address", [True, False], ids=["another-own-address", "the-same-own-address"])
def test_a_clone_of_the_only_active_stays_quiet(
    lab: Lab, administrator: Administrator, own_address: bool
) -> None:
    assert_quiet_copy(lab, "a", "pbx-a", own_address=own_address)
    assert administrator.status("a")["state"] == "serving"


def test_a_clone_from_before_anything_was_written_down_stays_quiet(
    lab: Lab, administrator: Administrator
) -> None:
    """Of an older version: its own address is not there, or the original answers for it."""
    service, begin = lab.settings.service_address, time.time()
    lab.sh("a", ["python3", "-c", FORGET])
    with lab.sip_probe(service) as probe, cloned(lab, "a") as clone:
        probe.first_answer(begin)
        asked = time.time()
        wait_for(lambda: status(lab, clone).get("state") == "checking", switching.SOON_SECONDS, "its check")
        with everybody_asks(lab):
            switching.wait_quietly(time.time() + LISTEN_SECONDS)
        codes = {each["code"] for each in status(lab, clone)["findings"]}
        assert "own-address-gone" in codes
        assert not claiming_frames(lab, clone, begin)
        assert probe.longest_silence(asked, time.time()) < MOST_SILENCE
    lab.sh("a", ["systemctl", "restart", "beistand-agent"])
    switching.wait_for_state(administrator, "a", "serving")


def test_machines_with_one_name_are_refused_by_name(lab: Lab, administrator: Administrator) -> None:
    lab.sh("b", ["hostname", "PBX-A"])
    refused = administrator.pair()
    lab.sh("b", ["hostname", "pbx-b"])
    assert refused.returncode == 1
    assert "hostnamectl" in refused.stderr


@pytest.mark.parametrize("source", ["a", "b"], ids=["active", "standby"])
def test_a_clone_of_either_of_a_pair_stays_quiet(lab: Lab, administrator: Administrator, source: str) -> None:
    if not administrator.status("a").get("pair"):
        assert administrator.pair().returncode == 0
    assert_quiet_copy(lab, source, f"pbx-{source}")
    switching.wait_for_state(administrator, "a", "serving")
    assert administrator.status("a")["peer"]["connected"]


def test_a_retired_standby_ends_well_on_both_sides(lab: Lab, administrator: Administrator) -> None:
    """After `unpair` no key is left, nobody asks for a pairing anew, and the machine becomes none by one command."""
    assert "error" not in administrator.ask("b", "unpair", "--yes")
    for host in ("a", "b"):
        codes = {each["code"] for each in status(lab, host)["findings"]}
        assert "not-paired" in codes
        assert not codes & {"peer-silent", "peer-key-refused", "host-key-unknown"}
        keys = "ls /var/lib/beistand-peer/.ssh/authorized_keys /var/lib/beistand/keys/known_hosts 2>/dev/null; true"
        assert lab.sh(host, ["sh", "-c", keys]).stdout == ""
    assert administrator.ask("b", "retry")["error"]["code"] == "retry-without-grant"
    assert "error" not in administrator.ask("b", "init", "--undo", "--yes")
    assert administrator.status("b")["state"] == "not-initialised"
    assert administrator.status("a")["state"] == "serving"
