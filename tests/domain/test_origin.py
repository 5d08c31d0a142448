"""What brought the service address is told by its likeliest cause (F33)."""

from datetime import timedelta
from typing import Any

import pytest

from beistand.domain.origin import Arrival, Brought, Trace, TraceKind, origin_findings
from fakes.situations import NOW

ADDRESS = "192.0.2.10"
HAND = ("ip address add 192.0.2.10/24 dev eth0", "-bash", "sshd: root@pts/0")


def trace(kind: TraceKind, path: str, program: str = "") -> Trace:
    return Trace(kind=kind, address=ADDRESS, path=path, line=7, program=program)


FILE = trace(TraceKind.FILE, "/etc/network/interfaces", "ifupdown")
SCRIPT = trace(TraceKind.SCRIPT, "/etc/rc.local")
TOOL = trace(TraceKind.TOOL, "/etc/keepalived/keepalived.conf", "keepalived")
LEASE = trace(TraceKind.LEASE, "/var/lib/dhcp/dhclient.eth0.leases", "dhclient")

CASES: list[tuple[dict[str, Any], tuple[Trace, ...], str, dict[str, Any]]] = [
    ({}, (), "hand", {}),
    ({"is_leased": True}, (), "lease", {"program": "DHCP"}),
    ({"is_leased": True}, (FILE, LEASE), "lease", {"program": "dhclient"}),
    ({"is_leased": True, "program": "systemd-network"}, (), "lease", {"program": "systemd-network"}),
    ({"is_leased": True, "program": "ip"}, (LEASE,), "lease", {"program": "dhclient"}),
    ({}, (LEASE,), "hand", {}),  # an old lease names many addresses
    ({}, (FILE, SCRIPT), "file", {"path": FILE.path, "line": 7, "manager": "ifupdown"}),
    ({}, (TOOL, SCRIPT), "tool", {"program": "keepalived", "path": TOOL.path}),
    (
        {"program": "vrrpd", "unit": "vrrpd.service"},
        (),
        "program",
        {"program": "vrrpd", "unit": "vrrpd.service"},
    ),
    ({"program": "vrrpd"}, (SCRIPT,), "program", {"program": "vrrpd", "unit": "vrrpd"}),
    ({}, (SCRIPT,), "script", {"path": "/etc/rc.local", "line": 7}),
    ({"program": "ip", "commands": HAND, "unit": "cron.service"}, (SCRIPT,), "script", {}),
    (
        {"program": "ip", "commands": HAND, "unit": "session-3.scope"},
        (SCRIPT,),
        "command",
        {"command": HAND[0]},
    ),
    (
        {"program": "ip", "commands": (HAND[0], "sh /etc/rc.local"), "unit": "session-3.scope"},
        (SCRIPT,),
        "script",
        {},
    ),
    (
        {"program": "ip", "commands": HAND, "unit": "session-3.scope"},
        (),
        "command",
        {"by": "-bash, session-3.scope"},
    ),
    ({"program": "ip", "commands": HAND[:1]}, (), "command", {"by": "?"}),
]


@pytest.mark.parametrize(("arrival", "traces", "code", "fields"), CASES)
def test_the_likeliest_cause_is_told(
    arrival: dict[str, Any], traces: tuple[Trace, ...], code: str, fields: dict[str, Any]
) -> None:
    came = Arrival(address=ADDRESS, interface="eth0", **arrival)
    (told,) = origin_findings([Brought(arrival=came, at=NOW, traces=traces)], NOW)
    assert told.code == f"address-brought-by-{code}"
    assert fields.items() <= told.fields.items()
    assert told.fields["address"] == ADDRESS


def test_it_is_told_for_a_day() -> None:
    brought = Brought(arrival=Arrival(address=ADDRESS, interface="eth0"), at=NOW)
    assert origin_findings([brought], NOW + timedelta(hours=23))
    assert origin_findings([brought], NOW + timedelta(hours=25)) == ()
