"""Network files: what gives an interface its addresses when the machine boots, as plain values."""

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface

from beistand.domain.errors import Refused
from beistand.domain.value import Value

ANY = "0.0.0.0"  # noqa: S104  nothing is bound to it: it stands in files for "no address"


class Manager(StrEnum):
    """Who reads the file and configures the interface."""

    NETWORKD = "systemd-networkd"
    IFUPDOWN = "ifupdown"
    NETWORK_MANAGER = "NetworkManager"
    NETPLAN = "netplan"


class NetworkFile(Value, frozen=True, kw_only=True):
    """One file as it is on disk."""

    path: str
    manager: Manager
    body: bytes
    mode: int = 0o644
    """Permission bits."""
    uid: int = 0
    gid: int = 0
    interface: str = ""
    """Of the file that a drop-in belongs to: it names none itself."""
    is_generated: bool = False
    """Made from another file at every boot: netplan's, in /run."""

    @property
    def text(self) -> str:
        """The content; bytes that are no UTF-8 survive the way through it and back."""
        return self.body.decode("utf-8", "surrogateescape")


class Configured(Value, frozen=True, kw_only=True):
    """An IPv4 address that a file gives to an interface."""

    address: str
    """With the prefix length as the file says it, `192.0.2.1/24`; without one where it says none."""
    interface: str
    """As the file says it: a name, a pattern, a MAC; `*` for any."""
    line: int
    """Counted from 1."""

    @property
    def ip(self) -> str:
        return self.address.partition("/")[0]


class Named(Value, frozen=True, kw_only=True):
    """A place in a network file that brings an address we asked for."""

    path: str
    line: int
    manager: Manager
    interface: str
    address: str
    """Without prefix length, as it was asked for."""
    is_understood: bool = True
    """False: the address stands there in a way that cannot be read; it has to be taken for the worst."""


class NotUnderstood(Refused):
    """A line of a network file says something that cannot be read with certainty."""

    def __init__(self, path: str, unclear: "Unclear") -> None:
        super().__init__("network-file-not-understood", path=path, line=unclear.line, what=unclear.what)
        self.line = unclear.line


class Unclear(Exception):
    """Of the formats, which know no path: becomes NotUnderstood."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")
        self.line, self.what = line, what.strip()[:80]


def with_prefix(ip: str, length: str) -> str:
    """Return the address as Configured has it. Raises ValueError for what is no IPv4 address or prefix length."""
    if not length:
        return str(IPv4Address(ip))
    interface = IPv4Interface(f"{IPv4Address(ip)}/{length}")
    return f"{interface.ip}/{interface.network.prefixlen}"
