"""Established TCP connections, read from the kernel's own table (port `EstablishedConnections`)."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from ipaddress import IPv4Address
from itertools import islice
from pathlib import Path

from beistand.domain.connections import MOST_CONNECTIONS, Connection

_TABLES = (Path("/proc/thread-self/net/tcp"), Path("/proc/thread-self/net/tcp6"))
"""A PBX that listens on `::` has its IPv4 connections in the second one (proc(5), ipv6(7): mapped addresses)."""
_ESTABLISHED = "01"
_MAPPED = "0000000000000000FFFF0000"
"""The first twelve bytes of ::ffff:0:0/96, in words of this machine's order."""


class KernelConnections:
    def established(self, addresses: Sequence[str]) -> tuple[Connection, ...]:
        wanted = {*addresses}
        found = (each for table in _TABLES for local, each in _rows(table) if local in wanted)
        return tuple(islice(found, MOST_CONNECTIONS))


def _rows(table: Path) -> Iterator[tuple[str, Connection]]:
    """Yield the local IPv4 address of each established connection, and the connection."""
    with suppress(OSError), table.open(encoding="ascii") as lines:  # no tcp6 where IPv6 is off
        next(lines, None)
        for line in lines:
            _, local, remote, state, *_ = line.split(maxsplit=4)
            if state != _ESTABLISHED:
                continue
            (address, port), (peer, peer_port) = _end(local), _end(remote)
            if address and peer:
                yield address, Connection(port=port, peer=peer, peer_port=peer_port)


def _end(text: str) -> tuple[str, int]:
    """Return address and port of `0100007F:13C4`; the address is empty where it is no IPv4 one."""
    words, _, port = text.partition(":")
    if len(words) == 32 and words.startswith(_MAPPED):
        words = words[24:]
    if len(words) != 8:
        return "", 0
    # A word in the machine's own order; every Debian appliance is little-endian.
    return str(IPv4Address(int.from_bytes(bytes.fromhex(words), "little"))), int(port, 16)
