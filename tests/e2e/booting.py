"""An appliance that boots while it may not serve (F19), and both that boot in any order (F20).

The same scenes run in the tests and in torture. A is the active that died before a takeover: before each
boot its disk is as it was then, so it never heard of the takeover.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from beistand_lab import appliance, network, network_managers
from beistand_lab.demo.administrator import Administrator
from beistand_lab.frames import Frame
from beistand_lab.lab import Lab
from e2e import switching

LONGEST_WAIT = 120.0
"""Seconds that DESIGN R2 waits for a silent peer."""
ASK_EVERY = 0.02
STATE = "var/lib/beistand"
PBX = "/usr/sbin/asterisk"
_ETH_P_ARP, _REQUEST = 0x0806, 1


class Scene:
    """A pair after a takeover: b serves, a is off; `stale` keeps a's state from before."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.administrator: Administrator = switching.prepare_pair(lab)

    def take_over(self) -> None:
        """A dies, and b takes over by a click."""
        switching.take_over_from_dead(self.administrator)
        # b's address is held before its PBX answers: what follows wants b as it serves for good.
        switching.wait_for_state(self.administrator, "b", "serving")
        subprocess.run(["cp", "-a", str(self._state), str(self._stale)], check=True)

    def forget_takeover(self) -> None:
        """Put a's state back as it was when it died: it heard of nothing since."""
        subprocess.run(["rm", "-rf", str(self._state)], check=True)
        subprocess.run(["cp", "-a", str(self._stale), str(self._state)], check=True)

    def power(self, host: str, *, on: bool) -> None:
        """Pull or plug a power cord where it is not so yet; waits for nothing."""
        if self.lab.is_on(host) != on:
            change = appliance.switch_on if on else appliance.switch_off
            change(self.lab.settings, host)

    def boot(self, host: str) -> float:
        """Power on without waiting; returns when."""
        begin = time.time()
        self.power(host, on=True)
        return begin

    def wait_for_state(self, host: str, *states: str, seconds: float = switching.SOON_SECONDS) -> None:
        appliance.wait_until_up(self.lab.settings, host, seconds)
        switching.wait_for_agent(self.lab, host)
        switching.wait_for_state(self.administrator, host, *states, seconds=seconds)

    def assert_never_claimed(self, host: str, begin: float, end: float = 9e9) -> None:
        """Not one frame of any kind in which this host said that the service address is its own."""
        found = [
            f"{each.time - begin:.3f} s: {each.data[:42].hex()}"
            for each in claiming_frames(self.lab, host, begin, end)
        ]
        assert not found, f"{host} claimed the service address in {len(found)} frames: {found[:3]}"

    def assert_b_serves(self) -> None:
        """The holder of the higher epoch serves, and a knows it, without a click."""
        self.wait_for_state("b", "serving")
        self.wait_for_state("a", "superseded")
        assert switching.serves(self.lab, "b")
        assert not switching.has_address(self.lab, "a")
        switching.assert_call_works(self.lab)

    def log(self, host: str, begin: float) -> str:
        ask = ["journalctl", "-u", "beistand-agent", f"--since=@{begin:.3f}", "-o", "cat", "--no-pager"]
        return self.lab.sh(host, ask).stdout

    @property
    def _state(self) -> Path:
        return self.lab.settings.root("a") / STATE

    @property
    def _stale(self) -> Path:
        return self.lab.settings.folder / "stale-state-of-a"


def claiming_frames(lab: Lab, host: str, begin: float, end: float = 9e9) -> list[Frame]:
    """Frames of a host with the service address as sender: ARP of any form, and IPv4."""
    mac = bytes.fromhex(lab.settings.mac(host).replace(":", ""))
    address = socket.inet_aton(lab.settings.service_address)

    def claims(frame: Frame) -> bool:
        data = frame.data
        if frame.kind == _ETH_P_ARP:
            return data[28:32] == address and mac in {data[6:12], data[22:28]}
        return frame.kind == 0x0800 and data[26:30] == address and data[6:12] == mac

    return [each for each in lab.capture.frames(begin, end) if claims(each)]


