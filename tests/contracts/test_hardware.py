"""The contract of the port Machine: what is a card, and what is made up at each start."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beistand.adapters.machine import LocalMachine
from contracts.segments import NamespaceWorld, ip, namespace_world
from fakes.hardware import FakeHardware


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NamespaceWorld]:
    with namespace_world(tmp_path_factory.mktemp("hardware"), 150) as real:
        yield real


def in_a(world: NamespaceWorld, act: Callable[[], Any]) -> Any:
    return world.a.run(act)


def test_the_same_machine_looks_the_same_twice() -> None:
    for machine in (LocalMachine(), FakeHardware()):
        assert machine.look("eth0") == machine.look("eth0")
        assert machine.look("eth0").host


def test_of_a_container_the_card_of_its_own_address_counts_alone(world: NamespaceWorld) -> None:
    space = f"{world.prefix}-a"
    ip("-n", space, "link", "add", "docker9", "type", "bridge")
    ip("-n", space, "link", "add", "veth9", "type", "veth", "peer", "name", "veth8")
    machine = LocalMachine()
    assert in_a(world, lambda: machine.look("eth0")).cards == (world.a.mac,)
    assert in_a(world, lambda: machine.look("docker9")).cards == ()
    assert in_a(world, lambda: machine.look("eth9")).cards == ()


def test_an_address_that_the_kernel_made_up_is_no_sign(world: NamespaceWorld, tmp_path: Path) -> None:
    (tmp_path / "eth0").mkdir()
    (tmp_path / "eth0" / "addr_assign_type").write_text("1\n")
    machine = LocalMachine(links=tmp_path)
    assert in_a(world, lambda: machine.look("eth0")).cards == ()


def test_a_machine_id_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "machine-id"
    file.write_text("37dd33a188cef4a78e81fc18d0a2e159\n")
    told = LocalMachine(machine_id=file).look("eth0").machine_id
    assert len(told) == 32
    assert told not in file.read_text()
    file.write_text("37dd33a188cef4a78e81fc18d0a2e15a\n")
    assert LocalMachine(machine_id=file).look("eth0").machine_id != told


@pytest.mark.parametrize("body", [None, b"", b"  \n"])
def test_without_a_machine_id_there_is_none(tmp_path: Path, body: bytes | None) -> None:
    file = tmp_path / "machine-id"
    if body is not None:
        file.write_bytes(body)
    assert LocalMachine(machine_id=file).look("eth0").machine_id == ""
