"""F34: a PBX that something starts on the standby is seen within seconds, stopped, told; no line registers twice."""

from __future__ import annotations

import time
from typing import Any

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import switching

pytestmark = pytest.mark.lab
SEEN_SECONDS = 5.0
AGAIN_SECONDS = 5.0
LINE = """
[line]
type=registration
server_uri=sip:{provider}:5071
client_uri=sip:house@{provider}:5071
contact_user=house
max_random_initial_delay=0
retry_interval=1
"""
DROP_IN = "/etc/systemd/system/asterisk.service.d/beistand.conf"
AGAIN_AND_AGAIN = "for n in 1 2 3 4; do /usr/sbin/asterisk -f; sleep 1; done"
WAYS = {
    "by-hand": "/usr/sbin/asterisk -U asterisk -G asterisk",
    "in-the-foreground": "setsid /usr/sbin/asterisk -f -U asterisk -G asterisk >/dev/null 2>&1 &",
    "by-a-script-that-starts-it-again": f"setsid sh -c '{AGAIN_AND_AGAIN}' >/dev/null 2>&1 &",
    "by-systemctl": "systemctl start asterisk",
    "by-systemctl-without-the-gate": f"rm {DROP_IN}; systemctl daemon-reload; systemctl start asterisk",
    "by-another-unit": "systemd-run --quiet --unit=nightly /usr/sbin/asterisk -f -U asterisk",
    "as-a-copy": "cp /usr/sbin/asterisk /root/copy; setsid /root/copy -f >/dev/null 2>&1 &",
}


@pytest.fixture(scope="module")
def administrator(lab: Lab) -> Administrator:
    administrator = switching.prepare_pair(lab)
    line = LINE.format(provider=lab.settings.address("m"))
    path = "/etc/asterisk/pjsip.conf"
    for host in ("a", "b"):
        lab.sh(host, ["sh", "-c", f"cat >> {path}"], input=line)
    return administrator


def registers(lab: Lab, host: str, begin: float) -> list[str]:
    """REGISTER requests that left a host since then, from its own address."""
    own = lab.settings.address(host)
    found = lab.capture.sip_messages(begin)
    return [
        each.uri for each in found if each.method == "REGISTER" and not each.status and each.source == own
    ]


def finding(administrator: Administrator) -> dict[str, Any] | None:
    found = administrator.status("b")["findings"]
    return next((each["fields"] for each in found if each["code"] == "pbx-started-here"), None)


@pytest.mark.shows("F34", "S17")
@pytest.mark.parametrize("way", WAYS)
def test_it_is_stopped_within_seconds_and_told(lab: Lab, administrator: Administrator, way: str) -> None:
    before = (finding(administrator) or {}).get("count", 0)
    begin = time.time()
    lab.sh("b", ["sh", "-c", WAYS[way]], check=False)
    if way == "by-systemctl":
        said = lab.sh("b", ["journalctl", "-u", "asterisk", f"--since=@{int(begin)}", "-o", "cat"]).stdout
        assert "beistand status" in said
        return
    wait_for(lambda: (finding(administrator) or {}).get("count", 0) > before, SEEN_SECONDS, "the finding")
    switching.wait_quietly(begin + AGAIN_SECONDS)
    wait_for(lambda: not switching.pbx_runs(lab, "b"), SEEN_SECONDS, "the PBX to end")
    told = finding(administrator)
    assert told is not None
    assert registers(lab, "b", begin) == []
    lab.sh("b", ["rm", "-f", "/root/copy"])
    assert switching.serves(lab, "a")