@contextmanager
def everybody_asks(lab: Lab) -> Iterator[None]:
    """All the while somebody asks aloud who has the service address: whoever has it in its kernel answers."""
    settings = lab.settings
    mac = bytes.fromhex(settings.mac("m").replace(":", ""))
    header = b"\xff" * 6 + mac + struct.pack("!HHHBBH", _ETH_P_ARP, 1, 0x0800, 6, 4, _REQUEST)
    own, wanted = socket.inet_aton(settings.address("m")), socket.inet_aton(settings.service_address)
    request = header + mac + own + bytes(6) + wanted
    enough, failed = threading.Event(), list[OSError]()
    kind = socket.htons(_ETH_P_ARP)
    with network.open_socket(settings.namespace("m"), socket.AF_PACKET, socket.SOCK_RAW, kind) as line:
        line.bind(("eth0", 0))

        def ask() -> None:
            try:
                while not enough.wait(ASK_EVERY):
                    line.send(request)
            except OSError as error:
                failed.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            yield
        finally:
            enough.set()
            asking.join()
        if failed:
            raise failed[0]  # nobody asked for some of the time


@contextmanager
def stranger(lab: Lab) -> Iterator[str]:
    """A machine that has the service address, and its MAC."""
    place = [f"{lab.settings.service_address}/32", "dev", "eth0"]
    lab.sh("m", ["ip", "address", "add", *place])
    try:
        yield lab.settings.mac("m")
    finally:
        lab.sh("m", ["ip", "address", "del", *place])


@contextmanager
def broken_pbx(lab: Lab, host: str) -> Iterator[None]:
    """Nothing of the PBX runs or can be started; the agent lives."""
    lab.sh(host, ["chmod", "0", PBX])
    lab.sh(host, ["pkill", "-KILL", "-x", "asterisk"])
    try:
        yield
    finally:
        lab.sh(host, ["chmod", "755", PBX])


# --- one boot of a (F19) --------------------------------------------------------------------------


def peer_serves(scene: Scene) -> None:
    """B has the address and a running PBX."""
    with everybody_asks(scene.lab):
        begin = _boot_stale(scene)
        scene.assert_b_serves()
        _listen_on(scene, begin)


def only_its_agent_is_up(scene: Scene) -> None:
    """B holds the grant, and its PBX is broken: a has to keep away all the same."""
    scene.power("a", on=False)
    with broken_pbx(scene.lab, "b"):
        scene.wait_for_state("b", "active-failed")
        with everybody_asks(scene.lab):
            begin = _boot_stale(scene)
            scene.wait_for_state("a", "superseded")
            _listen_on(scene, begin)
    scene.assert_b_serves()


def a_stranger_has_the_address(scene: Scene) -> None:
    """B is off, and another machine answers: a is held, with its MAC, and goes on by itself when it has gone."""
    scene.power("b", on=False)
    with stranger(scene.lab) as mac:
        begin = _boot_stale(scene)
        scene.wait_for_state("a", "held")
        found = scene.administrator.status("a")["findings"]
        assert any(each["fields"].get("mac") == mac for each in found if each["code"] == "held-by-stranger")
        _listen_on(scene, begin)
    with everybody_asks(scene.lab):
        scene.wait_for_state("a", "checking")
        scene.boot("b")
        scene.assert_b_serves()
        _listen_on(scene, begin)


def nobody_is_there(scene: Scene) -> None:
    """B is off: a waits two minutes, then serves unverified; b comes later, and everything goes back to it."""
    scene.power("b", on=False)
    with everybody_asks(scene.lab):
        begin = _boot_stale(scene)
        scene.wait_for_state("a", "checking")
        scene.wait_for_state("a", "unverified", seconds=LONGEST_WAIT + switching.SOON_SECONDS)
        scene.assert_never_claimed("a", begin, begin + LONGEST_WAIT)
        assert switching.serves(scene.lab, "a")
        scene.boot("b")
        scene.assert_b_serves()
        _listen_on(scene, time.time())


BOOTS = {
    "peer serves": peer_serves,
    "only its agent is up": only_its_agent_is_up,
    "a stranger has the address": a_stranger_has_the_address,
    "nobody is there": nobody_is_there,
}


def _boot_stale(scene: Scene) -> float:
    scene.power("a", on=False)
    scene.forget_takeover()
    return scene.boot("a")


def _listen_on(scene: Scene, begin: float, seconds: float = 2.0) -> None:
    """So long from now, too, a must be silent about the address."""
    switching.wait_quietly(time.time() + seconds)
    scene.assert_never_claimed("a", begin)


