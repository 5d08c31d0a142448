"""Addresses, ARP and signs of life."""

from collections.abc import Sequence
from typing import Protocol

from beistand.domain.connections import Connection
from beistand.domain.installation import Installation
from beistand.domain.value import Value


class Answers(Value, frozen=True, kw_only=True):
    """Who answered ARP requests: MAC by address."""

    macs: dict[str, str]


class Tried(Value, frozen=True, kw_only=True):
    """What was heard of another machine's `try_out`."""

    seconds: float
    """Since the last control frame."""
    lost: int
    """Control frames since the last one that came with its announcement."""


class Addresses(Protocol):
    """The machine's own interface, by netlink. Every call is idempotent."""

    def mac(self, interface: str) -> str: ...

    def carrier(self, interface: str) -> bool: ...

    def gateway(self) -> str:
        """Return the IPv4 default gateway, empty without one."""

    def dns(self) -> tuple[str, ...]: ...

    def is_static(self, interface: str, own_ip: str) -> bool:
        """Tell whether the own address stands on the interface without a lifetime (nobody leased it)."""

    def has(self, interface: str, ip: str) -> bool:
        """Tell whether this address stands on the interface, leased or not; False without such an interface."""

    def vlan(self, interface: str) -> int:
        """Return the VLAN of the interface (IEEE 802.1Q), 0 without a tag or without such an interface."""

    def candidates(self) -> tuple[tuple[str, str], ...]:
        """Return (static address with prefix length, interface) of what could be an own address: no /32, no `lo`."""

    def held(self, installation: Installation) -> tuple[str, ...]:
        """Return the service addresses that stand on this machine now."""

    def hold(self, installation: Installation) -> bool:
        """Add what is missing: /32 addresses, and `src` of the connected and default route.

        Return whether anything changed.

        While the interface of the own address has no address of its own, a service address stands on `lo`; a
        default route that somebody took away is stood in for by a last resort of a route, and put back as it was
        when nobody brings another one.

        promote_secondaries is set to 1 first (FIGURES section 5).
        Raises Failed `address-not-added`.
        """

    def drop(self, installation: Installation) -> bool:
        """Remove the service addresses, restore the routes' source. Return whether anything changed."""


class TimeServers(Protocol):
    def list(self) -> tuple[str, ...]:
        """Return the names or addresses of the time servers that are configured, in their order."""


class NetworkChanges(Protocol):
    def wait(self, seconds: float) -> bool:
        """Wait until a link, an IPv4 address or a route changed, at most so long; tell whether one did.

        What happened since the last call, or since the making, counts.
        """


class Arp(Protocol):
    """Raw ARP on the interface of the own address (RFC 826, RFC 5227)."""

    def ask(
        self, interface: str, addresses: Sequence[str], seconds: float, *, as_nobody: bool = False
    ) -> Answers:
        """Ask for all these addresses at once, from the own address; collect answers for so long.

        `as_nobody`: as an ARP probe, with sender 0.0.0.0 (RFC 5227). A machine that has our own address, too, answers
        that one only: no kernel answers what it seems to have asked itself. Where the own address is not on its
        interface, every question is such a probe.
        """

    def fast_probe(self, interface: str, address: str, overlooked: str = "") -> str:
        """Return the MAC that answers or itself probes for the address; empty: nobody.

        Of one that is overlooked nothing counts; whoever else there is, is heard all the same.

        Three ARP probes 0.2 s apart and 0.4 s of listening, with the simultaneous-probe rule of
        RFC 5227 section 2.1.1: another host's probe for the address counts as a conflict.
        """

    def announce(self, interface: str, address: str) -> None:
        """Send one gratuitous ARP request and one reply (RFC 5227 section 3)."""

    def tell(self, interface: str, address: str, targets: Sequence[str]) -> None:
        """Send one ordinary ARP request from the address to each target: caches learn from it at once."""

    def reaches(self, interface: str, address: str, mac: str, seconds: float) -> bool:
        """Tell whether the machine with this MAC answers for its address; asked from the own address.

        The question goes to it alone: it may be repeated for weeks and disturbs nobody else.
        """

    def holders(self, interface: str, addresses: Sequence[str], seconds: float) -> tuple[str, ...]:
        """Return the MACs of all other machines that answer for one of the addresses within so long, sorted."""

    def try_out(self, interface: str) -> None:
        """Send two broadcasts that harm nobody, for another machine that runs this, too, to hear.

        The announcement of an address that belongs to nobody (TEST-NET-2, RFC 5737), as a new holder of the service
        address sends one, and as control an ARP probe for the own address (RFC 5227 section 1.1).
        """

    def tried(self, interface: str, mac: str) -> Tried | None:
        """Return what was heard of the trials of this machine since the interface is listened to; None: nothing."""

    def contend(self, interface: str, address: str, seconds: float) -> None:
        """Tell whoever claims the address, too, for how long we have been serving: one frame that others overlook.

        An announcement whose field for the target's MAC, which RFC 5227 leaves open, holds the seconds.
        """

    def contended(self, interface: str, mac: str) -> float | None:
        """Return for how long this machine serves, as it told last by `contend`; None: it is none of ours."""

    def rival(self, interface: str, addresses: Sequence[str], seconds: float) -> str:
        """Return the MAC of another machine that uses one of the addresses; empty: none did for so long."""


class Signs(Protocol):
    """Signs of life of another machine; asked from the own address, each with its own time limit."""

    def icmp(self, own_ip: str, address: str, seconds: float) -> bool: ...

    def tcp(self, own_ip: str, address: str, port: int, seconds: float) -> bool: ...


class EstablishedConnections(Protocol):
    def established(self, addresses: Sequence[str]) -> tuple[Connection, ...]:
        """Return the established TCP connections of these addresses of this machine, MOST_CONNECTIONS at most.

        Both directions: those that phones made, and those that the telephone system made itself. Nothing where the
        kernel does not say.
        """


class SipProbe(Protocol):
    def options(self, own_ip: str, address: str, port: int, seconds: float) -> bool:
        """Tell whether an OPTIONS (RFC 3261 section 11) by UDP gets any answer in time; 401 counts."""

    def end_dead_connections(self, address: str, port: int, peers: Sequence[tuple[str, int]]) -> None:
        """Make phones notice that the TCP connections of the dead PBX are gone.

        One raw SYN inside each old four-tuple draws a challenge ACK (RFC 5961 section 4); this kernel,
        which knows no such connection, answers it with the RST that the phone believes.
        """
