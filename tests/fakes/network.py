"""A layer-2 segment in memory, and the ports of one machine on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from beistand.domain.connections import MOST_CONNECTIONS, Connection
from beistand.domain.errors import Failed
from beistand.domain.installation import Installation
from beistand.ports.clock import Clock
from beistand.ports.network import Answers, Tried

Effect = Callable[[Callable[[], object]], None]
"""Carries out a change; a crash test may cut it off before or after."""


def at_once(change: Callable[[], object]) -> None:
    change()


@dataclass
class Machine:
    """Somebody with a MAC on the segment: appliance, phone, router or stranger."""

    mac: str
    own_ip: str
    held: set[str] = field(default_factory=set)
    silenced: set[str] = field(default_factory=set)
    """Addresses that its kernel lets nothing out with."""
    is_up: bool = True
    has_carrier: bool = True
    open_ports: set[int] = field(default_factory=set)
    answers_sip: bool = False
    probing: str = ""
    """The address that it is probing for right now."""
    gateway: str = ""
    vlan: int = 0
    is_locked: bool = False
    """Its switch port drops announcements of any address but the own one."""
    contenders: dict[str, float] = field(default_factory=dict)
    """Seconds that others said they have been serving, by MAC."""
    tried: dict[str, int] = field(default_factory=dict)
    """Trials heard here without their announcement, by the MAC that sent them."""

    @property
    def heard(self) -> set[str]:
        """Of the addresses that it holds, those that its gate lets speak."""
        return self.held - self.silenced


@dataclass
class Segment:
    machines: list[Machine] = field(default_factory=list)
    frames: list[tuple[str, str, str]] = field(default_factory=list)
    """(sender MAC, sender address, target address) of every ARP frame that claims something."""
    cut: list[Machine] = field(default_factory=list)
    """Machines behind the broken cable."""

    def others(self, machine: Machine) -> list[Machine]:
        """Return who hears this machine."""
        return [each for each in self.machines if each is not machine and self.connects(machine, each)]

    def connects(self, one: Machine, other: Machine) -> bool:
        alive = one.is_up and other.is_up and one.has_carrier and other.has_carrier
        return alive and (one in self.cut) == (other in self.cut)

    def holder(self, asking: Machine, address: str) -> Machine | None:
        return next((e for e in self.others(asking) if address == e.own_ip or address in e.heard), None)


@dataclass
class FakeAddresses:
    machine: Machine
    effect: Effect = at_once
    interface: str = "eth0"

    def mac(self, interface: str) -> str:
        if interface != self.interface:
            raise Failed("interface-missing", interface=interface)
        return self.machine.mac

    def carrier(self, interface: str) -> bool:
        return self.machine.has_carrier and interface == self.interface

    def gateway(self) -> str:
        return self.machine.gateway

    def dns(self) -> tuple[str, ...]:
        return ()

    def is_static(self, interface: str, own_ip: str) -> bool:
        # A network manager takes the address away as long as the cable is out.
        return self.carrier(interface) and own_ip == self.machine.own_ip

    def has(self, interface: str, ip: str) -> bool:
        return self.is_static(interface, ip)

    def vlan(self, interface: str) -> int:
        return self.machine.vlan if interface == self.interface else 0

    def candidates(self) -> tuple[tuple[str, str], ...]:
        return ((f"{self.machine.own_ip}/24", self.interface),)

    def held(self, installation: Installation) -> tuple[str, ...]:
        wanted = {each.address for each in installation.service_addresses}
        return tuple(sorted(wanted & self.machine.held))

    def hold(self, installation: Installation) -> bool:
        missing = {each.address for each in installation.service_addresses} - self.machine.held
        if any(each.interface != self.interface for each in installation.service_addresses):
            raise Failed("interface-missing", interface=self.interface)
        for address in sorted(missing):
            self.effect(lambda address=address: self.machine.held.add(address))  # type: ignore[misc]
        return bool(missing)

    def drop(self, installation: Installation) -> bool:
        there = {each.address for each in installation.service_addresses} & self.machine.held
        for address in sorted(there):
            self.effect(lambda address=address: self.machine.held.discard(address))  # type: ignore[misc]
        return bool(there)


@dataclass
class FakeTimeServers:
    named: tuple[str, ...] = ()

    def list(self) -> tuple[str, ...]:
        return self.named


@dataclass
class FakeArp:
    segment: Segment
    machine: Machine
    clock: Clock | None = None

    def ask(
        self, interface: str, addresses: Sequence[str], seconds: float, *, as_nobody: bool = False
    ) -> Answers:
        self._need_carrier(interface)
        found = {each: self.segment.holder(self.machine, each) for each in addresses}
        if not as_nobody:
            # A kernel does not answer what seems to come from itself.
            own = self.machine.own_ip
            found = {each: it for each, it in found.items() if it is None or it.own_ip != own}
        return Answers(macs={address: holder.mac for address, holder in found.items() if holder})

    def fast_probe(self, interface: str, address: str, overlooked: str = "") -> str:
        self._need_carrier(interface)
        others = [each for each in self.segment.others(self.machine) if each.mac != overlooked]
        holders = [each.mac for each in others if address == each.own_ip or address in each.heard]
        return next(iter([*holders, *(each.mac for each in others if each.probing == address)]), "")

    def announce(self, interface: str, address: str) -> None:
        self._need_carrier(interface)
        if address not in self.machine.silenced:
            self.segment.frames.append((self.machine.mac, address, address))

    def tell(self, interface: str, address: str, targets: Sequence[str]) -> None:
        self._need_carrier(interface)
        if address in self.machine.silenced:
            return
        self.segment.frames += [(self.machine.mac, address, each) for each in targets]

    def reaches(self, interface: str, address: str, mac: str, seconds: float) -> bool:
        self._need_carrier(interface)
        holder = self.segment.holder(self.machine, address)
        return holder is not None and holder.mac == mac

    def holders(self, interface: str, addresses: Sequence[str], seconds: float) -> tuple[str, ...]:
        self._need_carrier(interface)
        others = self.segment.others(self.machine)
        return tuple(sorted(each.mac for each in others if {each.own_ip, *each.heard} & set(addresses)))

    def try_out(self, interface: str) -> None:
        self._need_carrier(interface)
        for each in self.segment.others(self.machine):
            lost = each.tried.get(self.machine.mac, 0) + 1 if self.machine.is_locked else 0
            each.tried[self.machine.mac] = lost

    def tried(self, interface: str, mac: str) -> Tried | None:
        self._need_carrier(interface)
        lost = self.machine.tried.get(mac.lower())
        return None if lost is None else Tried(seconds=0.0, lost=lost)

    def contend(self, interface: str, address: str, seconds: float) -> None:
        self._need_carrier(interface)
        for each in self.segment.others(self.machine):
            each.contenders[self.machine.mac] = float(int(seconds))

    def contended(self, interface: str, mac: str) -> float | None:
        self._need_carrier(interface)
        return self.machine.contenders.get(mac.lower())

    def rival(self, interface: str, addresses: Sequence[str], seconds: float) -> str:
        self._need_carrier(interface)
        found = [e.mac for e in self.segment.others(self.machine) if e.heard & set(addresses)]
        if not found and self.clock is not None:
            self.clock.advance(seconds)  # type: ignore[attr-defined]
        return next(iter(found), "")

    def _need_carrier(self, interface: str) -> None:
        if not self.machine.has_carrier:
            raise Failed("interface-down", interface=interface, why="Network is down")


@dataclass
class FakeSigns:
    segment: Segment
    machine: Machine

    def icmp(self, own_ip: str, address: str, seconds: float) -> bool:
        return self.segment.holder(self.machine, address) is not None

    def tcp(self, own_ip: str, address: str, port: int, seconds: float) -> bool:
        holder = self.segment.holder(self.machine, address)
        return holder is not None and port in holder.open_ports


@dataclass
class FakeConnections:
    """The connections of this machine, each with its local address."""

    rows: list[tuple[str, Connection]] = field(default_factory=list)

    def established(self, addresses: Sequence[str]) -> tuple[Connection, ...]:
        return tuple(each for local, each in self.rows if local in addresses)[:MOST_CONNECTIONS]


@dataclass
class FakeSip:
    segment: Segment
    machine: Machine
    ended: list[tuple[str, int, tuple[str, int]]] = field(default_factory=list)

    def options(self, own_ip: str, address: str, port: int, seconds: float) -> bool:
        if not self.machine.has_carrier:
            return False  # asked from the own address, which is gone for as long
        holder = self.machine if address in self.machine.held else self.segment.holder(self.machine, address)
        return holder is not None and holder.answers_sip

    def end_dead_connections(self, address: str, port: int, peers: Sequence[tuple[str, int]]) -> None:
        self.ended += [(address, port, each) for each in peers]
