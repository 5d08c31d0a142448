"""Sound as it passed the switch: RTP streams (RFC 3550), and whose tone is in them."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Iterable

from beistand_lab import tones
from beistand_lab.frames import IpPacket
from beistand_lab.settings import phone_with_port


@dataclasses.dataclass(frozen=True, kw_only=True)
class RtpStream:
    """One source's sound to one destination; `begin` and `end` are the times of its first and last packet."""

    source: str
    destination: str
    source_port: int
    destination_port: int
    payload_type: int
    begin: float
    end: float
    packets: int
    sound: bytes

    @property
    def from_phone(self) -> int | None:
        """The phone that speaks here, None when the PBX does. By port: the phones share a host."""
        return phone_with_port(self.source_port)

    @property
    def to_phone(self) -> int | None:
        """The phone that hears this, None when the PBX does."""
        return phone_with_port(self.destination_port)

    def seconds_of_tones(self) -> dict[int, float]:
        """For each phone, how many seconds of its tone are in this stream; all 0 for a codec that is not G.711."""
        decoder = tones.DECODERS.get(self.payload_type)
        if decoder is None:
            return dict.fromkeys(tones.TONES, 0.0)
        return tones.seconds_of_tones([decoder[code] for code in self.sound])


def rtp_streams(packets: Iterable[IpPacket]) -> list[RtpStream]:
    """The streams in these packets, in order of their begin; payload types 0 (PCMU), 3, 8 (PCMA) and 9."""
    streams: dict[tuple[str, int, str, int, bytes], list[IpPacket]] = {}
    for packet in packets:
        if _is_rtp(packet):
            ends = (packet.source, packet.source_port, packet.destination, packet.destination_port)
            streams.setdefault((*ends, packet.payload[8:12]), []).append(packet)
    return [_stream(found) for found in streams.values()]


def _is_rtp(packet: IpPacket) -> bool:
    if packet.protocol != socket.IPPROTO_UDP or min(packet.source_port, packet.destination_port) < 1024:
        return False
    payload = packet.payload
    return len(payload) > 12 and payload[0] >> 6 == 2 and payload[1] & 0x7F in (0, 3, 8, 9)


def _stream(packets: list[IpPacket]) -> RtpStream:
    first, last = packets[0], packets[-1]
    sound = b"".join(packet.payload[12 + 4 * (packet.payload[0] & 15) :] for packet in packets)
    return RtpStream(
        source=first.source,
        destination=first.destination,
        source_port=first.source_port,
        destination_port=first.destination_port,
        payload_type=first.payload[1] & 0x7F,
        begin=first.time,
        end=last.time,
        packets=len(packets),
        sound=sound,
    )
