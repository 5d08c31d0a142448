"""REGISTERs are heard before the PBX has them, and the first of each is held up (port `Registers`)."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from beistand.adapters.registers import KernelRegisters
from beistand.domain.errors import BeistandError
from beistand.domain.make_way import LONGEST
from beistand.ports.registers import Registers, Seen
from contracts.segments import SERVICE, NamespaceWorld, namespace_world, until
from fakes.registers import FakeRegisters

PORT = 5060
B, C = "10.9.8.2", "10.9.8.3"
REGISTER, INVITE = b"REGISTER sip:10.9.8.10 SIP/2.0\r\n\r\n", b"INVITE sip:10.9.8.10 SIP/2.0\r\n\r\n"
SECONDS = 60


@dataclass
class Side:
    """The appliance, and what its phones do."""

    registers: Registers
    send: Callable[[str, int, bytes], bool]
    """From a host and port; whether the PBX gets it."""
    run: Callable[[Callable[[], Any]], Any] = lambda act: act()

    def hold_up(self, *hosts: str, seconds: int = SECONDS) -> None:
        self.run(lambda: self.registers.hold_up(hosts, [SERVICE], PORT, seconds))

    def let_pass(self) -> None:
        self.run(self.registers.let_pass)

    def hear(self, act: Callable[[], object]) -> list[Seen]:
        """Return what is heard while something is done."""

        def heard() -> list[Seen]:
            with self.registers.listen("eth0", [SERVICE], PORT) as ear:
                act()
                return list(iter(lambda: ear.next(0.3), None))

        found: list[Seen] = self.run(heard)
        return found


class Phones:
    """Two hosts that send to a PBX in another network namespace."""

    def __init__(self, world: NamespaceWorld, stack: ExitStack) -> None:
        self._world, self._stack = world, stack
        world.a.addresses.hold(world.a.installation)
        self._pbx = world.a.run(lambda: self._socket(SERVICE, PORT))
        self._pbx.settimeout(0.3)
        self._lines: dict[tuple[str, int], socket.socket] = {}

    def send(self, source: str, port: int, datagram: bytes, to: int = PORT) -> bool:
        line = self._lines.get((source, port))
        if line is None:
            box = self._world.b if source == B else self._world.c
            line = self._lines[source, port] = box.run(lambda: self._socket(source, port))
        line.sendto(datagram, (SERVICE, to))
        try:
            return bool(self._pbx.recv(65536) == datagram)
        except TimeoutError:
            return False

    def _socket(self, address: str, port: int) -> socket.socket:
        line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        line.bind((address, port))
        return self._stack.enter_context(closing(line))


@pytest.fixture(params=["fake", "real"])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side]:
    if request.param == "fake":
        fake = FakeRegisters()
        yield Side(fake, fake.send)
        return
    with namespace_world(tmp_path, 180) as world, ExitStack() as stack:
        yield Side(KernelRegisters(), Phones(world, stack).send, world.a.run)


@pytest.fixture
def real(tmp_path: Path) -> Iterator[tuple[Side, Phones, NamespaceWorld]]:
    with namespace_world(tmp_path, 181) as world, ExitStack() as stack:
        phones = Phones(world, stack)
        yield Side(KernelRegisters(), phones.send, world.a.run), phones, world


def test_a_register_is_heard_with_its_source(side: Side) -> None:
    assert side.hear(lambda: side.send(B, 7001, REGISTER)) == [Seen(source=B, port=7001, datagram=REGISTER)]


def test_nothing_else_is_heard(side: Side) -> None:
    assert side.hear(lambda: side.send(B, 7001, INVITE)) == []


def test_the_first_register_of_each_port_is_held_up_and_heard(side: Side) -> None:
    side.hold_up(B)
    passed: list[bool] = []

    def register() -> None:
        passed.extend(side.send(B, port, REGISTER) for port in (7001, 7001, 7002, 7002, 7001))

    heard = side.hear(register)
    assert passed == [False, True, False, True, True]
    assert [each.port for each in heard] == [7001, 7001, 7002, 7002, 7001]


def test_nothing_else_is_held_up(side: Side) -> None:
    side.hold_up(B)
    assert side.send(B, 7001, INVITE)
    assert side.send(C, 7001, REGISTER)


def test_held_up_anew_it_begins_anew(side: Side) -> None:
    side.hold_up(B)
    assert not side.send(B, 7001, REGISTER)
    side.hold_up(B)
    assert [side.send(B, 7001, REGISTER) for _ in range(2)] == [False, True]


def test_everything_passes_afterwards(side: Side) -> None:
    side.let_pass()  # also where nothing was held up
    side.hold_up(B)
    side.let_pass()
    assert side.send(B, 7001, REGISTER)


def test_it_ends_by_itself(real: tuple[Side, Phones, NamespaceWorld]) -> None:
    side, _, _ = real
    side.hold_up(B, seconds=1)
    begin = time.monotonic()
    ports = iter(range(7000, 8000))
    until(lambda: side.send(B, next(ports), REGISTER))
    assert time.monotonic() - begin < 5


def test_another_port_and_other_addresses_are_not_heard(real: tuple[Side, Phones, NamespaceWorld]) -> None:
    side, phones, _ = real
    assert side.hear(lambda: phones.send(B, 7001, REGISTER, to=PORT + 1)) == []


def test_a_long_datagram_is_cut(real: tuple[Side, Phones, NamespaceWorld]) -> None:
    side, phones, _ = real
    (seen,) = side.hear(lambda: phones.send(B, 7001, REGISTER + b"x" * 20000))
    assert len(seen.datagram) <= LONGEST
    assert seen.datagram.startswith(REGISTER)


def test_an_interface_that_is_not_there_is_told(real: tuple[Side, Phones, NamespaceWorld]) -> None:
    side, _, _ = real

    def listen() -> None:
        with side.registers.listen("eth7", [SERVICE], PORT):
            pass

    with pytest.raises(BeistandError, match="interface-down"):
        side.run(listen)
