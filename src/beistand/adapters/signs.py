"""Signs of life by ICMP and TCP, asked from the own address (port `Signs`)."""

import os
import socket
import struct
from time import monotonic

ECHO_REQUEST, ECHO_REPLY = 8, 0


class NetworkSigns:
    """A question that cannot even be sent is a silence: the ARP witnesses tell whether that means anything."""

    def icmp(self, own_ip: str, address: str, seconds: float) -> bool:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
                raw.bind((own_ip, 0))
                return _ping(raw, address, seconds)
        except OSError:
            return False

    def tcp(self, own_ip: str, address: str, port: int, seconds: float) -> bool:
        try:
            with socket.create_connection((address, port), timeout=seconds, source_address=(own_ip, 0)):
                return True
        except OSError:
            return False


def _ping(raw: socket.socket, address: str, seconds: float) -> bool:
    # A random payload tells our answer from those to other programs' requests: a raw socket hears them all.
    token = os.urandom(8)
    request = struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, os.getpid() & 0xFFFF, 1) + token
    request = request[:2] + struct.pack("!H", checksum(request)) + request[4:]
    raw.sendto(request, (address, 0))
    end = monotonic() + seconds
    while (rest := end - monotonic()) > 0:
        raw.settimeout(rest)
        packet, (source, _) = raw.recvfrom(2048)
        body = packet[(packet[0] & 15) * 4 :]
        if source == address and body[:1] == bytes([ECHO_REPLY]) and body[8:] == token:
            return True
    return False


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
