"""packaging/uninstall on both appliances of a pair that changed sides: the phones keep a PBX, and only one."""

from __future__ import annotations

import shutil
import time
from typing import Any

import pytest

from beistand_lab import appliance
from beistand_lab.demo.administrator import Administrator
from beistand_lab.image import build_lock
from beistand_lab.lab import Lab, wait_for
from beistand_lab.settings import BUILD, PROJECT
from e2e import switching

pytestmark = pytest.mark.lab
LEFT = "ls -d /usr/bin/beistand /opt/beistand /var/lib/beistand* /etc/beistand /.beistand /run/beistand 2>/dev/null; \
getent passwd beistand-peer beistand-web; getent group beistand; ls -d /etc/systemd/system/*.d/beistand.conf; true"


def bring_packaging(lab: Lab, host: str, *, wheels: bool) -> None:
    root = lab.settings.root(host) / "root/beistand"
    shutil.copytree(PROJECT / "packaging", root / "packaging", dirs_exist_ok=True)
    if wheels:
        with build_lock(BUILD):
            newest = max(BUILD.glob("wheels-*"), key=lambda each: each.stat().st_mtime)
            shutil.copytree(newest, root / "wheels")


def run(lab: Lab, host: str, script: str) -> str:
    done = lab.sh(host, ["sh", "-c", script], check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def boot(lab: Lab, host: str) -> None:
    lab.off(host)
    appliance.switch_on(lab.settings, host)


def pbx_answers(lab: Lab) -> bool:
    with lab.sip_probe(lab.settings.service_address) as probe:
        return probe.first_answer(time.time(), switching.SOON_SECONDS) > 0


@pytest.fixture(scope="module")
def administrator(lab: Lab) -> Administrator:
    administrator = switching.prepare_pair(lab)
    shown = switching.plan_with_verdict(administrator, "peer-holds", "peer-serves")
    answer: dict[str, Any] = switching.confirm(administrator, shown, *switching.questions(shown))
    assert answer.get("state") == "done", answer
    switching.wait_for_state(administrator, "a", "superseded")
    return administrator


@pytest.mark.shows("S17")
def test_a_superseded_appliance_is_purged_under_the_eyes_of_its_peer_and_installed_again(
    lab: Lab, administrator: Administrator
) -> None:
    """The peer knocks every two seconds all the while. Nothing is left, and no PBX of the other one's trunks."""
    bring_packaging(lab, "a", wheels=True)
    told = run(lab, "a", "/root/beistand/packaging/uninstall --purge")
    assert "asterisk.service" in told
    assert lab.sh("a", ["sh", "-c", LEFT]).stdout == ""
    boot(lab, "a")
    appliance.wait_until_up(lab.settings, "a", switching.SOON_SECONDS)
    up = ["systemctl", "is-active", "multi-user.target"]
    wait_for(
        lambda: lab.sh("a", up, check=False).stdout.strip() == "active", switching.SOON_SECONDS, "a's boot"
    )
    assert not switching.pbx_runs(lab, "a")
    assert not switching.has_address(lab, "a")
    run(lab, "a", "/root/beistand/packaging/install --wheels /root/beistand/wheels")
    assert administrator.status("a")["state"] == "not-initialised"
    assert switching.serves(lab, "b")


@pytest.mark.shows("S3")
def test_who_took_over_keeps_the_phones_without_beistand(lab: Lab, administrator: Administrator) -> None:
    """Its agent is dead, and the machine was never set up with this address: calls go on, also after a boot."""
    bring_packaging(lab, "b", wheels=False)
    service, own = lab.settings.service_address, lab.settings.address("b")
    run(
        lab, "b", "systemctl mask --runtime beistand-agent; systemctl kill --signal=KILL beistand-agent; true"
    )
    told = run(lab, "b", "/root/beistand/packaging/uninstall --purge")
    assert service in told
    assert lab.sh("b", ["sh", "-c", LEFT]).stdout == ""
    assert pbx_answers(lab)
    switching.assert_call_works(lab)
    boot(lab, "b")
    assert pbx_answers(lab)
    addresses = lab.sh("b", ["ip", "-4", "-o", "address", "show", "dev", "eth0"]).stdout
    assert addresses.index(f"{service}/24") < addresses.index(f"{own}/24")
    switching.assert_call_works(lab)
