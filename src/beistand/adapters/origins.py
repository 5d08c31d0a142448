"""Who brings addresses here: the kernel's news, the process behind them, and files that name them (port `Origins`)."""

import os
import socket
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic

from pyroute2 import IPRoute

from beistand.adapters.address_traces import find_traces
from beistand.domain.origin import Arrival, Trace

HEAD, ADDRESS, ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BBBBI"), struct.Struct("=HH")
NEW_ADDRESS, LOCAL, CACHE_INFO = 20, 2, 6
FOREVER = 0xFFFFFFFF
PID_BITS = 0x3FFFFF
"""Of the port of a netlink socket that libnl made; the bits above count the sockets of the process."""
REMEMBERED = 64
RECENT_SECONDS = 60.0
ANCESTORS = 4
LONGEST_COMMAND = 120
TRACE_SECONDS = 1.0


class KernelOrigins:
    """`hear` gets what the kernel told; it is called where nothing may take long."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._heard: deque[tuple[float, Arrival]] = deque(maxlen=REMEMBERED)

    def hear(self, raw: bytes) -> None:
        """Look at who adds an address while it may still be there; our own are nobody's news."""
        for port, address, index, is_leased in _new_addresses(raw):
            process = port if port <= PID_BITS else port & PID_BITS
            if process in {0, os.getpid()}:
                continue
            arrival = Arrival(
                address=address,
                interface=_name(index),
                is_leased=is_leased,
                program=_read(process, "comm"),
                commands=tuple(_commands(process)),
                unit=_unit(process),
            )
            self._heard.append((monotonic(), arrival))

    def arrivals(self, addresses: Sequence[str]) -> tuple[Arrival, ...]:
        now = monotonic()
        heard = {each.address: each for at, each in [*self._heard] if now - at <= RECENT_SECONDS}
        with IPRoute() as netlink:
            there = [
                Arrival(
                    address=each.get_attr("IFA_LOCAL"),
                    interface=_name(each["index"]),
                    is_leased=_has_end(each.get_attr("IFA_CACHEINFO")),
                )
                for each in netlink.get_addr(family=socket.AF_INET)
                if each.get_attr("IFA_LOCAL") in addresses
            ]
        return tuple(heard.get(each.address, each) for each in there)

    def traces(self, addresses: Sequence[str]) -> tuple[Trace, ...]:
        return find_traces(self._root, addresses, TRACE_SECONDS)


def _new_addresses(raw: bytes) -> Iterator[tuple[int, str, int, bool]]:
    """Yield (port of who asked for it, address, interface index, whether it has an end)."""
    while len(raw) >= HEAD.size:
        length, kind, _, _, port = HEAD.unpack_from(raw)
        if length < HEAD.size:
            return
        body, raw = raw[HEAD.size : length], raw[length + 3 & ~3 :]
        if kind != NEW_ADDRESS or len(body) < ADDRESS.size:
            continue
        family, _, _, _, index = ADDRESS.unpack_from(body)
        found = dict(_attributes(body[ADDRESS.size :]))
        if family == socket.AF_INET and len(found.get(LOCAL, b"")) == 4:
            info = found.get(CACHE_INFO, b"")
            ends = len(info) >= 8 and struct.unpack_from("=II", info)[1] != FOREVER
            yield port, socket.inet_ntoa(found[LOCAL]), index, ends


def _attributes(raw: bytes) -> Iterator[tuple[int, bytes]]:
    while len(raw) >= ATTRIBUTE.size:
        length, name = ATTRIBUTE.unpack_from(raw)
        if length < ATTRIBUTE.size:
            return
        yield name, raw[ATTRIBUTE.size : length]
        raw = raw[length + 3 & ~3 :]


def _has_end(info: object) -> bool:
    return isinstance(info, dict) and info.get("ifa_valid", FOREVER) != FOREVER


def _name(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:
        return str(index)


def _commands(process: int) -> Iterator[str]:
    """Yield the command lines of a process and of those that started it, as far as they still live."""
    for _ in range(ANCESTORS):
        if process <= 1:
            return
        if line := _read(process, "cmdline").replace("\0", " ").strip():
            yield line[:LONGEST_COMMAND]
        # pid (name) state parent …: the name may hold anything, also brackets.
        after = _read(process, "stat").rpartition(")")[2].split()
        process = int(after[1]) if len(after) > 1 else 0


def _unit(process: int) -> str:
    """Return the last part of the control group that says something (cgroups(7))."""
    line = next((each for each in _read(process, "cgroup").splitlines() if each.startswith("0::")), "")
    parts = [each for each in line.split("/") if each.endswith((".service", ".scope"))]
    return parts[-1] if parts else ""


def _read(process: int, name: str) -> str:
    try:
        with open(f"/proc/{process}/{name}", "rb") as file:
            return file.read(4096).decode("utf-8", "replace").rstrip("\n")
    except OSError:
        return ""
