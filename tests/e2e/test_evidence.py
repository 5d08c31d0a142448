"""What the standby can see of a broken active, network or itself, and what it then lets a person do."""

from __future__ import annotations

import json
import time

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import switching

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def administrator(lab: Lab) -> Administrator:
    return switching.prepare_pair(lab)


@pytest.mark.shows("S20", "F24")
def test_an_isolated_standby_refuses(administrator: Administrator) -> None:
    """S20: with its own cable cut everybody is silent, which says nothing about the active (F24)."""
    lab, begin = administrator.lab, time.time()
    lab.cut("b")
    try:
        shown = switching.plan_with_verdict(administrator, "isolated")
        assert not shown["facts"]["carrier"]
        answer = switching.confirm(administrator, shown["digest"])
        assert answer["error"]["code"] == "not-accepted", answer
        assert answer["error"]["fields"]["finding"] == "isolated"
    finally:
        lab.heal("b")
    switching.plan_with_verdict(administrator, "peer-holds")
    switching.assert_quiet(lab, "b", begin, seconds=2)
    assert switching.serves(lab, "a")
    switching.wait_for_state(administrator, "a", "serving")


@pytest.mark.shows("S20")
def test_silent_phones_make_it_a_suspected_partition(administrator: Administrator) -> None:
    """S20: the active and all phones are silent, the gateway answers: a second confirmation says what may be."""
    lab, begin = administrator.lab, time.time()
    lab.cut("t")
    lab.cut("a")
    try:
        shown = switching.plan_with_verdict(administrator, "partition")
        assert (shown["facts"]["phones_answering"], shown["facts"]["gateway"]) == (0, True)
        answer = switching.confirm(administrator, shown["digest"])
        assert answer["error"]["code"] == "not-accepted", answer
        assert answer["error"]["fields"]["finding"] == "partition-suspected"
    finally:
        lab.heal("a")
        lab.heal("t")
    switching.plan_with_verdict(administrator, "peer-holds")
    assert switching.claims(lab, "b", begin) == []
    switching.wait_for_state(administrator, "a", "serving")
    switching.assert_call_works(lab)


@pytest.mark.shows("F22")
def test_the_active_defends_its_address_against_a_stranger(administrator: Administrator) -> None:
    """F22: a machine that takes the address later is answered each time, named with its MAC, and gets no calls."""
    lab, begin = administrator.lab, time.time()
    mac, service = lab.settings.mac("m"), lab.settings.service_address
    lab.sh("m", ["ip", "address", "add", f"{service}/32", "dev", "eth0"])
    try:
        # Its first question carries the address as its own: the phones' host learns the wrong MAC from it.
        lab.sh("m", ["ip", "neighbour", "flush", "dev", "eth0"])
        lab.sh("m", ["ping", "-c1", "-W1", "-I", service, lab.settings.address("t")], check=False)
        wait_for(lambda: switching.claims(lab, "m", begin), 20, "the stranger's claim")

        def is_told() -> bool:
            found = administrator.status("a")["findings"]
            return any(
                each["code"] == "rival-holds-address" and each["fields"]["mac"] == mac for each in found
            )

        wait_for(is_told, switching.SOON_SECONDS, "the active to name the stranger")
        defended = [each for each in switching.claims(lab, "a", begin) if each.kind != "request"]
        assert defended
        neighbours = ["ip", "neighbour", "show", service]
        wait_for(
            lambda: lab.settings.mac("a") in lab.sh("t", neighbours).stdout, 30, "the phones' host to follow"
        )
    finally:
        lab.sh("m", ["ip", "address", "del", f"{service}/32", "dev", "eth0"])
    switching.assert_call_works(lab)
    assert switching.serves(lab, "a")


