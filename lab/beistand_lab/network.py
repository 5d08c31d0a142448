"""The switch and its cables: network namespaces held by files, a bridge in one of them, veth pairs.

The namespaces have no names in /run/netns: a file in the lab's own folder holds each, so that nothing
of the lab is outside that folder. `nsenter --net=FILE` enters one.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
import time
from pathlib import Path

from beistand_lab import commands, control_groups
from beistand_lab.errors import LabError
from beistand_lab.settings import MACHINES, Settings

BRIDGE = "br0"
OTHER_BRIDGE = "br1"
_TRUNK = ("trunk0", "trunk1")
_CLONE_NEWNET = 0x40000000
# Phones 101 to 103, and three spare addresses for strangers and phones that come later.
PHONE_HOST_OCTETS = (51, 52, 53, 61, 62, 63)


def port(host: str) -> str:
    """The switch's port that a host's cable is plugged into."""
    return f"p-{host}"


def inside(settings: Settings, host: str, argv: list[str]) -> list[str]:
    """The command line that runs `argv` in the network namespace of a host."""
    return ["nsenter", f"--net={settings.namespace(host)}", *argv]


def build(settings: Settings) -> None:
    """The switch with the gateway's address, the phone host and the mail host, all plugged in."""
    create_namespace(settings, "sw")
    _ip(
        settings,
        "sw",
        f"link add {BRIDGE} type bridge forward_delay 0",
        f"link set {BRIDGE} address {settings.mac('sw')} up",
        f"addr add {settings.gateway}/24 dev {BRIDGE}",
    )
    for host in ("t", "m"):
        plug_in(settings, host)
        octets = PHONE_HOST_OCTETS if host == "t" else ()
        addresses = [settings.address(host), *map(settings.nth, octets)]
        _ip(
            settings,
            host,
            "link set eth0 up",
            *[f"addr add {address}/24 dev eth0" for address in addresses],
            f"route add default via {settings.gateway}",
        )


def plug_in(settings: Settings, host: str) -> None:
    """A fresh namespace for a host, and a cable from it to the switch."""
    create_namespace(settings, host)
    _ip(
        settings,
        "sw",
        f"link add {port(host)} type veth peer name eth0 address {settings.mac(host)} "
        f"netns {settings.namespace(host)}",
        f"link set {port(host)} master {BRIDGE} up",
    )


def unplug(settings: Settings, host: str) -> None:
    """Takes cable and namespace of a host away."""
    # The cable explicitly: a namespace goes away some time after its last user, not at once.
    _ip(settings, "sw", f"link del {port(host)}")
    commands.run(["umount", str(settings.namespace(host))])
    settings.namespace(host).unlink()


def set_port(settings: Settings, host: str, *, up: bool) -> None:
    """Switches a port; down means that no frame passes and the other end has no carrier."""
    if host not in (*MACHINES, "t", "m"):
        raise LabError(f"{host} has no cable", "a, b, t and m have one")
    _ip(settings, "sw", f"link set {port(host)} {'up' if up else 'down'}")


def split(settings: Settings, hosts: tuple[str, ...]) -> None:
    """Makes two switches of the one; these hosts are plugged into the other, and nothing joins the two."""
    if not _exists(settings, OTHER_BRIDGE):
        _ip(
            settings,
            "sw",
            f"link add {OTHER_BRIDGE} type bridge forward_delay 0",
            f"link set {OTHER_BRIDGE} up",
            f"link add {_TRUNK[0]} type veth peer name {_TRUNK[1]}",
            f"link set {_TRUNK[0]} master {BRIDGE}",
            f"link set {_TRUNK[1]} master {OTHER_BRIDGE} up",
        )
        # The namespace has the gateway's address: only whoever reaches the first bridge hears it.
        quiet = ["sysctl", "-qw", f"net.ipv4.conf.{OTHER_BRIDGE}.arp_ignore=1"]
        commands.run(inside(settings, "sw", quiet))
    _ip(
        settings,
        "sw",
        f"link set {_TRUNK[0]} down",
        *[f"link set {port(host)} master {OTHER_BRIDGE}" for host in hosts],
    )


def join(settings: Settings) -> float:
    """Joins the two switches by a cable; no host sees its own link change. Returns the moment just before."""
    if not _exists(settings, _TRUNK[0]):
        return time.time()
    # One shell: the start of a process of its own for the cable would count into whatever is measured.
    plug = inside(settings, "sw", ["sh", "-c", f"date +%s.%N; ip link set {_TRUNK[0]} up"])
    return float(commands.run(plug, group=control_groups.group_name(settings.name)).stdout)


def reunite(settings: Settings, hosts: tuple[str, ...]) -> None:
    """Plugs these hosts into the first switch again."""
    _ip(settings, "sw", *[f"link set {port(host)} master {BRIDGE}" for host in hosts])


def _exists(settings: Settings, link: str) -> bool:
    shown = commands.run(inside(settings, "sw", ["ip", "-oneline", "link", "show"])).stdout
    return f": {link}@" in shown or f": {link}: " in shown


def create_namespace(settings: Settings, host: str) -> None:
    file = settings.namespace(host)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    group = control_groups.group_name(settings.name)
    commands.run(["unshare", f"--net={file}", "ip", "link", "set", "lo", "up"], group=group)


def _ip(settings: Settings, host: str, *lines: str) -> None:
    group = control_groups.group_name(settings.name)
    batch = "".join(f"{line}\n" for line in lines)
    commands.run(inside(settings, host, ["ip", "-batch", "-"]), group=group, input=batch)


def open_socket(namespace: Path, family: int, kind: int, protocol: int = 0) -> socket.socket:
    """A socket that lives in another network namespace; this process stays where it is."""
    made: list[socket.socket] = []
    failed: list[OSError] = []

    def make() -> None:
        # setns moves one thread: this one, which ends here.
        library = ctypes.CDLL(None, use_errno=True)
        try:
            descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
            try:
                if library.setns(descriptor, _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            finally:
                os.close(descriptor)
            made.append(socket.socket(family, kind, protocol))
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if failed:
        raise LabError(f"cannot open a socket in {namespace}: {failed[0]}", "is the lab up?")
    return made[0]
