"""Network files: what gives an interface its addresses when the machine boots, as plain values."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface

import msgspec

from beistand.domain.errors import Refused
from beistand.domain.value import Value

MARK = b"\xef\xbb\xbf"
"""Byte order mark of UTF-8: networkd and netplan pass over it."""
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
    unread: str = ""
    """Why it could not be read; empty: it was. Its body is empty then."""

    @property
    def text(self) -> str:
        """The content; bytes that are no UTF-8 survive the way through it and back. A byte order mark is none."""
        return self.body.removeprefix(MARK).decode("utf-8", "surrogateescape")

    @property
    def shown(self) -> str:
        """The path as people are told it: a name may hold bytes that are no text."""
        return plain(self.path)

    def with_text(self, text: str) -> NetworkFile:
        """Return the file with this content, and with the byte order mark that it had."""
        mark = MARK if self.body.startswith(MARK) else b""
        return msgspec.structs.replace(self, body=mark + text.encode("utf-8", "surrogateescape"))


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


class Doubt(Value, frozen=True, kw_only=True):
    """What a manager may take and we cannot read, or a place that we can read and cannot change."""

    line: int
    what: str
    """What stands there, or why the whole file cannot be read."""
    text: str = ""
    """All of what is in doubt: whoever looks for an address looks here."""
    interface: str = ""
    """Whose address it is that cannot be read; empty for a line that is no address."""
    is_whole: bool = False
    """Nothing in the file can be read, for this reason."""


class Reading(Value, frozen=True, kw_only=True):
    """What a file says: what is understood, and beside it what is not. One never hides the other."""

    configured: tuple[Configured, ...] = ()
    doubts: tuple[Doubt, ...] = ()


class Edit(Value, frozen=True, kw_only=True):
    """A text changed wherever that was possible."""

    text: str
    left: tuple[Doubt, ...] = ()
    """Places that are understood and could not be changed."""


class Named(Value, frozen=True, kw_only=True):
    """A place in a network file that brings an address we asked for."""

    path: str
    """As people are told it."""
    line: int
    manager: Manager
    interface: str
    address: str
    """Without prefix length, as it was asked for."""
    is_understood: bool = True
    """False: the address stands there in a way that cannot be read; it has to be taken for the worst."""
    what: str = ""
    """What is not understood there."""


class NotUnderstood(Refused):
    """A line of a network file says something that cannot be read with certainty."""

    def __init__(self, path: str, line: int, what: str) -> None:
        super().__init__("network-file-not-understood", path=plain(path), line=line, what=what)
        self.line = line


class NamesAddress(Refused):
    """A line that brings no address names the one that moves: what should become of it, a person decides."""

    def __init__(self, path: str, line: int, what: str, address: str) -> None:
        super().__init__(
            "network-file-names-address", path=plain(path), line=line, what=what, address=address
        )
        self.line = line


class Unclear(Exception):
    """Of the formats, which know no path: becomes NotUnderstood."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")
        self.line, self.what = line, shown(what)


def shown(text: str) -> str:
    """Return the beginning of what stands in a file, for a sentence about it."""
    return plain(" ".join(text[:400].replace("\0", " ").split())[:80])


def plain(text: str) -> str:
    """Return it with a question mark for each sign that no terminal and no message takes."""
    return "".join(each if each.isprintable() else "?" for each in text)


def with_prefix(ip: str, length: str) -> str:
    """Return the address as Configured has it. Raises ValueError for what is no IPv4 address or prefix length."""
    if not length:
        return str(IPv4Address(ip))
    interface = IPv4Interface(f"{IPv4Address(ip)}/{length}")
    return f"{interface.ip}/{interface.network.prefixlen}"


def is_length(said: str | None) -> bool:
    """Tell whether this is the prefix length of an IPv4 network in digits."""
    return bool(said) and said is not None and len(said) < 10 and said.isdigit() and int(said) <= 32