@pytest.mark.shows("S20", "F22")
def test_a_stranger_with_the_address_cannot_be_overridden(administrator: Administrator) -> None:
    """S20: the active is off and somebody else answers for the address: refused, with the MAC (F22)."""
    lab, begin = administrator.lab, time.time()
    mac, service = lab.settings.mac("m"), f"{lab.settings.service_address}/32"
    lab.off("a")
    lab.sh("m", ["ip", "address", "add", service, "dev", "eth0"])
    try:
        shown = switching.plan_with_verdict(administrator, "foreign")
        assert mac in administrator.run("b", "takeover", "--plan").stdout
        answer = switching.confirm(administrator, shown["digest"], "foreign-holder", "peer-still-serves")
        assert answer["error"]["code"] == "not-accepted", answer
        answer = administrator.ask("b", "takeover", "--yes", "--accept", "foreign-holder")
        assert answer["error"]["code"] == "takeover-not-acceptable", answer
        assert switching.claims(lab, "b", begin) == []
    finally:
        lab.sh("m", ["ip", "address", "del", service, "dev", "eth0"])
    switching.plan_with_verdict(administrator, "peer-gone")
    lab.on("a")
    switching.wait_for_state(administrator, "a", "serving")
    switching.assert_call_works(lab)
    assert switching.claims(lab, "b", begin) == []


@pytest.mark.shows("B5", "F21")
def test_a_server_that_was_cut_off_withdraws_when_the_line_heals(administrator: Administrator) -> None:
    """B5: a lives behind a cut cable while b takes over; healed, it gives up by itself (F21)."""
    lab = administrator.lab
    lab.cut("a")
    shown = switching.plan_with_verdict(administrator, "peer-gone")
    answer = switching.confirm(administrator, shown["digest"])
    assert answer.get("state") == "done", answer
    switching.assert_call_works(lab)
    assert switching.serves(lab, "a")
    lab.heal("a")
    wait_for(lambda: not switching.has_address(lab, "a"), switching.SOON_SECONDS, "a to withdraw")
    withdrawn = time.time()
    wait_for(lambda: not switching.pbx_runs(lab, "a"), switching.SOON_SECONDS, "the end of a's PBX")
    switching.wait_for_state(administrator, "a", "superseded")
    switching.assert_quiet(lab, "a", withdrawn)
    switching.assert_call_works(lab)
    assert switching.serves(lab, "b")


@pytest.mark.shows("S20", "F23")
def test_a_hung_pbx_is_released_first(administrator: Administrator) -> None:
    """S20: silent over SIP, yet the peer has the address: it releases before the other serves (F23)."""
    lab = administrator.lab
    # Back to the beginning: a serves again, and is the one to hang.
    switching.take_over(administrator, "peer-still-serves", "own-data", host="a")
    lab.sh("a", ["pkill", "-STOP", "-x", "asterisk"])
    shown = switching.plan(administrator)
    assert shown["verdict"] == "peer-holds"
    assert not shown["facts"]["sip"]
    assert shown["facts"]["holder_mac"] == lab.settings.mac("a")
    begin = time.time()
    switching.take_over(administrator, "peer-still-serves", "own-data")
    taken = switching.first_claim(lab, "b", begin)
    switching.assert_quiet(lab, "a", taken, seconds=2)
    switching.assert_call_works(lab)


@pytest.mark.shows("S20")
def test_a_peer_that_cannot_be_asked_is_unplugged_by_hand(administrator: Administrator) -> None:
    """S20: it has the address and its agent is dead: the takeover waits for the plug and goes on by itself."""
    lab = administrator.lab
    switching.take_over(administrator, "peer-still-serves", "own-data", host="a")
    lab.sh("a", ["systemctl", "stop", "beistand-agent"])

    def holds_without_agent() -> bool:
        return "peer-holds-address" in switching.codes(switching.plan(administrator))

    wait_for(holds_without_agent, switching.SOON_SECONDS, "the silence of a's agent")
    begin, digest = time.time(), switching.plan(administrator)["digest"]
    accept = ["--accept", "peer-holds-address", "--accept", "own-data"]
    with lab.popen("b", ["beistand", "takeover", "--confirm", digest, *accept, "--json"]) as click:
        switching.wait_for_stage(administrator, "b", "await-silence")
        assert switching.serves(lab, "a")
        assert switching.claims(lab, "b", begin) == []
        lab.off("a")
        cord = time.time()
        answer = json.loads(click.communicate(timeout=180)[0])
    assert answer["state"] == "done", answer
    assert switching.first_claim(lab, "b", begin) > cord - 1
    switching.assert_call_works(lab)
