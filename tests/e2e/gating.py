"""The service address comes to an appliance that may not serve, by ways that no network file tells of (F19, F33).

Judged at the switch: not one frame claims it. And at the console: what brought it is told by name. The same scenes run
in the tests and in torture.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from beistand_lab import appliance, network_managers
from beistand_lab.demo.administrator import Administrator
from beistand_lab.errors import LabError
from beistand_lab.lab import Lab, wait_for
from e2e import booting, guarding, switching

QUIET_SECONDS = 1.0
BACK_SECONDS = 1.0
"""Seconds after which flushed rules are back at the latest (F33)."""
BROUGHT = "address-brought-by-"
RAW = """
import socket, struct, sys
own = socket.inet_aton(sys.argv[1])
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as line:
    line.bind(("eth0", 0))
    mac = line.getsockname()[4]
    for kind, to in ((1, b"\\xff" * 6), (2, b"\\xff" * 6)):
        arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, kind) + mac + own + bytes(6) + own
        head = struct.pack("!BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 17, 0) + own + b"\\xff" * 4
        for frame in (to + mac + b"\\x08\\x06" + arp, to + mac + b"\\x08\\x00" + head + bytes(8)):
            try:
                line.send(frame)
            except OSError as error:
                print(error.errno)
"""
RC_LOCAL = """#!/bin/sh
until ip -4 address show dev eth0 | grep -q inet; do sleep 0.1; done
ip address add {address}/24 dev eth0
exit 0
"""
"""Later than the own address: NetworkManager gives none to an interface that has one of somebody else's."""
KEEPALIVED = """global_defs {{
  router_id {host}
}}
vrrp_instance phones {{
  state MASTER
  interface eth0
  virtual_router_id 51
  priority 150
  advert_int 1
  virtual_ipaddress {{
    {address}/24
  }}
}}
"""


@dataclass
class Place:
    """An appliance that may not have the address."""

    lab: Lab
    administrator: Administrator
    host: str

    @property
    def address(self) -> str:
        return self.lab.settings.service_address

    def sh(self, command: str, *, check: bool = True) -> str:
        return self.lab.sh(self.host, ["sh", "-c", command], check=check).stdout

    def told(self) -> list[dict[str, Any]]:
        found = self.administrator.status(self.host)["findings"]
        return [each for each in found if each["code"].startswith(BROUGHT)]

    def told_as(self, *codes: str, **fields: str) -> None:
        """Wait until it is told that this brought the address."""
        wanted = {BROUGHT + each for each in codes}

        def is_told() -> bool:
            return any(
                each["code"] in wanted and fields.items() <= {**each["fields"]}.items()
                for each in self.told()
            )

        wait_for(is_told, switching.SOON_SECONDS, f"{wanted} with {fields}; it is {self.told()}")

    def is_gone(self) -> None:
        wait_for(
            lambda: not switching.has_address(self.lab, self.host),
            switching.SOON_SECONDS,
            f"the address to leave {self.host}",
        )

    def is_shut(self) -> bool:
        """Tell whether the table is there that stays without the agent, too."""
        return self.sh("nft list tables").split().count("beistand") == 3


@contextmanager
def silent(place: Place) -> Iterator[None]:
    """Everybody asks who has the address all the while; this host claims it in no frame."""
    with booting.everybody_asks(place.lab):
        begin = time.time()
        yield
        switching.wait_quietly(time.time() + QUIET_SECONDS)
    found = [each.data[:42].hex() for each in booting.claiming_frames(place.lab, place.host, begin)]
    assert found == [], f"{place.host} claimed the service address in {len(found)} frames: {found[:3]}"


# --- while it runs --------------------------------------------------------------------------------


def by_hand(place: Place) -> None:
    place.sh(f"ip address add {place.address}/24 dev eth0")
    place.is_gone()
    place.told_as("command", "hand")


def by_keepalived(place: Place) -> None:
    file = "/etc/keepalived/keepalived.conf"
    place.sh("mkdir -p /etc/keepalived /run")
    place.lab.copy_in(place.host, file, KEEPALIVED.format(host=place.host, address=place.address))
    place.sh("systemctl start keepalived")
    try:
        place.told_as("tool", program="keepalived", path=file)
    finally:
        place.sh(f"systemctl stop keepalived; rm -r {file}", check=False)
    place.is_gone()


def by_a_lease(place: Place) -> None:
    """A DHCP server gives the address away, and a client asks."""
    lab, settings = place.lab, place.lab.settings
    range_ = f"{place.address},{place.address},255.255.255.0,10m"
    server = ["dnsmasq", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--bind-interfaces"]
    server += [f"--dhcp-range={range_}", "--dhcp-leasefile=/dev/null", "--no-ping", "--dhcp-authoritative"]
    pid = f"/run/dnsmasq-{settings.name}.pid"
    lab.sh("m", [*server, f"--pid-file={pid}"])
    try:
        place.sh("mkdir -p /var/lib/dhcp; timeout 20 dhclient -1 -sf /sbin/dhclient-script eth0", check=False)
        place.told_as("lease")
        place.is_gone()
    finally:
        place.sh("pkill -x dhclient", check=False)
        lab.sh("m", ["sh", "-c", f"kill $(cat {pid}); rm -f {pid}"], check=False)


def by_raw_frames(place: Place) -> None:
    """Nothing has the address; a program writes frames of its own that claim it."""
    for _ in range(5):
        said = place.lab.sh(place.host, ["/usr/bin/python3", "-c", RAW, place.address]).stdout
        assert said.split() == ["105"] * 4, f"the kernel let frames through: {said}"  # ENOBUFS


def by_a_script_that_cron_runs(place: Place) -> None:
    file = "/usr/local/sbin/keep-the-phones-alive"
    place.lab.copy_in(place.host, file, f"#!/bin/sh\nip address add {place.address}/32 dev eth0\n")
    try:
        place.sh(f"chmod 755 {file}; systemd-run --quiet --wait {file}")
        place.is_gone()
        place.told_as("script", path=file)
    finally:
        place.sh(f"rm -f {file}")


def while_rules_are_flushed(place: Place) -> None:
    """The rules go and the address comes, five times: the rules are back each time within a second."""
    for _ in range(5):
        place.sh(f"ip address add {place.address}/24 dev eth0; nft flush ruleset")
        wait_for(place.is_shut, BACK_SECONDS, "the rules to be back")
        place.is_gone()
    guarding.finding(place.administrator, place.host, "gate-breached")


WAYS: dict[str, Callable[[Place], None]] = {
    "by hand": by_hand,
    "by a script that cron runs": by_a_script_that_cron_runs,
    "by keepalived": by_keepalived,
    "by a lease": by_a_lease,
    "by raw frames": by_raw_frames,
    "while the rules are flushed": while_rules_are_flushed,
}


def brought(place: Place, way: str) -> None:
    with silent(place):
        WAYS[way](place)


# --- at a boot ------------------------------------------------------------------------------------


def in_rc_local(place: Place) -> tuple[str, ...]:
    file = "/etc/rc.local"
    place.lab.copy_in(place.host, file, RC_LOCAL.format(address=place.address))
    appliance_sh(place, f"chmod 755 {file}")
    return ("script", file)


def behind_a_second_pattern(place: Place) -> tuple[str, ...]:
    """Every pattern behind `source` is read by ifupdown."""
    _more_interfaces(place, "source /etc/network/interfaces.d/*.none /etc/network/phones/*")
    appliance_sh(place, "mkdir -p /etc/network/phones")
    text = f"iface eth0 inet static\n\taddress {place.address}\n\tnetmask 255.255.255.0\n"
    place.lab.copy_in(place.host, "/etc/network/phones/eth0", text)
    return ("script", "/etc/network/phones/eth0")


def beside_a_rule(place: Place) -> tuple[str, ...]:
    """Lines of a shell that no parser understands."""
    _more_interfaces(
        place,
        f"# not here: {place.address}\niface eth0 inet manual\n"
        f"\tup ip rule add from {place.address} table 100; A={place.address}; ip address add $A/32 dev eth0",
    )
    return ("file", "/etc/network/interfaces")


def under_ifupdown_ng(place: Place) -> tuple[str, ...]:
    """Another program reads the same file from now on; an address without a mask, in a stanza of no kind."""
    line = appliance.on_the_disk(place.lab.settings, place.host, network_managers.take_ifupdown_ng("/"))
    subprocess.run(line, check=True)
    # It stops at a pattern that matches nothing.
    appliance_sh(place, "sed -i '/^source /d' /etc/network/interfaces")
    _more_interfaces(place, f"iface eth0\n\taddress {place.address}/24")
    return ("file", "/etc/network/interfaces")


def in_its_network_file(place: Place) -> tuple[str, ...]:
    """In the plain line that the guard would have taken out."""
    return ("file", booting.put_into_network_file(place.lab, place.host))


BOOTS: dict[str, Callable[[Place], tuple[str, ...]]] = {
    "in its network file": in_its_network_file,
    "in rc.local": in_rc_local,
}
IFUPDOWN_BOOTS: dict[str, Callable[[Place], tuple[str, ...]]] = {
    "behind a second pattern": behind_a_second_pattern,
    "beside a rule": beside_a_rule,
    "under ifupdown-ng": under_ifupdown_ng,  # the last one: it stays
}
FOLDERS = ("/etc/network", "/etc/systemd/network", "/etc/NetworkManager", "/etc/netplan")


def boots_with(place: Place, way: str) -> None:
    """It boots without a guard, and something brings the address: not one frame, told by name, and taken away."""
    lab, host = place.lab, place.host
    kept = "/var/tmp/network-as-it-was"
    there = " ".join(FOLDERS)
    place.sh(
        f"mkdir -p {kept}; for each in {there}; do test ! -d $each || cp -a --parents $each {kept}; done"
    )
    place.sh("systemctl disable --quiet beistand-guard")
    appliance.switch_off(lab.settings, host)
    try:
        code, path = {**BOOTS, **IFUPDOWN_BOOTS}[way](place)
        with silent(place):
            appliance.switch_on(lab.settings, host)
            appliance.wait_until_up(lab.settings, host)
            switching.wait_for_agent(lab, host)
            place.told_as(code, path=path)
            place.is_gone()
        assert place.is_shut()
        assert place.sh("systemctl is-active beistand-guard", check=False).strip() == "inactive"
    finally:
        if not lab.is_on(host):
            appliance.switch_on(lab.settings, host)
            appliance.wait_until_up(lab.settings, host)
        place.sh("systemctl enable --quiet beistand-guard; rm -f /etc/rc.local; rm -rf /etc/network/phones")
        place.sh(f"cp -a {kept}/etc/. /etc/ && rm -rf {kept}")


def without_nftables(place: Place) -> None:
    """A boot on a machine without `nft`: told, the guard does its work, and the agent takes away what comes."""
    lab, host = place.lab, place.host
    path = booting.put_into_network_file(lab, host)
    appliance.switch_off(lab.settings, host)
    appliance_sh(place, "mv /usr/sbin/nft /usr/sbin/nft.away")
    try:
        appliance.switch_on(lab.settings, host)
        appliance.wait_until_up(lab.settings, host)
        switching.wait_for_agent(lab, host)
        guarding.finding(place.administrator, host, "gate-missing")
        held = guarding.finding(place.administrator, host, "service-address-held-back")
        assert held["fields"]["path"] == path
        by_hand(place)
    finally:
        appliance_sh(place, "mv /usr/sbin/nft.away /usr/sbin/nft")
    wait_for(place.is_shut, switching.SOON_SECONDS, "the gate, now that there is nft")


def appliance_sh(place: Place, command: str) -> None:
    """Run a command on the disk of an appliance that is switched off."""
    line = appliance.on_the_disk(place.lab.settings, place.host, ["sh", "-c", command])
    done = subprocess.run(line, capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{place.host}: {done.stderr.decode(errors='replace').strip()}")


def _more_interfaces(place: Place, text: str) -> None:
    file = "/etc/network/interfaces"
    before = place.lab.read(place.host, file).decode()
    place.lab.copy_in(place.host, file, f"{before}\n{text}\n")
