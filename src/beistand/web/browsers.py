"""Connections of browsers: TLS that waits, but not for ever, and for few of them at once."""

import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from gunicorn.workers.gthread import TConn

from beistand.web.fair_threads import Whose

T = TypeVar("T")
STALLED_SECONDS = 60.0
"""A browser that neither takes nor sends anything for so long loses its connection, not the others their pages."""
MOST_WAITING = 16
"""Threads that wait for browsers at once: half of them, so that the other half answers everybody else."""
LOST_AT_ONCE = 64 * 1024
SEND_BUFFER = 256 * 1024
"""Of the kernel: every page goes into it whole, however slowly its reader takes it."""


def tls(folder: Path) -> ssl.SSLContext:
    """Return the context for the certificate and the key in this folder."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Of TLS 1.2 the authenticated suites only: those with CBC were broken by what their padding tells (RFC 9325, 4.2).
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    context.sslsocket_class = _Patient
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


class _Waiting:
    """Threads that wait for a browser: of a file that is sent slowly, or taken slowly.

    When there are too many, the address that has most of them loses the one that waits longest.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[_Patient, str] = {}

    @contextmanager
    def place(self, connection: "_Patient") -> Iterator[None]:
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                self._end_one()
            self._waiting[connection] = connection.address
        try:
            yield
        finally:
            with self._lock:
                self._waiting.pop(connection, None)

    def _end_one(self) -> None:
        ((most, _),) = Counter(self._waiting.values()).most_common(1)
        loser = next(each for each, address in self._waiting.items() if address == most)
        del self._waiting[loser]
        loser.cut()


_waiting = _Waiting()


class _Patient(ssl.SSLSocket):
    """Blocks in the threads of requests only, and there for a while only."""

    address = ""

    def setblocking(self, flag: bool) -> None:
        self.settimeout(STALLED_SECONDS if flag else 0)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        return self._in_time(super().recv, buflen, flags)

    def send(self, data: Any, flags: int = 0) -> int:
        return self._in_time(super().send, data, flags)

    def _in_time(self, act: Callable[..., T], what: Any, flags: int) -> T:
        patience = self.gettimeout()
        if patience == 0:
            return act(what, flags)
        self.settimeout(0)
        try:
            return act(what, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass  # only who has to wait takes one of the places for that
        finally:
            self.settimeout(patience)
        with _waiting.place(self):
            return act(what, flags)

    def cut(self) -> None:
        """End it from another thread: whoever waits in it sees its end."""
        with suppress(OSError):  # gone by itself
            # Not SSLSocket's own, which takes the TLS away from under the thread that waits.
            socket.socket.shutdown(self, socket.SHUT_RDWR)


class Browser(TConn):  # type: ignore[misc]  # gunicorn has no type information
    """One connection, and what of its next request is here."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.sock: Any = sock
        self.address = str(client[0])
        self.has_shaken = False
        self.heard = bytearray()
        self.whose = Whose(self.address)
        self.deadline = 0.0
        """Monotonic seconds when its request must be here."""
        self.on_close: Callable[[Browser], None] = lambda _browser: None
        self.linger: Callable[[Browser], None] = lambda _browser: None
        self.is_closed = False

    def secure(self, context: ssl.SSLContext) -> None:
        """Speak TLS from here on. Raises OSError."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        secure: Any = context.wrap_socket(self.sock, server_side=True, do_handshake_on_connect=False)
        secure.address = self.address
        secure.setblocking(False)
        self.sock = secure

    def close(self, graceful: bool = False) -> None:
        """End it; gracefully: the answer first, in which nobody waits for the browser."""
        if self.is_closed:
            return
        self.is_closed = True
        self.on_close(self)
        if graceful and self._says_goodbye() and not self.has_gone():
            self.linger(self)
        else:
            self.sock.close()

    def has_gone(self) -> bool:
        """Tell whether the browser has closed, too; what it still sends is read and lost.

        Unread, it would make the kernel send a reset, and the browser lose its answer (RFC 9112, 9.6).
        """
        try:
            return not self.sock.recv(LOST_AT_ONCE)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _says_goodbye(self) -> bool:
        try:
            self.sock.setblocking(False)
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return False
        return True
