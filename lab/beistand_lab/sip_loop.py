"""What a process that speaks SIP for many stands on: sockets, timers, a log of events, and a door for commands.

One thread, no library in between: two hundred phones have to answer two hundred questions within milliseconds, and
the time of a packet is the kernel's, not that of the process that came to read it.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import json
import os
import selectors
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from beistand_lab.commands import open_door
from beistand_lab.errors import LabError

_SO_TIMESTAMPNS = 35  # socket(7); Python has no name for it
_TIMESPEC = struct.Struct("qq")
_AT_ONCE = 32
"""Datagrams that one socket may bring before the others have their turn."""
_LONGEST_COMMAND = 1 << 17


@dataclasses.dataclass(frozen=True)
class Datagram:
    data: bytes
    sender: tuple[str, int]
    time: float
    """When the kernel got it, in epoch seconds."""


class EventLog:
    """A file with a JSON line for each event; written at the end of each turn of the loop."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a")

    def tell(self, what: str, at: float = 0, **fields: Any) -> None:
        """`at` is when it happened, now where it is left out."""
        self._file.write(json.dumps({"time": at or time.time(), "what": what, **fields}) + "\n")

    def flush(self) -> None:
        self._file.flush()


class Loop:
    """Calls whoever has something to read, or whose time has come."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = itertools.count()

    def watch(self, readable: socket.socket, take: Callable[[], None]) -> None:
        self._selector.register(readable, selectors.EVENT_READ, take)

    def forget(self, readable: socket.socket) -> None:
        self._selector.unregister(readable)

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Does it after so many seconds; whoever no longer wants it then has to see so for himself."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._serial), do))

    def run(self) -> None:
        """For ever."""
        os.nice(-10)  # as the other observers: it must not be late itself
        while True:
            wait = self._timers[0][0] - time.monotonic() if self._timers else None
            for key, _ in self._selector.select(wait if wait is None else max(0, wait)):
                key.data()
            while self._timers and self._timers[0][0] <= time.monotonic():
                heapq.heappop(self._timers)[2]()
            self._log.flush()


class Port:
    """A UDP port of this process."""

    def __init__(self, loop: Loop, address: tuple[str, int], take: Callable[[Datagram], None]) -> None:
        self.address = address
        self._loop, self._take = loop, take
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setblocking(False)
        self._socket.bind(address)
        self._is_open = True
        loop.watch(self._socket, self._read)

    def send(self, data: bytes, to: tuple[str, int]) -> str:
        """Empty, or why the kernel did not take it: no route, no neighbour."""
        try:
            self._socket.sendto(data, to)
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def close(self) -> None:
        """From here on the kernel answers for the port: that nobody is there."""
        self._is_open = False
        self._loop.forget(self._socket)
        self._socket.close()

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            if not self._is_open:  # by what the last one brought
                return
            try:
                data, extra, _, sender = self._socket.recvmsg(65536, 64)
            except OSError:  # nothing more, or the news of an earlier datagram that nobody took
                return
            self._take(Datagram(data, sender, _kernel_time(extra)))


def _kernel_time(extra: list[tuple[int, int, bytes]]) -> float:
    for level, kind, value in extra:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack_from(value)
            return float(seconds + nanoseconds / 1e9)
    return time.time()


def serve(loop: Loop, door: Path, obey: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Takes commands at a Unix socket, one JSON object in and one out; a LabError is told as `error`."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    open_door(server, door)

    def admit() -> None:
        connection, _ = server.accept()
        loop.watch(connection, lambda: answer(connection))

    def answer(connection: socket.socket) -> None:
        loop.forget(connection)
        with connection:
            connection.settimeout(1)
            try:
                told = obey(json.loads(connection.recv(_LONGEST_COMMAND)))
            except LabError as error:
                told = {"error": str(error)}
            except (OSError, ValueError):  # whoever came has gone, or did not speak JSON
                return
            connection.send(json.dumps(told).encode())

    loop.watch(server, admit)
