"""What passed the switch, as values: Ethernet frames, IPv4 packets, claims by ARP."""

from __future__ import annotations

import dataclasses
import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple

# What a segment of bulk TCP costs on a wire beside its data: Ethernet 14, IPv4 20, TCP with timestamps 32.
_SEGMENT, _SEGMENT_HEADERS = 1448, 66


class Frame(NamedTuple):
    """One Ethernet frame; `length` is what passed the switch, `data` what was kept of it."""

    time: float
    data: bytes
    length: int

    @property
    def source(self) -> str:
        return self.data[6:12].hex(":")

    @property
    def destination(self) -> str:
        return self.data[0:6].hex(":")

    @property
    def kind(self) -> int:
        """The EtherType."""
        return int.from_bytes(self.data[12:14], "big")


class IpPacket(NamedTuple):
    """An IPv4 packet with its ports; `payload` is what TCP or UDP carries, as far as it was kept."""

    time: float
    source: str
    destination: str
    protocol: int
    source_port: int
    destination_port: int
    payload: bytes
    flags: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ArpClaim:
    """A frame that says "this address is mine": a reply, or a request with the address as its sender.

    `kind` is `announcement` (request, sender and target address equal), `request` (any other) or `reply`.
    """

    time: float
    mac: str
    ethernet_source: str
    kind: str


def arp_claims(frames: Iterable[Frame], address: str, after: float = 0) -> list[ArpClaim]:
    """Every ARP frame after a time that claims an address for its sender; probes (RFC 5227) claim nothing."""
    wanted = socket.inet_aton(address)
    claims = []
    for frame in frames:
        if frame.kind != 0x0806 or frame.time < after or frame.data[28:32] != wanted:
            continue
        if frame.data[20:22] == b"\x00\x02":
            kind = "reply"
        else:
            kind = "announcement" if frame.data[38:42] == wanted else "request"
        mac = frame.data[22:28].hex(":")
        claims.append(ArpClaim(time=frame.time, mac=mac, ethernet_source=frame.source, kind=kind))
    return claims


def bytes_between(frames: Iterable[Frame], one: str, other: str, begin: float = 0, end: float = 9e9) -> int:
    """Bytes of all frames that two MAC addresses sent to each other.

    A veth pair hands over large TCP frames unsegmented: what their segments' headers would add is added.
    """
    total = 0
    for frame in frames:
        if begin <= frame.time <= end and {frame.source, frame.destination} == {one, other}:
            extra = max(0, frame.length - _SEGMENT_HEADERS - 1) // _SEGMENT
            total += frame.length + extra * _SEGMENT_HEADERS
    return total


def ip_packet(frame: Frame) -> IpPacket | None:
    """The IPv4 packet in a frame, None where there is no TCP or UDP in it."""
    data = frame.data
    if frame.kind != 0x0800 or len(data) < 42:
        return None
    start = 14 + (data[14] & 15) * 4
    protocol = data[23]
    if protocol == socket.IPPROTO_UDP:
        body, flags = start + 8, 0
    elif protocol == socket.IPPROTO_TCP and len(data) >= start + 20:
        body, flags = start + (data[start + 12] >> 4) * 4, data[start + 13]
    else:
        return None
    end = 14 + int.from_bytes(data[16:18], "big")
    ports = struct.unpack_from("!HH", data, start)
    return IpPacket(
        time=frame.time,
        source=socket.inet_ntoa(data[26:30]),
        destination=socket.inet_ntoa(data[30:34]),
        protocol=protocol,
        source_port=ports[0],
        destination_port=ports[1],
        payload=data[body : end if end > 14 else None],
        flags=flags,
    )


def ip_packets(frames: Iterable[Frame], begin: float = 0, end: float = 9e9) -> list[IpPacket]:
    found = (ip_packet(frame) for frame in frames if begin <= frame.time <= end)
    return [packet for packet in found if packet is not None]
