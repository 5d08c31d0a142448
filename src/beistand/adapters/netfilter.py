"""nf_tables over netlink: what stands there, who changes it, and taking a table away.

Writing rules is left to `nft`, which knows their language. This needs no program: it is asked at every turn, and it
opens the gate between the grant and its first frame (linux/netfilter/nf_tables.h).
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from select import select

NETLINK_NETFILTER = 12
NFT_SUBSYSTEM = 10
GROUP = 7
"""NFNLGRP_NFTABLES: every change of any rule, with one NEWGEN behind each transaction."""
SOL_NETLINK, ADD_MEMBERSHIP = 270, 1
GETTABLE, DELTABLE, GETCHAIN, GETRULE, NEWGEN, GETGEN = 1, 2, 4, 7, 15, 16
BATCH_BEGIN, BATCH_END = 16, 17
REQUEST, ACK, INTERRUPTED, DUMP = 0x1, 0x4, 0x10, 0x300
ERROR, DONE = 2, 3
HEAD, NFGEN, ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BBH"), struct.Struct("=HH")
FAMILIES = {"inet": 1, "arp": 3, "netdev": 5}
MISSING = frozenset({errno.EPROTONOSUPPORT, errno.EOPNOTSUPP, errno.EAFNOSUPPORT, errno.EINVAL})
"""What a kernel without nf_tables answers: then nothing of it can stand there, either."""
SECONDS = 2.0
TRIES = 5
RECEIVE = 1 << 17
VOLATILE = {
    GETTABLE: frozenset({3, 4, 5}),  # use, handle, padding
    GETCHAIN: frozenset({2, 6, 8}),  # handle, use, counters
    GETRULE: frozenset({3, 6, 8}),  # handle, position, padding
}
"""Attributes that differ between two tables that do the same."""


def generation() -> int:
    """Return the number of the rules as they are: it goes up by one with each transaction. Raise OSError."""
    (reply,) = _ask(GETGEN, 0, {})
    return int(struct.unpack("!I", dict(_attributes(reply))[1])[0])


def families_of(table: str) -> frozenset[str]:
    """Return the families in which there is a table of this name. Raise OSError."""
    names = {number: name for name, number in FAMILIES.items()}
    found = set()
    for reply in _ask(GETTABLE, DUMP, {}):
        if _text(dict(_attributes(reply)).get(1, b"")) == table and reply[0] in names:
            found.add(names[reply[0]])
    return frozenset(found)


def delete(table: str, families: Sequence[str]) -> None:
    """Take these tables away, all in one transaction. Raise OSError; ENOENT where one is gone already."""
    messages = [_message(BATCH_BEGIN, REQUEST, 0, NFT_SUBSYSTEM, {})]
    messages += [
        _message(NFT_SUBSYSTEM << 8 | DELTABLE, REQUEST | ACK, FAMILIES[each], 0, {1: _name(table)})
        for each in families
    ]
    messages.append(_message(BATCH_END, REQUEST, 0, NFT_SUBSYSTEM, {}))
    with closing(_open()) as line:
        line.send(b"".join(messages))
        for _ in families:
            for kind, _, body in _messages(line.recv(RECEIVE)):
                if kind == ERROR:
                    _raise(body)


def picture(table: str, families: Sequence[str]) -> bytes:
    """Return what the kernel has of this table, in bytes that are equal as long as it does the same.

    Raise OSError; a part that is gone is missing in it.
    """
    parts: list[bytes] = []
    for family in families:
        number = FAMILIES[family]
        for kind, given in ((GETTABLE, {}), (GETCHAIN, {}), (GETRULE, {1: _name(table)})):
            parts += _of(table, kind, _ask(kind, DUMP, given, number))
    return b"\0".join(parts)


class NetfilterChanges:
    """Changes of the rules, as the kernel tells them (port `RuleChanges`). For one thread.

    It listens from its making on: nothing between two waits is missed.
    """

    def __init__(self) -> None:
        self._line: socket.socket | None = None
        try:
            self._line = _open()
            self._line.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, GROUP)
        except OSError:
            self.close()  # a kernel without it changes nothing, either

    def wait(self, seconds: float) -> str | None:
        if self._line is None:
            select([], [], [], seconds)
            return None
        self._line.settimeout(seconds)
        program = self._read(self._line)
        # What came in one burst is one change.
        self._line.setblocking(False)
        found = program
        while found is not None:
            program, found = found or program, self._read(self._line)
        return program

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    @staticmethod
    def _read(line: socket.socket) -> str | None:
        """Return who changed something, "" where that is not said; None: nothing came."""
        try:
            raw = line.recv(RECEIVE)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError as error:
            # Too much happened at once for the queue: then something surely changed.
            if error.errno != errno.ENOBUFS:
                raise
            return ""
        said = [
            dict(_attributes(body)).get(3, b"") for kind, _, body in _messages(raw) if kind & 0xFF == NEWGEN
        ]
        return _text(said[-1]) if said else ""


def _of(table: str, kind: int, replies: list[bytes]) -> Iterator[bytes]:
    """Return of each reply about this table what does not differ from load to load."""
    for reply in replies:
        found = list(_attributes(reply))
        if _text(dict(found).get(1, b"")) == table:
            kept = [struct.pack("=H", name) + body for name, body in found if name not in VOLATILE[kind]]
            yield reply[:1] + b"".join(kept)


def _ask(kind: int, flags: int, given: dict[int, bytes], family: int = 0) -> list[bytes]:
    """Return the bodies of all replies to one question; asked again where the rules changed in the middle."""
    for _ in range(TRIES):
        found, is_whole = _ask_once(kind, flags, given, family)
        if is_whole:
            return found
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def _ask_once(kind: int, flags: int, given: dict[int, bytes], family: int) -> tuple[list[bytes], bool]:
    is_whole = True
    with closing(_open()) as line:
        line.send(_message(NFT_SUBSYSTEM << 8 | kind, REQUEST | flags, family, 0, given))
        found: list[bytes] = []
        while True:
            for answer, answered, body in _messages(line.recv(RECEIVE)):
                if answer == ERROR:
                    _raise(body)
                is_whole &= not answered & INTERRUPTED
                if answer in {ERROR, DONE}:
                    return found, is_whole
                found.append(body)
            if not flags & DUMP and found:
                return found, is_whole


def _open() -> socket.socket:
    line = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    line.settimeout(SECONDS)
    line.bind((0, 0))
    return line


def _message(kind: int, flags: int, family: int, resource: int, given: dict[int, bytes]) -> bytes:
    body = NFGEN.pack(family, 0, socket.htons(resource))
    for name, value in given.items():
        body += (ATTRIBUTE.pack(ATTRIBUTE.size + len(value), name) + value).ljust(
            ATTRIBUTE.size + _padded(len(value)), b"\0"
        )
    return HEAD.pack(HEAD.size + len(body), kind, flags, 1, 0) + body


def _messages(raw: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (type, flags, body) of each."""
    while len(raw) >= HEAD.size:
        length, kind, flags, *_ = HEAD.unpack_from(raw)
        if length < HEAD.size:
            return
        yield kind, flags, raw[HEAD.size : length]
        raw = raw[_padded(length) :]


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    raw = body[NFGEN.size :]
    while len(raw) >= ATTRIBUTE.size:
        length, name = ATTRIBUTE.unpack_from(raw)
        if length < ATTRIBUTE.size:
            return
        yield name & 0x3FFF, raw[ATTRIBUTE.size : length]
        raw = raw[_padded(length) :]


def _padded(length: int) -> int:
    return length + 3 & ~3


def _raise(body: bytes) -> None:
    (code,) = struct.unpack_from("=i", body)
    if code:
        raise OSError(-code, os.strerror(-code))


def _name(text: str) -> bytes:
    return text.encode() + b"\0"


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("utf-8", "replace")
