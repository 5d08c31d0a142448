"""F12: browsers that are slow, or pretend to be, keep nobody from a page. The served process, over its real TLS."""

import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from beistand.web.browsers import MOST_WAITING, Browser
from beistand.web.reception import MOST_OF_ONE, SMALL_BODY, Reception, is_here
from beistand.web.serve import THREADS

ADDRESS = "127.77.72.1"
ELSEWHERE = "127.77.72.9"
"""The administrator's, where the slow ones are all at another one."""
SOON = 3.0
BUSY = 30.0
"""Limit for each step of dozens of connections, on a machine that has something else to do."""
SERVED = """
import sys
from pathlib import Path
from beistand.web import certificate
from beistand.web.serve import _Pages

def answer(environ, start):
    body = environ["wsgi.input"].read()
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"x" * int(environ["QUERY_STRING"] or 0) + str(len(body)).encode()]

class Pages(_Pages):
    def _watch(self):
        pass
    def load(self):
        return answer

folder, address = Path(sys.argv[1]), sys.argv[2]
certificate.ensure_certificate(folder / "tls", (address,), certificate.now())
sys.argv = sys.argv[:1]
Pages(folder, address, (address,)).run()
"""
TRUSTING = ssl.create_default_context()
TRUSTING.check_hostname, TRUSTING.verify_mode = False, ssl.CERT_NONE
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module", autouse=True)
def pages() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="slow-") as folder:
        served = subprocess.Popen([sys.executable, "-c", SERVED, folder, ADDRESS], env={**os.environ})
        try:
            end = time.monotonic() + 20
            while True:
                try:
                    plain().close()
                    break
                except ConnectionRefusedError:
                    assert time.monotonic() < end, "no pages"
            yield
        finally:
            served.terminate()
            served.wait(20)


def plain(source: str = ADDRESS) -> socket.socket:
    return socket.create_connection((ADDRESS, 8443), timeout=BUSY, source_address=(source, 0))


def secure(source: str = ADDRESS) -> ssl.SSLSocket:
    return TRUSTING.wrap_socket(plain(source))


def ask(request: bytes = GET, source: str = ELSEWHERE) -> bytes:
    """Ask one thing and return what comes until the body is there."""
    with secure(source) as connection:
        connection.sendall(request)
        return heard(connection)


def heard(connection: ssl.SSLSocket) -> bytes:
    found = b""
    while b"\r\n0\r\n\r\n" not in found:  # the answers here are sent in pieces
        piece = connection.recv(4096)
        if not piece:
            break
        found += piece
    return found


def idle() -> socket.socket:
    return plain()


def half_handshake() -> socket.socket:
    connection = plain()
    connection.sendall(b"\x16")
    return connection


def half_head() -> socket.socket:
    connection = secure()
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow")
    return connection


def half_form() -> socket.socket:
    connection = secure()
    connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\na=")
    return connection


def half_file() -> socket.socket:
    connection = secure()
    connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000000\r\n\r\nPK")
    return connection


def half_chunk() -> socket.socket:
    connection = secure()
    connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\na")
    return connection


def unread_answer() -> socket.socket:
    connection = secure()
    connection.sendall(b"GET /?30000000 HTTP/1.1\r\nHost: x\r\n\r\n")
    return connection


def unclosed() -> socket.socket:
    connection = secure()
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    heard(connection)
    return connection


@pytest.mark.parametrize(
    "slow",
    [idle, half_handshake, half_head, half_form, half_file, half_chunk, unread_answer, unclosed],
    ids=lambda each: each.__name__,
)
def test_a_page_comes_at_once_beside_more_slow_browsers_than_threads(
    slow: Callable[[], socket.socket],
) -> None:
    ask()  # what the first of all takes is no matter of slow browsers
    with ExitStack() as held:
        for _ in range(THREADS + MOST_WAITING):
            held.enter_context(slow())
        began = time.monotonic()
        assert ask().startswith(b"HTTP/1.1 200")
        assert time.monotonic() - began < SOON


def test_one_machine_cannot_take_all_connections() -> None:
    with ExitStack() as held:
        for _ in range(3 * MOST_OF_ONE):
            with suppress(OSError):
                held.enter_context(plain())
        assert ask().startswith(b"HTTP/1.1 200")
        assert ask(source=ADDRESS).startswith(b"HTTP/1.1 200"), "its own newest makes its oldest go"


def test_one_that_made_room_is_heard_no_more() -> None:
    """The worker may have been told of it in the same turn: its number is no file's any more, or another's."""
    mine, others = socket.socketpair()
    others.close()
    gone = Browser(None, mine, (ELSEWHERE, 1), (ADDRESS, 8443))
    gone.close()
    worker = Reception.__new__(Reception)  # nothing of it is needed, and nothing may be touched
    worker.on_pending_socket_readable(gone, mine)
    worker.on_client_socket_readable(gone, mine)


def test_a_slow_request_is_answered_when_it_is_here() -> None:
    with secure() as connection:
        for byte in b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc":
            connection.sendall(bytes([byte]))
        assert heard(connection).endswith(b"1\r\n3\r\n0\r\n\r\n")


def test_requests_that_come_together_are_answered_one_after_the_other() -> None:
    with secure() as connection:
        connection.sendall(GET + b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab" + GET[:9])
        assert b"1\r\n0\r\n0\r\n" in heard(connection)
        assert b"1\r\n2\r\n0\r\n" in heard(connection)
        connection.sendall(GET[9:])
        assert b"1\r\n0\r\n0\r\n" in heard(connection)


@pytest.mark.parametrize("size", [0, 1, SMALL_BODY, SMALL_BODY + 1, 5_000_000])
def test_what_is_sent_arrives_whole(size: int) -> None:
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode()
    assert f"{size}\r\n0\r\n\r\n".encode() in ask(head + b"x" * size)


def test_a_head_without_end_is_refused() -> None:
    with secure(ELSEWHERE) as connection:
        with suppress(OSError):
            connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"y" * 2_000_000)
        with suppress(OSError):
            assert connection.recv(100).startswith((b"HTTP/1.1 4", b""))
    assert ask().startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        (b"", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", False),
        (GET, True),
        (b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nab", False),
        (b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc", True),
        (b"POST / HTTP/1.1\r\nContent-Length:3\r\nExpect: 100-continue\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nContent-Length: no\r\n\r\n", True),
    ],
)
def test_a_thread_begins_when_there_is_something_to_do(said: bytes, *, whole: bool) -> None:
    assert is_here(said) is whole
