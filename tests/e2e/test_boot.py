"""Power cuts, reboots, restarts and upgrades: who served serves again, and nobody has to click."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from beistand_lab import calls
from beistand_lab.demo.administrator import Administrator
from beistand_lab.image import build_lock
from beistand_lab.lab import Lab, wait_for
from beistand_lab.settings import BUILD, PROJECT
from beistand_lab.source_watch import SourceWatch
from e2e import flapping, switching

pytestmark = pytest.mark.lab

LONGEST_GAP = 1.0
"""Seconds without a word, in a call that goes on: sound comes every 20 ms, and the machine may be busy."""

MOST_SILENCE = 2.0
"""Seconds without an answer, when the address was taken away and a turn put it back at once."""


@pytest.fixture(scope="module")
def administrator(lab: Lab) -> Administrator:
    return switching.prepare_pair(lab)


@contextmanager
def running_call(lab: Lab) -> Iterator[None]:
    """101 and 102 talk all the while; afterwards the sound of neither had a gap."""
    phone = lab.phone(101)
    begin = phone.dial(102)
    phone.wait_for_event("CALL_ESTABLISHED", begin, switching.SOON_SECONDS)
    assert calls.hears(lab, 102, 101, begin, 30)
    asked = time.time()
    try:
        yield
        until = time.time()
        assert calls.hears(lab, 102, 101, until, 30)
        assert calls.hears(lab, 101, 102, until, 30)
        for caller, listener in ((101, 102), (102, 101)):
            heard = _arrivals(lab, listener, asked)
            gap = max(later - earlier for earlier, later in itertools.pairwise(heard))
            assert gap < LONGEST_GAP, f"{caller} was not heard for {gap:.2f} s"
    finally:
        phone.hangup()


def _arrivals(lab: Lab, listener: int, begin: float) -> list[float]:
    """When sound passed the switch on its way to a phone."""
    service = lab.settings.service_address
    return [
        each.time
        for each in lab.capture.ip_packets(begin)
        if each.source == service and calls.is_rtp_to(each, listener)
    ]


def _main_pid(lab: Lab) -> str:
    return lab.sh("a", ["systemctl", "show", "--property=MainPID", "--value", "beistand-agent"]).stdout


@pytest.mark.shows("B6")
def test_calls_go_on_while_the_agent_is_restarted(administrator: Administrator) -> None:
    """B6: neither the address nor the PBX knows of it, and the standby sees no reason to do anything."""
    lab, begin = administrator.lab, time.time()
    with running_call(lab):
        _end_agent(administrator, "restart")
    assert switching.claims(lab, "b", begin) == []


@pytest.mark.shows("F26")
def test_an_address_that_a_network_manager_takes_is_back_at_once(administrator: Administrator) -> None:
    """F26: reconfiguring the interface drops every address that stands in no network file."""
    lab = administrator.lab
    service = lab.settings.service_address
    with lab.sip_probe(service) as probe, SourceWatch(lab.settings, "a") as inside:
        for _ in range(3):
            begin = time.time()
            lab.sh("a", ["networkctl", "reconfigure", "eth0"])
            lab.sh("a", ["ip", "address", "del", f"{service}/32", "dev", "eth0"], check=False)
            end = probe.first_answer(time.time(), switching.SOON_SECONDS)
            assert probe.longest_silence(begin, end) < MOST_SILENCE
        wait_for(inside.is_right, switching.SOON_SECONDS, "address and sources")
        # 50 ms on an idle machine (torture/network.py has the figures); the turn every five seconds is far away.
        assert inside.gaps()
        assert max(each.seconds for each in inside.gaps()) < flapping.BUSY_SECONDS


@pytest.mark.shows("B6", "F1")
def test_calls_go_on_while_the_agent_is_killed_twice(administrator: Administrator) -> None:
    """B6: the second time just after it came back."""
    lab, begin = administrator.lab, time.time()
    with running_call(lab):
        _end_agent(administrator, "kill", "--kill-whom=main", "--signal=SIGKILL")
        _end_agent(administrator, "kill", "--kill-whom=main", "--signal=SIGKILL")
    assert switching.claims(lab, "b", begin) == []


def _end_agent(administrator: Administrator, *how: str) -> None:
    """End the agent of a by systemctl, and wait for the next one to serve."""
    lab, before = administrator.lab, _main_pid(administrator.lab)
    lab.sh("a", ["systemctl", *how, "beistand-agent"])
    wait_for(lambda: _main_pid(lab) not in {before, "0\n"}, switching.SOON_SECONDS, "another agent")
    switching.wait_for_agent(lab, "a")
    switching.wait_for_state(administrator, "a", "serving")
    assert switching.serves(lab, "a")


UMASKS = ("077", "000")


@pytest.mark.parametrize("umask", UMASKS)
def test_calls_go_on_while_beistand_is_installed_anew(administrator: Administrator, umask: str) -> None:
    """B6: an upgrade of the active touches neither the address nor the PBX, whatever the shell's umask.

    Another library than the locked one is replaced, pages and peer run, and nobody else can write to the program.
    """
    lab, before = administrator.lab, _main_pid(administrator.lab)
    _bring_installer(lab)
    library = "/opt/beistand/lib/python3.11/site-packages/tomli_w"
    lab.sh(
        "a",
        [
            "sh",
            "-c",
            f"echo changed >>{library}/__init__.py; sed -i s/1.2/1.1/ {library}-1.2.0.dist-info/METADATA",
        ],
    )
    with running_call(lab):
        installer = "/root/beistand/packaging/install --wheels /root/beistand/wheels"
        lab.sh("a", ["sh", "-c", f"umask {umask}; {installer}"], timeout=180)
        assert _main_pid(lab) != before
        switching.wait_for_state(administrator, "a", "serving")
        assert switching.serves(lab, "a")
    assert "changed" not in lab.sh("a", ["cat", f"{library}/__init__.py"]).stdout
    for account in ("beistand-web", "beistand-peer"):
        lab.sh(
            "a",
            ["runuser", "-u", account, "--", "/opt/beistand/bin/python", "-c", "import beistand.web.serve"],
        )
    assert lab.sh("a", ["systemctl", "is-active", "beistand-web"]).stdout == "active\n"
    writable = "find /opt/beistand /usr/bin/beistand /etc/systemd/system/beistand* /etc/beistand -perm /022 ! -type l"
    assert lab.sh("a", ["sh", "-c", writable]).stdout == ""
    switching.cycle(administrator)


def _bring_installer(lab: Lab) -> None:
    """What an administrator copies onto an appliance that has no way to a registry."""
    lab.sh("a", ["mkdir", "-p", "/root/beistand/packaging", "/root/beistand/wheels"])
    with build_lock(BUILD):  # a lab that starts beside this one may be making the wheels anew
        wheels = max(BUILD.glob("wheels-*"), key=lambda folder: folder.stat().st_mtime)
        for file in (*(PROJECT / "packaging").iterdir(), *wheels.glob("*.whl")):
            folder = "packaging" if file.parent.name == "packaging" else "wheels"
            _copy(lab, file, f"/root/beistand/{folder}/{file.name}")


def _copy(lab: Lab, file: Path, to: str) -> None:
    lab.copy_in("a", to, file.read_bytes())
    lab.sh("a", ["chmod", f"{file.stat().st_mode & 0o777:o}", to])


@pytest.mark.shows("F20")
def test_a_reboot_of_the_active_needs_no_click(administrator: Administrator) -> None:
    """B6: it asks the standby, which agrees, and serves again; the standby never claims anything (I8)."""
    lab, begin = administrator.lab, time.time()
    lab.off("a")
    lab.on("a")
    switching.wait_for_state(administrator, "a", "serving")
    assert switching.serves(lab, "a")
    switching.assert_call_works(lab)
    switching.assert_quiet(lab, "b", begin, seconds=1)
    switching.cycle(administrator)


@pytest.mark.shows("F20")
@pytest.mark.parametrize("first", ["a", "b"])
def test_after_a_power_cut_of_both_the_active_serves(administrator: Administrator, first: str) -> None:
    """B6: both come back from one power cut, in either order, and nobody clicks (F20, I8)."""
    lab, begin = administrator.lab, time.time()
    for host in ("a", "b"):
        lab.off(host)
    lab.on(first)
    lab.on("b" if first == "a" else "a")
    switching.wait_for_state(administrator, "a", "serving")
    switching.wait_for_state(administrator, "b", "standing-by")
    switching.assert_call_works(lab)
    switching.assert_quiet(lab, "b", begin, seconds=1)


@pytest.mark.shows("B5", "F19", "F20")
def test_who_never_heard_of_the_takeover_boots_first_and_waits(administrator: Administrator) -> None:
    """B5: a dies, b takes over, the site loses its power, a boots first: it claims nothing, b serves again."""
    lab = administrator.lab
    switching.take_over_from_dead(administrator)
    switching.assert_call_works(lab)
    lab.off("b")
    begin = time.time()
    lab.on("a")
    switching.wait_for_state(administrator, "a", "checking")
    switching.assert_quiet(lab, "a", begin, seconds=3)
    lab.on("b")
    switching.wait_for_state(administrator, "b", "serving")
    switching.wait_for_state(administrator, "a", "superseded")
    switching.assert_quiet(lab, "a", begin, seconds=3)
    switching.assert_call_works(lab)
