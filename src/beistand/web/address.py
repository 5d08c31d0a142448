"""Where the pages listen: on the own address of this appliance, and nowhere else once there is one."""

import fcntl
import socket
import struct
from contextlib import suppress
from ipaddress import IPv4Interface
from pathlib import Path

from beistand.client import Client
from beistand.domain.errors import BeistandError
from beistand.protocol import GetStatus, Status

PORT = 8443
_SIOCGIFADDR = 0x8915  # netdevice(7)


def listening_address(remembered: Path) -> str:
    """Return the own address; before there is one, that of the default route; empty: all addresses.

    The last own address stands in the file `remembered`: while the agent is away, pages say so at the usual place.
    """
    try:
        with Client() as client:
            status = client.call(GetStatus(), Status)
    except BeistandError:
        return _last(remembered) or _default_route()
    if not status.own_address:
        return _default_route()
    own = str(IPv4Interface(status.own_address).ip)
    if own != _last(remembered):
        with suppress(OSError):  # a full disk: it is only for times without an agent
            remembered.write_text(own)
    return own


def names_of(address: str) -> tuple[str, ...]:
    """Return what a browser may call this machine: its host name, and the address that is listened on."""
    host = socket.gethostname()
    addresses = [address] if address else _all_addresses()
    # No full name: to ask DNS for it takes half a minute where the network is broken, which is when pages count.
    names = [host, *addresses, "localhost", "127.0.0.1"]
    return tuple(dict.fromkeys(each for each in names if _is_name(each)))


def _is_name(name: str) -> bool:
    """Tell whether it can stand in a certificate and in a Host header."""
    return bool(name) and name.isascii() and all(each.isalnum() or each in "-." for each in name)


def _last(remembered: Path) -> str:
    try:
        return remembered.read_text()
    except OSError:
        return ""


def _default_route() -> str:
    """Return the address that this machine speaks to others with, empty without a default route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket sends nothing: it only asks the kernel for the way.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def _all_addresses() -> list[str]:
    """Return the first IPv4 address of each interface."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(asking.fileno(), _SIOCGIFADDR, request)
            except OSError:
                continue  # it has none
            found.append(socket.inet_ntoa(answer[20:24]))
    return found
