"""SIP as Beistand speaks it (port `SipProbe`): OPTIONS, and an end for connections of a dead PBX."""

import contextlib
import os
import socket
import struct
from collections.abc import Sequence
from time import monotonic

from beistand.adapters.signs import checksum

RETRANSMIT_SECONDS = 0.2
"""Shorter than T1 (RFC 3261 section 17.1.2): the PBX is one hop away, or about to start."""

SYN = 0x02


class UdpSipProbe:
    def options(self, own_ip: str, address: str, port: int, seconds: float) -> bool:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.bind((own_ip, 0))
                call = os.urandom(8).hex()
                request = _options(own_ip, udp.getsockname()[1], address, port, call)
                return _is_answered(udp, request, (address, port), call, seconds)
        except OSError:
            return False

    def end_dead_connections(self, address: str, port: int, peers: Sequence[tuple[str, int]]) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
            raw.bind((address, 0))
            for host, their_port in peers:
                # One phone that cannot be reached must not keep the others waiting for theirs.
                with contextlib.suppress(OSError):
                    raw.sendto(_syn(address, port, host, their_port), (host, 0))


def _is_answered(
    udp: socket.socket, request: bytes, target: tuple[str, int], call: str, seconds: float
) -> bool:
    end = monotonic() + seconds
    while (rest := end - monotonic()) > 0:
        udp.sendto(request, target)
        round_end = min(end, monotonic() + min(RETRANSMIT_SECONDS, rest))
        while (left := round_end - monotonic()) > 0:
            udp.settimeout(left)
            try:
                answer = udp.recv(65536)
            except TimeoutError:
                break
            # Told apart by Call-ID, not by source: a PBX on this machine answers from another address of it.
            if answer.startswith(b"SIP/2.0 ") and call.encode() in answer:
                return True
    return False


def _options(own_ip: str, own_port: int, address: str, port: int, call: str) -> bytes:
    return (
        f"OPTIONS sip:{address}:{port} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {own_ip}:{own_port};branch=z9hG4bK{call};rport\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <sip:beistand@{own_ip}>;tag={call}\r\n"
        f"To: <sip:{address}>\r\n"
        f"Call-ID: {call}@{own_ip}\r\n"
        "CSeq: 1 OPTIONS\r\n"
        f"Contact: <sip:beistand@{own_ip}:{own_port}>\r\n"
        "Accept: application/sdp\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


def _syn(source: str, source_port: int, target: str, target_port: int) -> bytes:
    sequence = int.from_bytes(os.urandom(4))
    head = struct.pack("!HHIIBBHHH", source_port, target_port, sequence, 0, 5 << 4, SYN, 1024, 0, 0)
    pseudo = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!BBH", 0, 6, len(head))
    return head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]
