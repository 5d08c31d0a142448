"""The contract of the port PhoneTeller: every phone is told, and none keeps the others waiting."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import perf_counter

import pytest

from beistand.adapters.sip_notify import SipPhoneTeller
from beistand.ports.mail import Notified
from fakes.mail import FakePhones

HERE = "127.0.0.2"
"""The service address of these tests."""


class Phone:
    """Answers, by UDP or TCP, from the `ignores`-th request on."""

    def __init__(self, line: socket.socket, ignores: int = 0) -> None:
        self.requests: list[tuple[str, str]] = []
        self._line, self._ignores = line, ignores
        self.uri = "sip:101@{}:{};ob".format(*line.getsockname())

    def run(self) -> None:
        try:
            while True:
                data, sender = self._line.recvfrom(4096)
                self.requests.append((sender[0], data.decode()))
                if len(self.requests) > self._ignores:
                    self._line.sendto(answer(data.decode()), sender)
        except OSError:
            return


def answer(request: str) -> bytes:
    kept = ("Via", "From", "To", "Call-ID", "CSeq")
    lines = [each for each in request.split("\r\n") if each.split(":")[0] in kept]
    return "\r\n".join(["SIP/2.0 489 Bad Event", *lines, "Content-Length: 0", "", ""]).encode()


@contextmanager
def phone(ignores: int = 0) -> Iterator[Phone]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        one = Phone(line, ignores)
        thread = Thread(target=one.run, daemon=True)
        thread.start()
        yield one


@pytest.mark.parametrize("port", [FakePhones(), SipPhoneTeller()])
def test_every_phone_is_told_and_counted(port: FakePhones | SipPhoneTeller) -> None:
    with phone() as one, phone() as other:
        assert port.check_sync(HERE, [one.uri, other.uri], 5) == Notified(phones=2, answered=2)


def test_nobody_to_tell_costs_no_time() -> None:
    began = perf_counter()
    assert SipPhoneTeller().check_sync(HERE, [], 5) == Notified(phones=0, answered=0)
    assert perf_counter() - began < 3


def test_the_request_is_what_phones_expect() -> None:
    with phone() as one:
        SipPhoneTeller().check_sync(HERE, [one.uri, one.uri], 5)
    ((sender, text),) = one.requests
    lines = text.split("\r\n")
    assert sender == HERE
    assert lines[0] == f"NOTIFY {one.uri} SIP/2.0"
    assert "Event: check-sync" in lines
    assert f"To: <{one.uri}>" in lines


def test_a_phone_that_is_slow_is_told_again_and_a_dead_one_is_not_waited_for() -> None:
    with phone(ignores=1) as slow, phone(ignores=100) as dead:
        assert SipPhoneTeller().check_sync(HERE, [slow.uri, dead.uri], 1.2) == Notified(phones=2, answered=1)
    assert len(slow.requests) == 2
    assert len(dead.requests) == 2


def test_a_phone_behind_tcp_is_told_by_tcp() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        heard: list[bytes] = []

        def take() -> None:
            line, _ = listening.accept()
            with line:
                heard.append(line.recv(4096))
                line.sendall(answer(heard[0].decode()))

        Thread(target=take, daemon=True).start()
        uri = f"sip:1@127.0.0.1:{listening.getsockname()[1]}^3Btransport=TCP"
        assert SipPhoneTeller().check_sync(HERE, [uri], 5) == Notified(phones=1, answered=1)
    assert b"SIP/2.0/TCP 127.0.0.2" in heard[0]


@pytest.mark.parametrize(
    "uri",
    [
        "sip:1@127.0.0.1:9;transport=tls",
        "sips:1@127.0.0.1",
        "sip:1@phone.example.org",
        "sip:1@127.0.0.1:5060\r\nEvil: header",
        "sip:1@127.0.0.1 SIP/2.0",
        "",
    ],
)
def test_what_cannot_be_told_is_left_out(uri: str) -> None:
    assert SipPhoneTeller().check_sync(HERE, [uri], 0.5) == Notified(phones=0, answered=0)


def test_an_address_that_is_gone_is_no_error() -> None:
    assert SipPhoneTeller().check_sync("192.0.2.99", ["sip:1@127.0.0.1:9"], 1).answered == 0


def test_a_closed_port_is_told_in_vain() -> None:
    uri = "sip:1@127.0.0.1:1;transport=tcp"
    assert SipPhoneTeller().check_sync(HERE, [uri], 0.5).answered == 0
