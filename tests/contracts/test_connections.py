"""The contract of the port EstablishedConnections: one suite for the fake and for the kernel's own table."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from beistand.adapters.connections import KernelConnections
from beistand.domain.connections import Connection
from beistand.ports.network import EstablishedConnections
from fakes.network import FakeConnections

HERE, THERE, ELSEWHERE = "127.0.0.2", "127.0.0.3", "127.0.0.4"
Connect = Callable[..., tuple[EstablishedConnections, int, int]]


@pytest.fixture(params=["memory", "kernel", "kernel, :: listens"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Make a connection from THERE to an address here; return the port, its own port and the other one."""
    rows: list[tuple[str, Connection]] = []
    with ExitStack() as stack:

        def in_memory(address: str = HERE) -> tuple[EstablishedConnections, int, int]:
            rows.append((address, Connection(port=5061, peer=THERE, peer_port=40000)))
            return FakeConnections(rows), 5061, 40000

        def for_real(address: str = HERE) -> tuple[EstablishedConnections, int, int]:
            if request.param == "kernel":
                listener = socket.create_server((address, 0))
            else:
                listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
            stack.enter_context(listener)
            port = listener.getsockname()[1]
            phone = stack.enter_context(socket.create_connection((address, port), 5, (THERE, 0)))
            stack.enter_context(listener.accept()[0])
            return KernelConnections(), port, phone.getsockname()[1]

        yield in_memory if request.param == "memory" else for_real


def test_a_connection_is_told_with_both_ports(connect: Connect) -> None:
    port, own, theirs = connect()
    assert Connection(port=own, peer=THERE, peer_port=theirs) in port.established([HERE])


def test_connections_of_other_addresses_are_not_told(connect: Connect) -> None:
    port, own, _ = connect(ELSEWHERE)
    assert own not in {each.port for each in port.established([HERE])}
    assert port.established([]) == ()


def test_both_addresses_of_a_machine_are_asked_for(connect: Connect) -> None:
    port, own, _ = connect(ELSEWHERE)
    assert own in {each.port for each in port.established([HERE, ELSEWHERE])}


def test_a_listener_and_a_closed_connection_are_none() -> None:
    with closing(socket.create_server((HERE, 0))) as listener:
        own = listener.getsockname()[1]
        phone = socket.create_connection((HERE, own), 5, (THERE, 0))
        with closing(listener.accept()[0]):
            phone.close()
            found = KernelConnections().established([HERE])
    assert own not in {each.port for each in found}


def test_what_the_pbx_connected_to_itself_is_told() -> None:
    """A trunk by TCP: the provider's side of it is as dead as a phone's."""
    with closing(socket.create_server((THERE, 0))) as provider:
        where = provider.getsockname()
        with closing(socket.create_connection(where, 5, (HERE, 0))) as trunk:
            own = trunk.getsockname()[1]
            assert Connection(port=own, peer=THERE, peer_port=where[1]) in KernelConnections().established(
                [HERE]
            )
