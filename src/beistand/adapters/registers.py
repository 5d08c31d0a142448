"""REGISTERs on the wire, and the first of each held up by the kernel (port `Registers`).

A packet socket has a frame before the kernel's filter sees it: what is dropped there is heard here.
"""

import errno
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from ctypes import addressof, create_string_buffer
from ipaddress import IPv4Address
from time import monotonic

from beistand.adapters import commands
from beistand.domain.errors import Failed
from beistand.domain.make_way import LONGEST
from beistand.ports.registers import Ear, Seen

ETHERTYPE_IP = 0x0800
REGI = 0x52454749
"""The first four bytes of a REGISTER, and of nothing else that SIP knows."""
UDP_HEAD = 8
SO_ATTACH_FILTER = 26
TABLE = "beistand_registers"
MOST_PORTS = 16384
NFT_SECONDS = 5.0
_DELETE = f"table ip {TABLE}\ndelete table ip {TABLE}\n"
"""Also where there is none."""


class KernelRegisters:
    @contextmanager
    def listen(self, interface: str, addresses: Sequence[str], port: int) -> Iterator[Ear]:
        try:
            # Of no protocol until the filter stands: nothing else is ever queued.
            line = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        except OSError as error:
            raise _down(interface, error) from error
        with closing(line):
            try:
                _attach(line, port)
                line.bind((interface, ETHERTYPE_IP))
            except OSError as error:
                raise _down(interface, error) from error
            yield _PacketEar(line, interface, {socket.inet_aton(each) for each in addresses})

    def hold_up(self, hosts: Sequence[str], addresses: Sequence[str], port: int, seconds: int) -> None:
        if hosts:
            text = _DELETE + _table(hosts, addresses, port, seconds)
            commands.run(["nft", "-f", "-"], seconds=NFT_SECONDS, stdin=text)

    def let_pass(self) -> None:
        commands.run(["nft", "-f", "-"], seconds=NFT_SECONDS, stdin=_DELETE)


class _PacketEar:
    def __init__(self, line: socket.socket, interface: str, addresses: set[bytes]) -> None:
        self._line, self._interface, self._addresses = line, interface, addresses

    def next(self, seconds: float) -> Seen | None:
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            self._line.settimeout(left)
            try:
                packet, where = self._line.recvfrom(60 + UDP_HEAD + LONGEST)
            except TimeoutError:
                return None
            except OSError as error:
                if error.errno == errno.ENETDOWN:  # told once, and passes with the link
                    continue
                raise _down(self._interface, error) from error
            if where[2] != socket.PACKET_OUTGOING and packet[16:20] in self._addresses:
                return _seen(packet)
        return None


def _seen(packet: bytes) -> Seen:
    """Return what is in a packet that the filter let through."""
    at = (packet[0] & 0x0F) * 4
    (port,) = struct.unpack_from("!H", packet, at)
    return Seen(source=socket.inet_ntoa(packet[12:16]), port=port, datagram=packet[at + UDP_HEAD :])


def _attach(line: socket.socket, port: int) -> None:
    """Have the kernel keep everything else away from us (Linux, filter.rst)."""
    program = b"".join(
        struct.pack("HBBI", *each)
        for each in (
            (0x30, 0, 0, 9),  # ldb [9]: the protocol
            (0x15, 0, 8, socket.IPPROTO_UDP),
            (0x28, 0, 0, 6),  # ldh [6]: not the later fragments, which begin with anything
            (0x45, 6, 0, 0x1FFF),
            (0xB1, 0, 0, 0),  # ldxb 4*([0]&0xf): the head's length
            (0x48, 0, 0, 2),  # ldh [x+2]: the port
            (0x15, 0, 3, port),
            (0x40, 0, 0, UDP_HEAD),  # ld [x+8]
            (0x15, 0, 1, REGI),
            (0x06, 0, 0, 60 + UDP_HEAD + LONGEST),
            (0x06, 0, 0, 0),
        )
    )
    code = create_string_buffer(program)
    line.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program) // 8, addressof(code))
    )


def _table(hosts: Sequence[str], addresses: Sequence[str], port: int, seconds: int) -> str:
    """Return the rule. Hosts are forgotten with time: it ends by itself, whatever becomes of us.

    A full set takes no more, and the rule ends there, before the drop.
    """
    source, service = (", ".join(str(IPv4Address(each)) for each in group) for group in (hosts, addresses))
    return f"""table ip {TABLE} {{
    set hosts {{ type ipv4_addr; flags timeout; timeout {seconds}s; elements = {{ {source} }} }}
    set seen {{
        type ipv4_addr . inet_service; flags dynamic, timeout; timeout {seconds}s; size {MOST_PORTS}
    }}
    chain first {{
        type filter hook input priority mangle; policy accept;
        ip saddr @hosts ip daddr {{ {service} }} udp dport {port} @th,64,32 {REGI:#x} \
ip saddr . udp sport != @seen add @seen {{ ip saddr . udp sport }} drop
    }}
}}
"""


def _down(interface: str, error: OSError) -> Failed:
    return Failed("interface-down", interface=interface, why=error.strerror or str(error))
