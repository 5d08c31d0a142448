"""Places on this machine that name an address and could bring it: files of managers and tools, scripts, leases."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic

from beistand.domain.origin import Trace, TraceKind

LARGEST = 1 << 18
DEEPEST = 3
MOST = 4000
PLACES: tuple[tuple[TraceKind, str, tuple[str, ...]], ...] = (
    (TraceKind.FILE, "ifupdown", ("etc/network/interfaces", "etc/network/interfaces.d")),
    (TraceKind.FILE, "systemd-networkd", ("etc/systemd/network",)),
    (TraceKind.FILE, "NetworkManager", ("etc/NetworkManager/system-connections",)),
    (TraceKind.FILE, "netplan", ("etc/netplan",)),
    (TraceKind.FILE, "dhcpcd", ("etc/dhcpcd.conf",)),
    (TraceKind.FILE, "connman", ("var/lib/connman",)),
    (TraceKind.TOOL, "keepalived", ("etc/keepalived",)),
    (TraceKind.TOOL, "ucarp", ("etc/ucarp", "etc/default/ucarp")),
    (TraceKind.TOOL, "pacemakerd", ("var/lib/pacemaker/cib",)),
    (TraceKind.TOOL, "heartbeat", ("etc/ha.d",)),
    (TraceKind.TOOL, "zebra", ("etc/frr", "etc/quagga")),
    (
        TraceKind.SCRIPT,
        "",
        (
            "etc/rc.local",
            "etc/init.d",
            "etc/network",
            "etc/networkd-dispatcher",
            "usr/lib/networkd-dispatcher",
            "etc/NetworkManager/dispatcher.d",
            "etc/dhcp",
            "etc/systemd/system",
            "etc/udev/rules.d",
            "etc/ifplugd",
            "etc/crontab",
            "etc/cron.d",
            "etc/cron.hourly",
            "etc/cron.daily",
            "var/spool/cron",
            "usr/local/bin",
            "usr/local/sbin",
            "root",
        ),
    ),
    (TraceKind.LEASE, "dhclient", ("var/lib/dhcp",)),
    (TraceKind.LEASE, "systemd-networkd", ("run/systemd/netif/leases",)),
    (TraceKind.LEASE, "NetworkManager", ("var/lib/NetworkManager", "run/NetworkManager/devices")),
    (TraceKind.LEASE, "dhcpcd", ("var/lib/dhcpcd",)),
)
OURS = ("opt/beistand",)
COMMENTS = (b"#", b";", b"//", b"!")


def find_traces(root: Path, addresses: Sequence[str], seconds: float) -> tuple[Trace, ...]:
    """Return them in the order of `PLACES`, as many as can be found in so long."""
    end, left = monotonic() + seconds, MOST
    found: list[Trace] = []
    seen: set[str] = set()
    for kind, program, places in PLACES:
        if kind is TraceKind.TOOL and not _runs(root, program):
            continue
        for path in (each for place in places for each in _files(root / place, DEEPEST)):
            left -= 1
            if left < 0 or monotonic() > end:
                return tuple(found)
            name = str(path)
            if name in seen or any(path.is_relative_to(root / each) for each in OURS):
                continue
            seen.add(name)
            shown = "/" + str(path.relative_to(root))
            for address, line in _lines(path, addresses):
                found.append(Trace(kind=kind, address=address, path=shown, line=line, program=program))
    return tuple(found)


def _files(path: Path, depth: int) -> Iterator[Path]:
    """Yield the file, or those of the folder; hidden ones, and what cannot be read, are left out."""
    try:
        if not path.is_dir():
            if path.exists():
                yield path
            return
        names = sorted(os.listdir(path))
    except OSError:
        return
    for name in names:
        inner = path / name
        if name.startswith(".") or inner.is_symlink() or (depth == 0 and inner.is_dir()):
            continue
        yield from _files(inner, depth - 1)


def _lines(path: Path, addresses: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield (address, line) for the first line that names each of them."""
    body = _read(path)
    left = [each for each in addresses if each.encode() in body]
    if not left:
        return
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line.lstrip().startswith(COMMENTS) and not line.startswith(b"#!"):
            continue
        for each in [each for each in left if names(line, each.encode())]:
            left.remove(each)
            yield each, number


def names(line: bytes, address: bytes) -> bool:
    """Tell whether the line holds the address, and not a longer one that begins or ends like it."""
    at = line.find(address)
    while at >= 0:
        before, after = line[at - 1 : at] if at else b"", line[at + len(address) :]
        is_longer = after[:1].isdigit() or (after[:1] == b"." and after[1:2].isdigit())
        if not (before.isdigit() or before == b"." or is_longer):
            return True
        at = line.find(address, at + 1)
    return False


def _read(path: Path) -> bytes:
    """Return what is in a small regular file; empty for anything else. Nothing in it is understood."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return b""
    with open(handle, "rb") as file:
        told = os.fstat(handle)
        if not stat.S_ISREG(told.st_mode) or told.st_size > LARGEST:
            return b""
        try:
            return file.read(LARGEST)
        except OSError:
            return b""


def _runs(root: Path, program: str) -> bool:
    """Tell whether a process of this name lives."""
    for folder in (root / "proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text().strip() == program:
                return True
        except OSError:
            continue
    return False
