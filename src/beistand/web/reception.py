"""Listens to browsers until their request is here, and gives only that a thread (F12).

Gunicorn's own worker gives each connection a thread from its first byte on: as many slow ones as there are threads,
which one machine can hold with no effort, kept an administrator from the click.
"""

import hashlib
import re
import selectors
import ssl
import time
from collections import Counter, deque
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import ThreadWorker

from beistand.web.browsers import Browser
from beistand.web.fair_threads import FairThreads, Whose

HEARD_SECONDS = 15.0
"""From its first byte a request has so long to be here; a file that is sent with it is not part of that."""
LARGEST_HEAD = 64 * 1024
SMALL_BODY = 128 * 1024
"""A form, not a file: it is waited for together with the head."""
MOST = 500
MOST_OF_ONE = 150
"""Connections of one address: its oldest idle one makes room for its newest."""
PIECE = 16 * 1024
LINGER_SECONDS = 2.0
MOST_LINGERING = 200
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,7})[ \t]*\r\n", re.IGNORECASE)
_SESSION = re.compile(rb"__Host-session=[^;\s]{1,200}|\r\nauthorization:[^\r\n]{1,300}", re.IGNORECASE)
_AT_ONCE = re.compile(rb"\r\n(expect|transfer-encoding):", re.IGNORECASE)


def is_here(heard: bytes | bytearray) -> bool:
    """Tell whether a thread has something to do: the head, and the body where that is small.

    What the request means is for the parser to say: here is only guessed how long to wait.
    """
    head, end, body = bytes(heard).partition(b"\r\n\r\n")
    if not end:
        return False
    lines = head + b"\r\n"
    length = _LENGTH.search(lines)
    if length is None or _AT_ONCE.search(lines) or int(length[1]) > SMALL_BODY:
        return True
    return len(body) >= int(length[1])


def session_of(heard: bytes | bytearray) -> str:
    """Return what tells this session or program apart from others of its address, empty where nothing does.

    Nobody has looked at it: it decides whose turn it is, and nothing else.
    """
    head = bytes(heard).partition(b"\r\n\r\n")[0]
    found = _SESSION.search(head)
    return hashlib.sha256(found[0]).hexdigest() if found else ""


class Reception(ThreadWorker):  # type: ignore[misc]  # gunicorn has no type information
    """The worker: everything here runs in its main thread and waits for nobody."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._open: Counter[str] = Counter()
        self._lingering: deque[Browser] = deque()
        self._context: ssl.SSLContext = self.cfg.ssl_context(self.cfg, None)

    def accept(self, listener: Any) -> None:
        try:
            sock, client = listener.accept()
        except OSError:
            return  # gone again, or no more files: the next one may come in
        if not self._make_room(str(client[0])):
            sock.close()
            return
        browser = Browser(self.cfg, sock, client, listener.getsockname())
        self.nr_conns += 1
        self._open[browser.address] += 1
        browser.on_close, browser.linger = self._left, self._linger
        try:
            browser.secure(self._context)
        except OSError:
            self._drop(browser)
        else:
            self.enqueue_req(browser)

    def enqueue_req(self, conn: Browser) -> None:
        """Begin to listen to a request; a part of it may be here since the one before."""
        conn.sock.setblocking(False)
        conn.deadline = time.monotonic() + HEARD_SECONDS
        if conn.parser is not None:
            conn.heard += conn.parser.unreader.take_buffered()
        self._hear(conn)

    def on_pending_socket_readable(self, conn: Browser, client: Any) -> None:
        if conn.is_closed:
            return  # it made room for one that was heard a moment before
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        self._hear(conn)

    def on_client_socket_readable(self, conn: Browser, client: Any) -> None:
        if not conn.is_closed:
            super().on_client_socket_readable(conn, client)

    def murder_pending(self) -> None:
        """End what took too long; all of them are looked at, as they came in no order."""
        now = time.monotonic()
        for each in [each for each in self.pending_conns if each.deadline <= now]:
            self._forget(each, self.pending_conns)
        while self._lingering and self._lingering[0].deadline <= now:
            self._end(self._lingering[0])

    def _hear(self, conn: Browser) -> None:
        try:
            is_complete = self._listen(conn)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            is_complete = is_here(conn.heard)
        except OSError:
            self._drop(conn)
            return
        if is_complete:
            self._hand_over(conn)
        else:
            self.pending_conns.append(conn)
            readable = partial(self.on_pending_socket_readable, conn)
            self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    @staticmethod
    def _listen(conn: Browser) -> bool:
        """Take what there is until the request is here. Raises OSError: it has gone, or says too much."""
        if not conn.has_shaken:
            conn.sock.do_handshake()
            conn.has_shaken = True
        while not is_here(conn.heard):
            enough = len(conn.heard) + PIECE
            while len(conn.heard) < enough:
                if not (piece := conn.sock.recv(PIECE)):
                    raise ConnectionResetError
                conn.heard += piece
            if len(conn.heard) > LARGEST_HEAD + SMALL_BODY:
                conn.sock.send(TOO_LARGE)
                raise ConnectionResetError
        return True

    def get_thread_pool(self) -> FairThreads:
        return FairThreads(self.cfg.threads)

    def _hand_over(self, conn: Browser) -> None:
        conn.whose = Whose(conn.address, session_of(conn.heard))
        if conn.parser is None:
            conn.parser = http.get_parser(self.cfg, conn.sock, conn.client)
        conn.initialized = conn.data_ready = True
        conn.parser.unreader.unread(bytes(conn.heard))
        conn.heard.clear()
        super().enqueue_req(conn)

    # --- who is here ----------------------------------------------------------------------------

    def _make_room(self, address: str) -> bool:
        """Tell whether one more fits in, when an idle one was ended for it where there are too many."""
        if self._open[address] >= MOST_OF_ONE:
            return self._end_idle_of([address])
        if self.nr_conns >= MOST:
            return self._end_idle_of(each for each, _ in self._open.most_common())
        return True

    def _end_idle_of(self, addresses: Iterable[str]) -> bool:
        for address in addresses:
            for idle in (self.pending_conns, self.keepalived_conns):
                found = next((each for each in idle if each.address == address), None)
                if found is not None:
                    self._forget(found, idle)
                    return True
        return False

    def _forget(self, conn: Browser, idle: deque[Browser]) -> None:
        idle.remove(conn)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self._drop(conn)

    def _drop(self, conn: Browser) -> None:
        self.nr_conns -= 1
        conn.close()

    def _left(self, conn: Browser) -> None:
        self._open[conn.address] -= 1
        if self._open[conn.address] <= 0:
            del self._open[conn.address]

    # --- who is told to leave -------------------------------------------------------------------

    def _linger(self, conn: Browser) -> None:
        """Close when the browser has, or soon: closing at once, with something unread, takes the answer from it."""
        if len(self._lingering) >= MOST_LINGERING:
            self._end(self._lingering[0])
        conn.deadline = time.monotonic() + LINGER_SECONDS
        self._lingering.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, lambda _sock: self._see_off(conn))

    def _see_off(self, conn: Browser) -> None:
        if conn in self._lingering and conn.has_gone():
            self._end(conn)

    def _end(self, conn: Browser) -> None:
        self._lingering.remove(conn)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        conn.sock.close()
