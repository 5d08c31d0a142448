"""Changes of links, addresses and routes, as the kernel tells them (port `NetworkChanges`)."""

import errno
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import get_native_id

LINK, IPV4_ADDRESS, IPV4_ROUTE = 0x1, 0x10, 0x40
"""RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE (rtnetlink(7))."""
NETLINK_ROUTE = 0
URGENT = -15
"""A nice value (setpriority(2)): above everything usual, below what the system itself needs."""


class NetlinkChanges:
    """Listens from its making on: nothing between two waits is missed. For one thread."""

    def __init__(self, hear: Callable[[bytes], object] = bytes) -> None:
        """`hear` gets each piece of news as it came, at once: who made it may be gone a moment later."""
        self._hear = hear
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
        self._is_urgent = False
        self._socket.bind((0, LINK | IPV4_ADDRESS | IPV4_ROUTE))

    def wait(self, seconds: float) -> bool:
        if not self._is_urgent:
            # On a busy machine, too, the address has to be back before anybody misses it. Of this thread alone.
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, get_native_id(), URGENT)
            self._is_urgent = True
        self._socket.settimeout(seconds)
        if not self._read():
            return False
        # What came in one burst is one change.
        self._socket.setblocking(False)
        while self._read():
            pass
        return True

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> bool:
        try:
            raw = self._socket.recv(1 << 16)
        except (TimeoutError, BlockingIOError):
            return False
        except OSError as error:
            # Too much happened at once for the queue: then something surely changed.
            if error.errno != errno.ENOBUFS:
                raise
            return True
        self._hear(raw)
        return True
