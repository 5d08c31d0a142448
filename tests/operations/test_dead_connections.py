"""Connections of the active: kept by the standby with each import, ended in goes (B8)."""

from pathlib import Path

import msgspec
import pytest

from beistand.domain.connections import Carried, Connection, unpacked
from beistand.domain.errors import NoSpace, Refused
from beistand.domain.phones import Contact
from beistand.operations.dead_connections import (
    AT_ONCE,
    CARRIED,
    KICKED,
    end_dead_connections,
    keep_connections,
)
from beistand.operations.receiving import check_offer, receive_generation
from fakes.pair_of_appliances import World
from fakes.progress import FakeProgress
from fakes.situations import A, generation
from fakes.standby import File, Folder, Sandbox, Trees, sandbox

TOLD = (Connection(port=5061, peer="192.0.2.50", peer_port=40000),)
OTHERS = (Connection(port=5060, peer="192.0.2.51", peer_port=40000),)
TREES: Trees = {"etc": Folder(), "etc/pjsip.conf": File(b"one")}


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return sandbox(tmp_path, mounts=("", "lib"))


def receive(box: Sandbox, trees: Trees, told: tuple[Connection, ...]) -> None:
    announced = box.announce(trees)
    base = check_offer(box.node, announced).base
    box.send(trees, base)
    receive_generation(box.node, announced, base, FakeProgress(), told)
    box.trees = trees


def kept(box: Sandbox) -> tuple[Connection, ...]:
    body = box.store.get(CARRIED)
    return unpacked(msgspec.json.decode(body, type=Carried).connections) if body else ()


def test_what_came_last_is_kept_also_without_a_change(box: Sandbox) -> None:
    receive(box, TREES, TOLD)
    assert kept(box) == TOLD
    receive(box, TREES, OTHERS)
    assert kept(box) == OTHERS
    receive(box, TREES, ())
    assert kept(box) == ()


def test_what_was_refused_tells_nothing(box: Sandbox) -> None:
    receive(box, TREES, TOLD)
    with pytest.raises(Refused):
        receive_generation(box.node, box.announce(TREES, pair="e" * 32), "", FakeProgress(), OTHERS)
    assert kept(box) == TOLD


def test_a_full_disk_makes_no_failure_of_an_import(box: Sandbox) -> None:
    def put(_name: str, _body: bytes, *, vital: bool = False) -> None:
        raise NoSpace("state-disk-full")

    box.store.put = put  # type: ignore[method-assign]
    receive(box, TREES, TOLD)
    assert kept(box) == ()


def taken_over(count: int) -> World:
    """The standby holds the next grant; the dead one told of so many connections."""
    world = World()
    world.b.contacts.uris = ()
    many = tuple(Connection(port=5061, peer="198.51.100.7", peer_port=1 + at) for at in range(count))
    about = generation(epoch=world.a.store.standing().epoch, pair="0" * 32)
    keep_connections(world.b.node, about, many)
    standing = world.b.store.standing()
    assert standing.grant is not None
    grant = msgspec.structs.replace(
        standing.grant, epoch=standing.epoch + 1, parent=standing.epoch, holder=standing.me
    )
    assert standing.me != A
    world.b.store.adopt(grant)
    return world


def test_many_are_ended_in_goes() -> None:
    count = 2 * AT_ONCE + 1
    world, pauses = taken_over(count), []

    def pause() -> bool:
        pauses.append(len(world.b.sip.ended))
        return True

    assert end_dead_connections(world.b.node, (), pause) == count
    assert pauses == [AT_ONCE, 2 * AT_ONCE]
    assert len({*world.b.sip.ended}) == count
    assert end_dead_connections(world.b.node, (), pause) == 0


def test_a_contact_that_names_no_phone_gets_no_packet() -> None:
    """What a database says is not believed either."""
    world = taken_over(0)
    hosts = ("255.255.255.255", "224.0.0.1", "192.0.2.10", "127.0.0.1", "192.0.2.51")
    known = tuple(Contact(uri=f"sip:1@{each}:40000;transport=tcp", survives=False) for each in hosts)
    assert end_dead_connections(world.b.node, known, lambda: True) == 1
    assert world.b.sip.ended == [("192.0.2.10", 5060, ("192.0.2.51", 40000))]


def test_who_serves_no_more_stops_and_may_begin_again() -> None:
    world = taken_over(2 * AT_ONCE)
    assert end_dead_connections(world.b.node, (), lambda: False) == AT_ONCE
    assert world.b.store.get(KICKED) is None
    assert end_dead_connections(world.b.node, (), lambda: True) == 2 * AT_ONCE