# --- the address in a network file ----------------------------------------------------------------


def put_into_network_file(lab: Lab, host: str) -> str:
    """What a person does who wants to be helpful: the service address, by hand, where the own one stands."""
    own, service = f"{lab.settings.address(host)}/24", f"{lab.settings.service_address}/24"
    manager = lab.settings.manager_of(host)
    path = network_managers.file_of(manager)
    text = lab.read(host, path).decode()
    before, after = {
        "systemd-networkd": (f"Address={own}\n", f"Address={own}\nAddress={service}\n"),
        "ifupdown": (f"\taddress {own}\n", f"\taddress {own}\n\tup ip address add {service} dev eth0\n"),
        "networkmanager": ("method=manual", f"address2={service}\nmethod=manual"),
        "netplan": (f"        - {own}\n", f"        - {own}\n        - {service}\n"),
        "netplan-nm": (f"[{own}]", f"[{own}, {service}]"),
    }[manager]
    assert text.count(before) == 1
    lab.copy_in(host, path, text.replace(before, after))
    return path


def address_in_a_network_file(scene: Scene) -> None:
    """The service address was put back into a network file by hand: it is held back, and told."""
    path = put_into_network_file(scene.lab, "a")
    peer_serves(scene)
    found = scene.administrator.status("a")["findings"]
    told = [each for each in found if each["code"] == "service-address-held-back"]
    assert told, found
    assert path in str(told[0]["fields"])


# --- both boot (F20) ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Order:
    """How two appliances come back: seconds, and what the switch does meanwhile."""

    first: str = "a"
    gap: float = 0.0
    """From the first's power on to the other's."""
    dead: tuple[float, float] = (0.0, 0.0)
    """For so long from its power on the switch passes nothing of a, and of b."""
    carrier: bool = True
    """Whether the link is up meanwhile, as at a switch that learns its spanning tree."""


def both_boot(scene: Scene, order: Order) -> None:
    """Both lose their power and come back in this order.

    B, the holder of the higher epoch, must serve in the end, without a click; a claims the address only after
    two minutes in which b could not be heard.
    """
    for host in ("a", "b"):
        scene.power(host, on=False)
    scene.forget_takeover()
    deaf = dict(zip(("a", "b"), order.dead, strict=True))
    begin: dict[str, float] = {}
    with everybody_asks(scene.lab):
        boots = [(0.0, order.first, True), (order.gap, "b" if order.first == "a" else "a", True)]
        heard = [(at + deaf[host], host, False) for at, host, _ in boots if deaf[host]]
        start = time.time()
        for at, host, is_boot in sorted(boots + heard):
            switching.wait_quietly(start + at)
            if is_boot:
                begin[host] = scene.boot(host)
            if deaf[host]:
                set_forwarding(scene.lab, host, carrier=order.carrier, forwards=not is_boot)
        together = max(begin[host] + deaf[host] for host in begin)
        scene.assert_b_serves()
        # With carrier a counts from its boot, without from the first look with one.
        waiting = begin["a"] + (0 if order.carrier else deaf["a"])
        if together < waiting + LONGEST_WAIT - SLOWEST_BOOT:
            _listen_on(scene, begin["a"])
        else:
            scene.assert_never_claimed("a", begin["a"], waiting + LONGEST_WAIT)
            _listen_on(scene, time.time())


SLOWEST_BOOT = 20.0
"""Seconds from power on to an agent that answers, on a busy machine."""


def set_forwarding(lab: Lab, host: str, *, carrier: bool, forwards: bool) -> None:
    """A port as a slow switch's: without carrier, or with one and deaf, as before its spanning tree is done."""
    if carrier:
        state = "3" if forwards else "0"
        lab.sh("sw", ["bridge", "link", "set", "dev", network.port(host), "state", state])
    else:
        network.set_port(lab.settings, host, up=forwards)


TOGETHER = {
    "both at once": Order(),
    "a first": Order(first="a", gap=20),
    "b first": Order(first="b", gap=20),
    "b minutes later": Order(first="a", gap=150),
    "the switch is slower, no carrier": Order(gap=1, dead=(45, 45), carrier=False),
    "the switch is slower, carrier": Order(first="b", gap=1, dead=(45, 45)),
    "the switch hears b first": Order(dead=(60, 5)),
    "the switch hears a first": Order(dead=(5, 60)),
}
