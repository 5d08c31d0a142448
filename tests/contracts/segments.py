"""Three machines on one segment: in memory, and in network namespaces that are made and removed here."""

import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Protocol, TypeVar

from beistand.adapters.addresses import NetlinkAddresses
from beistand.adapters.arp import RawArp
from beistand.adapters.signs import NetworkSigns
from beistand.adapters.sip import UdpSipProbe
from beistand.domain.installation import Installation, ServiceAddress
from beistand_lab.inspection import program
from fakes.network import FakeAddresses, FakeArp, FakeSigns, FakeSip, Machine, Segment

SERVICE = "10.9.8.10"
GATEWAY = "10.9.8.254"
T = TypeVar("T")
CLONE_NEWNET = 0x40000000


@dataclass
class Box:
    """One machine, as its own agent sees it."""

    name: str
    mac: str
    own_ip: str
    installation: Installation
    addresses: Any
    arp: Any
    signs: Any
    sip: Any
    run: Callable[[Callable[[], T]], T] = lambda act: act()


class World(Protocol):
    a: Box
    b: Box
    c: Box

    def unplug(self, box: Box) -> None: ...
    def plug(self, box: Box) -> None: ...
    def lock(self, box: Box) -> None:
        """Have the switch port of a machine drop ARP that is sent for any address but its own one."""

    def unlock(self, box: Box) -> None: ...
    def twin(self, box: Box, of: Box) -> None:
        """Give a machine the own address of another one instead of its own, as a clone of its disk has it."""

    def claims(self) -> list[tuple[str, str, str]]:
        """Return (MAC, sender, target) of each frame on the wire that names the service address as its sender."""


def installation(own_ip: str, *, on_loopback: bool = False) -> Installation:
    return Installation(
        interface="eth0",
        own_address=f"{own_ip}/24",
        service_addresses=(ServiceAddress(address=SERVICE, interface="eth0"),),
        profile="asterisk",
        on_loopback=on_loopback,
    )


class MemoryWorld:
    def __init__(self) -> None:
        self.segment = Segment()
        self.a, self.b, self.c = (self._box(name, at) for at, name in enumerate("abc", start=1))

    def _box(self, name: str, at: int) -> Box:
        machine = Machine(f"02:00:00:00:00:0{at}", f"10.9.8.{at}", gateway=GATEWAY)
        self.segment.machines.append(machine)
        return Box(
            name,
            machine.mac,
            machine.own_ip,
            installation(machine.own_ip),
            FakeAddresses(machine),
            FakeArp(self.segment, machine),
            FakeSigns(self.segment, machine),
            FakeSip(self.segment, machine),
        )

    def unplug(self, box: Box) -> None:
        box.arp.machine.has_carrier = False

    def plug(self, box: Box) -> None:
        box.arp.machine.has_carrier = True

    def lock(self, box: Box) -> None:
        box.arp.machine.is_locked = True

    def unlock(self, box: Box) -> None:
        box.arp.machine.is_locked = False

    def twin(self, box: Box, of: Box) -> None:
        box.arp.machine.own_ip = of.own_ip

    def claims(self) -> list[tuple[str, str, str]]:
        return self.segment.frames


class InNamespace:
    """An object whose methods run in the threads of a network namespace."""

    def __init__(self, run: Callable[[Callable[[], Any]], Any], inner: Any) -> None:
        self.run, self.inner = run, inner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)
        return lambda *args, **named: self.run(lambda: method(*args, **named))


