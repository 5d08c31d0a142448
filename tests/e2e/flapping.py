"""What administrators do to a network manager while the appliance serves, and how long the address was away (F26)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from beistand_lab import network_managers
from beistand_lab.lab import Lab, wait_for
from beistand_lab.sip_probe import SipProbe
from beistand_lab.source_watch import Gap, SourceWatch
from e2e import switching

IDLE_SECONDS = 0.05
"""What F26 promises, of a machine that has something else to do now and then."""
BUSY_SECONDS = 0.5
"""What no load of this machine excuses."""
SETTLED_SECONDS = 2.5
"""After an operation: NetworkManager and ifupdown return before everything of theirs is done."""
# Each time another MTU than before: the shell's process id makes it so.
_CHANGE = "sed -i '/mtu/Id' {{file}}; sed -i \"s/{before}/{line}\\n&/\" {{file}}"
FILE_CHANGES = {
    "systemd-networkd": _CHANGE.format(before="^.Match.", line="[Link]\\nMTUBytes=$((1300 + $$ % 200))"),
    "ifupdown": _CHANGE.format(before="^\\tgateway", line="\\tmtu $((1300 + $$ % 200))"),
    "networkmanager": _CHANGE.format(before="^.ipv4.", line="mtu=$((1300 + $$ % 200))"),
    "netplan": _CHANGE.format(before="^      dhcp4", line="      mtu: $((1300 + $$ % 200))"),
    "netplan-nm": _CHANGE.format(before="^      dhcp4", line="      mtu: $((1300 + $$ % 200))"),
}
_NETWORKD = {
    "reconfigure": "networkctl reconfigure eth0",
    "renew": "networkctl renew eth0; networkctl reload",
    "restart": "systemctl restart systemd-networkd",
    "stop and start": "systemctl stop systemd-networkd.socket systemd-networkd; systemctl start systemd-networkd",
}
_NETWORKMANAGER = {
    "connection up": "nmcli connection up {connection}",
    "reapply": "nmcli device reapply eth0",
    "restart": "systemctl restart NetworkManager",
    "disconnect and connect": "nmcli device disconnect eth0; nmcli device connect eth0",
    "other metric": "nmcli connection modify {connection} ipv4.route-metric 77; nmcli device reapply eth0",
}
OPERATIONS: dict[str, Mapping[str, str]] = {
    "systemd-networkd": {
        **_NETWORKD,
        "reload a changed file": "{change}; networkctl reload",
    },
    "ifupdown": {
        "ifdown and ifup": "ifdown eth0; ifup eth0",
        "restart": "systemctl restart networking",
        "ifup by force": "ifdown --force eth0; ifup --force eth0",
        "restart with a changed file": "{change}; systemctl restart networking",
    },
    "networkmanager": {
        **_NETWORKMANAGER,
        "reload a changed file": "{change}; nmcli connection reload; nmcli connection up {connection}",
    },
    "netplan": {
        **_NETWORKD,
        "apply": "netplan apply",
        "apply a changed file": "{change}; netplan apply",
    },
    "netplan-nm": {
        **_NETWORKMANAGER,
        "apply": "netplan apply",
        "apply a changed file": "{change}; netplan apply",
    },
}
FLAPS = {"cable out for 0.3 s": 0.3, "cable out for 8 s": 8.0}
BY_HAND = {
    "link down and up": "ip link set eth0 down; ip link set eth0 up",
    "address taken": "ip address del {service}/32 dev eth0",
    "default route taken": "ip route del default",
}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What two observers saw of one operation."""

    gaps: list[Gap]
    """Of the observer inside: with carrier, without address or source."""
    silence: float
    """Of the observer outside: seconds that a question over SIP waited for an answer, at most."""
    seconds: float
    """How long the operation took."""

    @property
    def longest(self) -> float:
        return max((each.seconds for each in self.gaps), default=0.0)


def operations(lab: Lab, host: str) -> dict[str, Callable[[], object]]:
    """Name and act of everything that is done to the host's manager and link."""
    manager = lab.settings.manager_of(host)
    known = {
        "change": FILE_CHANGES[manager].format(file=network_managers.file_of(manager)),
        "connection": "netplan-eth0" if manager == "netplan-nm" else "eth0",
        "service": lab.settings.service_address,
    }
    acts: dict[str, Callable[[], object]] = {}
    for name, script in {**OPERATIONS[manager], **BY_HAND}.items():
        acts[name] = lambda script=script: lab.sh(host, ["sh", "-c", script.format(**known)])
    for name, seconds in FLAPS.items():
        acts[name] = lambda seconds=seconds: _flap(lab, host, seconds)
    return acts


def watched(lab: Lab, host: str, act: Callable[[], object], inside: SourceWatch, outside: SipProbe) -> Seen:
    """Do one thing, wait until it has settled, and tell what was seen; everything is right in the end."""
    begin = time.time()
    act()
    done = time.time()
    switching.wait_quietly(done + SETTLED_SECONDS)
    outside.first_answer(time.time(), switching.SOON_SECONDS)
    wait_for(inside.is_right, switching.SOON_SECONDS, f"address and sources of {host}")
    wait_for(lambda: _has_own_address(lab, host), switching.SOON_SECONDS, f"the own address of {host}")
    end = outside.first_answer(time.time(), switching.SOON_SECONDS)
    return Seen(gaps=inside.gaps(begin), silence=outside.longest_silence(begin, end), seconds=done - begin)


def _has_own_address(lab: Lab, host: str) -> bool:
    """That one is the network manager's, which takes its time; all that counts is that it comes back."""
    shown = lab.sh(host, ["ip", "-4", "-o", "address", "show", "eth0"]).stdout
    return f" {lab.settings.address(host)}/24" in shown


def _flap(lab: Lab, host: str, seconds: float) -> None:
    lab.cut(host)
    switching.wait_quietly(time.time() + seconds)
    lab.heal(host)
