"""The system calls that change or may change something outside of a process, and how to tell them apart."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

_OPEN_FOR_CHANGE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_ARM = platform.machine() == "aarch64"

# Name: number on x86-64, number on arm64 (-1: there is none), and what its arguments name, in their order:
# d a folder's descriptor, p a path in it (or alone), f a descriptor, o flags of open(2), - something else.
_TABLE: dict[str, tuple[int, int, str]] = {
    "write": (1, 64, "f"),
    "open": (2, -1, "po"),
    "pwrite64": (18, 68, "f"),
    "writev": (20, 66, "f"),
    "sendfile": (40, 71, "f"),
    "sendto": (44, 206, "f"),
    "sendmsg": (46, 211, "f"),
    "fork": (57, -1, ""),
    "vfork": (58, -1, ""),
    "execve": (59, 221, "p"),
    "kill": (62, 129, ""),
    "fsync": (74, 82, "f"),
    "fdatasync": (75, 83, "f"),
    "truncate": (76, 45, "p"),
    "ftruncate": (77, 46, "f"),
    "rename": (82, -1, "pp"),
    "mkdir": (83, -1, "p"),
    "rmdir": (84, -1, "p"),
    "creat": (85, -1, "p"),
    "link": (86, -1, "pp"),
    "unlink": (87, -1, "p"),
    "symlink": (88, -1, "-p"),
    "chmod": (90, -1, "p"),
    "fchmod": (91, 52, "f"),
    "chown": (92, -1, "p"),
    "fchown": (93, 55, "f"),
    "lchown": (94, -1, "p"),
    "mknod": (133, -1, "p"),
    "sync": (162, 81, ""),
    "mount": (165, 40, "pp"),
    "setxattr": (188, 5, "p"),
    "fsetxattr": (190, 7, "f"),
    "tgkill": (234, 131, ""),
    "openat": (257, 56, "dpo"),
    "mkdirat": (258, 34, "dp"),
    "mknodat": (259, 33, "dp"),
    "fchownat": (260, 54, "dp"),
    "unlinkat": (263, 35, "dp"),
    "renameat": (264, 38, "dpdp"),
    "linkat": (265, 37, "dpdp"),
    "symlinkat": (266, 36, "-dp"),
    "fchmodat": (268, 53, "dp"),
    "utimensat": (280, 88, "dp"),
    "fallocate": (285, 47, "f"),
    "pwritev": (296, 70, "f"),
    "syncfs": (306, 267, "f"),
    "sendmmsg": (307, 269, "f"),
    "renameat2": (316, 276, "dpdp"),
    "copy_file_range": (326, 285, "f-f"),
    "openat2": (437, 437, "dp"),
}
_BY_NUMBER = {
    number: (name, shape)
    for name, (intel, arm, shape) in _TABLE.items()
    if (number := arm if _ARM else intel) >= 0
}
_AT_FDCWD = -100
_LONGEST_PATH = 4096

# What differs between two runs of the same operation: ids of generations, digests, names of mkstemp(3).
_VARYING = (
    (re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9]+(\.[0-9]+)?"), "GENERATION"),
    (re.compile(r"[0-9a-f]{64}"), "DIGEST"),
    (re.compile(r"/(\.[^/]+[.-]|tmp)[a-z0-9_]{8}(?=/|$)"), r"/\1RANDOM"),
    (re.compile(r"\[[0-9]+\]"), ""),
)


@dataclass(frozen=True)
class Point:
    """A place in an operation: the n-th system call of this kind, with this on which it acts, since its begin."""

    call: str
    """Name and what it acts on, without what differs between two runs."""
    number: int

    def __str__(self) -> str:
        return f"{self.call} #{self.number}"


@dataclass(frozen=True)
class Seen:
    """A call that a thread is about to make."""

    name: str
    paths: tuple[str, ...]
    flags: int
    """Of open(2); 0 for other calls."""


def seen(pid: int, number: int, arguments: tuple[int, ...], *, everything: bool = False) -> Seen | None:
    """Return the call of a stopped thread; None where it changes nothing (unless `everything`)."""
    name, shape = _BY_NUMBER.get(number, (f"call-{number}", ""))
    if number not in _BY_NUMBER and not everything:
        return None
    words, folder, flags = [], "", 0
    for kind, value in zip(shape, arguments, strict=False):
        if kind == "o":
            flags = value & 0xFFFFFFFF
            if not flags & _OPEN_FOR_CHANGE and not everything:
                return None
        elif kind == "d":
            folder = _descriptor(pid, value)
        elif kind == "f":
            words.append(_descriptor(pid, value))
        elif kind == "p":
            words.append(os.path.join(folder, _text(pid, value)))
            folder = ""
    return Seen(name, tuple(words), flags)


def described(pid: int, number: int, arguments: tuple[int, ...], *, everything: bool = False) -> str:
    """Return the call of a stopped thread in words; empty where it changes nothing (unless `everything`)."""
    call = seen(pid, number, arguments, everything=everything)
    return in_words(call) if call else ""


def in_words(call: Seen) -> str:
    """Return the name and what it acts on, without what differs between two runs."""
    words = [call.name, *call.paths]
    for pattern, instead in _VARYING:
        words = [pattern.sub(instead, word) for word in words]
    return " ".join(words)


def _descriptor(pid: int, value: int) -> str:
    handle = value & 0xFFFFFFFF
    if handle == _AT_FDCWD & 0xFFFFFFFF:
        return ""
    try:
        name = os.readlink(f"/proc/{pid}/fd/{handle}")
    except OSError:
        return "closed"
    inode = name[8:-1] if name.startswith("socket:[") else ""
    return _socket(pid, inode) if inode else name.removesuffix(" (deleted)")


def _socket(pid: int, inode: str) -> str:
    """Return the family of a socket, with the path of a Unix one (proc_net(5))."""
    for family in ("unix", "netlink", "packet", "udp", "tcp", "icmp", "raw"):
        try:
            lines = Path(f"/proc/{pid}/net/{family}").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if inode in fields:
                is_named = family == "unix" and fields[-1].startswith("/")
                return f"{family}:{fields[-1]}" if is_named else family
    return "socket"


def _text(pid: int, address: int) -> str:
    if address == 0:
        return ""
    try:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            # Not beyond the page: what follows may not be mapped.
            memory.seek(address)
            text = memory.read(min(_LONGEST_PATH, 4096 - address % 4096))
            if b"\0" not in text:
                text += memory.read(_LONGEST_PATH)
    except (OSError, OverflowError):
        return "?"
    return text.partition(b"\0")[0].decode(errors="backslashreplace")
