"""TCP connections of the active, as the standby is told them: what to end when the active is dead (B8)."""

import struct
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Interface
from typing import Annotated

import msgspec

from beistand.domain.installation import Installation
from beistand.domain.phones import Contact, phones
from beistand.domain.value import Value

MOST_CONNECTIONS = 2000
"""So many are told and ended. A telephone system for 1,000 phones has half as many."""
PACKETS = 3
"""Of each that is ended: a SYN, the phone's challenge ACK, our RST."""

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Connection(Value, frozen=True, kw_only=True):
    """One established connection of a service address."""

    port: Port
    """Of the service address."""
    peer: str
    """IPv4 address of the phone, or of the provider."""
    peer_port: Port


_ONE = struct.Struct("!H4sH")
Packed = Annotated[bytes, msgspec.Meta(max_length=MOST_CONNECTIONS * _ONE.size)]
"""Connections as they travel: port, IPv4 address and port of the other end, eight bytes each, in network order."""


class Carried(Value, frozen=True, kw_only=True):
    """What the active said last about its connections."""

    pair: str
    epoch: int
    """In which the active had them. Not a generation: they belong to the machine that dies, whatever data is served."""
    connections: Packed


def packed(connections: Iterable[Connection]) -> bytes:
    """Return these connections, MOST_CONNECTIONS at most, as they travel: a thousand weigh 11 KB in a frame."""
    rows = (_ONE.pack(each.port, IPv4Address(each.peer).packed, each.peer_port) for each in connections)
    return b"".join(rows)[: MOST_CONNECTIONS * _ONE.size]


def unpacked(connections: bytes) -> tuple[Connection, ...]:
    """Return the connections of what arrived; a port 0, or bytes that are left over, are none."""
    whole = connections[: len(connections) // _ONE.size * _ONE.size]
    return tuple(
        Connection(port=port, peer=str(IPv4Address(address)), peer_port=peer_port)
        for port, address, peer_port in _ONE.iter_unpack(whole)
        if port and peer_port
    )


def acceptable(connections: Iterable[Connection], installation: Installation) -> tuple[Connection, ...]:
    """Return those that a packet may be sent for, each once and sorted: what arrives is not believed."""
    own = {installation.own_ip, *(each.address for each in installation.service_addresses)}
    network = IPv4Interface(installation.own_address).network
    everybody = {str(network.broadcast_address), str(network.network_address)}
    found = {each for each in connections if _is_host(each.peer) and each.peer not in own | everybody}
    return tuple(sorted(found, key=lambda each: (each.port, each.peer, each.peer_port)))[:MOST_CONNECTIONS]


def dead_connections(
    carried: Iterable[Connection], contacts: Iterable[Contact], ports: Iterable[int]
) -> tuple[Connection, ...]:
    """Return what to end, phones before all others.

    A phone of which no connection was told may have connected since: the port of its contact, and each of the
    telephone system's, is then tried.
    """
    told, connected = tuple(carried), [each for each in phones(contacts) if each.is_connected]
    addresses, known = {each.address for each in connected}, {each.peer for each in told}
    guessed = [
        Connection(port=port, peer=each.address, peer_port=each.port)
        for each in connected
        if each.address not in known and 0 < each.port < 65536
        for port in ports
    ]
    of_phones = [each for each in told if each.peer in addresses]
    others = [each for each in told if each.peer not in addresses]
    return tuple(dict.fromkeys([*of_phones, *guessed, *others]))[: 2 * MOST_CONNECTIONS]


def _is_host(text: str) -> bool:
    address = IPv4Address(text)
    return not (address.is_multicast or address.is_loopback or address.is_unspecified or address.is_reserved)