@dataclass
class NamespaceWorld:
    prefix: str
    folder: Path
    pools: list[ThreadPoolExecutor] = field(default_factory=list)
    frames: list[tuple[str, str, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        ip("netns", "add", f"{self.prefix}-s")
        self.ip_s("link", "add", "br0", "type", "bridge")
        self.ip_s("link", "set", "br0", "up")
        self.a, self.b, self.c = (self._box(name, at) for at, name in enumerate("abc", start=1))
        ready = threading.Event()
        self._recorder = threading.Thread(target=lambda: self.c.run(lambda: self._record(ready)), daemon=True)
        self._recorder.start()
        ready.wait(5)

    def ip_s(self, *arguments: str) -> None:
        ip("-n", f"{self.prefix}-s", *arguments)

    def _box(self, name: str, at: int) -> Box:
        space, mac, own = f"{self.prefix}-{name}", f"02:00:00:00:00:0{at}", f"10.9.8.{at}"
        ip("netns", "add", space)
        self.ip_s(
            "link", "add", "name", f"port-{name}", "type", "veth", "peer", "name", "eth0", "netns", space
        )
        self.ip_s("link", "set", f"port-{name}", "up", "master", "br0")
        ip("-n", space, "link", "set", "lo", "up")
        ip("-n", space, "link", "set", "eth0", "address", mac, "up")
        ip("-n", space, "address", "add", f"{own}/24", "dev", "eth0")
        ip(
            "-n",
            space,
            "route",
            "add",
            "default",
            "via",
            GATEWAY,
            "dev",
            "eth0",
            "proto",
            "static",
            "metric",
            "1024",
        )
        run = self._runner(space)
        routes = self.folder / f"{name}-routes.json"
        return Box(
            name,
            mac,
            own,
            installation(own),
            InNamespace(run, NetlinkAddresses(routes)),
            InNamespace(run, RawArp(own)),
            InNamespace(run, NetworkSigns()),
            InNamespace(run, UdpSipProbe()),
            run,
        )

    def _runner(self, space: str) -> Callable[[Callable[[], Any]], Any]:
        pool = ThreadPoolExecutor(max_workers=6, initializer=enter, initargs=(space,))
        self.pools.append(pool)
        return lambda act: pool.submit(act).result()

    def unplug(self, box: Box) -> None:
        self.ip_s("link", "set", f"port-{box.name}", "down")
        until(lambda: not box.addresses.carrier("eth0"))

    def plug(self, box: Box) -> None:
        self.ip_s("link", "set", f"port-{box.name}", "up")
        until(lambda: box.addresses.carrier("eth0"))

    def lock(self, box: Box) -> None:
        at = ("dev", f"port-{box.name}")
        self.tc_s("qdisc", "add", *at, "clsact")
        bytecode = ("bpf", "direct-action", "bytecode", program(box.own_ip))
        self.tc_s("filter", "add", *at, "ingress", "prio", "1", *bytecode)

    def unlock(self, box: Box) -> None:
        self.tc_s("qdisc", "del", "dev", f"port-{box.name}", "clsact")

    def twin(self, box: Box, of: Box) -> None:
        at = ("dev", "eth0")
        ip("-n", f"{self.prefix}-{box.name}", "address", "del", f"{box.own_ip}/24", *at)
        ip("-n", f"{self.prefix}-{box.name}", "address", "add", f"{of.own_ip}/24", *at)

    def tc_s(self, *arguments: str) -> None:
        subprocess.run(["ip", "netns", "exec", f"{self.prefix}-s", "tc", *arguments], check=True)

    def claims(self) -> list[tuple[str, str, str]]:
        return [each for each in self.frames if each[1] == SERVICE]

    def _record(self, ready: threading.Event) -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as wire:
            wire.settimeout(0.1)
            ready.set()
            while not self.over.is_set():
                try:
                    raw, source = wire.recvfrom(2048)
                except TimeoutError:
                    continue
                if source[2] != socket.PACKET_OUTGOING:
                    sender, target = (socket.inet_ntoa(raw[at : at + 4]) for at in (28, 38))
                    self.frames.append((raw[22:28].hex(":"), sender, target))

    def close(self) -> None:
        self.over.set()
        self._recorder.join()
        for box in (self.a, self.b, self.c):
            box.arp.close()
        for pool in self.pools:
            pool.shutdown()
        remove(self.prefix)


@contextmanager
def namespace_world(folder: Path, number: int) -> Iterator[NamespaceWorld]:
    prefix = f"bt-{os.getpid()}-{number}"
    try:
        world = NamespaceWorld(prefix, folder)
        try:
            yield world
        finally:
            world.close()
    finally:
        remove(prefix)


def remove(prefix: str) -> None:
    for name in "abcs":
        space = f"{prefix}-{name}"
        if Path(f"/run/netns/{space}").exists():
            # Deleting a namespace is asynchronous: the links go first, so that nothing is left for a while.
            link = "br0" if name == "s" else "eth0"
            subprocess.run(["ip", "-n", space, "link", "del", link], check=False, capture_output=True)
            ip("netns", "del", space)


def enter(space: str) -> None:
    with open(f"/run/netns/{space}") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for the condition, at most so long."""
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end, "it did not happen in time"
        sleep(0.005)
