"""The contract of the ports Addresses, Arp and Signs: one suite for the fake segment and a real one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from beistand.domain.errors import Failed
from contracts.segments import SERVICE, MemoryWorld, World, namespace_world, until

NUMBERS = count()


@pytest.fixture(params=["memory", "namespaces"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
    else:
        with namespace_world(tmp_path, next(NUMBERS)) as real:
            yield real


def test_an_address_is_held_once_and_dropped_once(world: World) -> None:
    a = world.a
    assert a.addresses.held(a.installation) == ()
    assert a.addresses.hold(a.installation)
    assert a.addresses.held(a.installation) == (SERVICE,)
    assert not a.addresses.hold(a.installation)
    assert a.addresses.drop(a.installation)
    assert a.addresses.held(a.installation) == ()
    assert not a.addresses.drop(a.installation)


def test_dropping_an_address_that_was_never_held_changes_nothing(world: World) -> None:
    assert not world.a.addresses.drop(world.a.installation)
    assert world.a.addresses.is_static("eth0", world.a.own_ip)


def test_what_the_interface_says_of_itself(world: World) -> None:
    addresses = world.a.addresses
    assert addresses.mac("eth0") == world.a.mac
    assert addresses.gateway() == "10.9.8.254"
    assert addresses.carrier("eth0")
    assert not addresses.carrier("eth9")
    assert not addresses.is_static("eth0", "10.9.8.77")
    with pytest.raises(Failed, match="interface-missing"):
        addresses.mac("eth9")


def test_a_held_service_address_is_no_candidate_for_an_own_one(world: World) -> None:
    a = world.a
    assert a.addresses.candidates() == (("10.9.8.1/24", "eth0"),)
    a.addresses.hold(a.installation)
    assert a.addresses.candidates() == (("10.9.8.1/24", "eth0"),)


def test_an_interface_without_a_tag_is_in_no_vlan(world: World) -> None:
    assert world.a.addresses.vlan("eth0") == 0
    assert world.a.addresses.vlan("eth9") == 0


def test_the_carrier_goes_with_the_cable(world: World) -> None:
    world.unplug(world.a)
    assert not world.a.addresses.carrier("eth0")
    world.plug(world.a)
    assert world.a.addresses.carrier("eth0")


def test_who_is_there_answers(world: World) -> None:
    world.b.addresses.hold(world.b.installation)
    asked = [world.b.own_ip, world.c.own_ip, SERVICE, "10.9.8.77"]
    answers = world.a.arp.ask("eth0", asked, 0.3)
    assert answers.macs == {world.b.own_ip: world.b.mac, world.c.own_ip: world.c.mac, SERVICE: world.b.mac}


def test_asking_claims_nothing(world: World) -> None:
    world.a.arp.ask("eth0", [SERVICE], 0.1)
    world.a.arp.fast_probe("eth0", SERVICE)
    assert world.claims() == []


def test_a_machine_with_our_own_address_answers_nobody_only(world: World) -> None:
    """RFC 5227: its kernel does not answer what seems to come from itself."""
    world.twin(world.b, world.a)
    world.b.addresses.hold(world.b.installation)
    assert world.a.arp.ask("eth0", [SERVICE], 0.3).macs == {}
    assert world.a.arp.ask("eth0", [SERVICE], 0.3, as_nobody=True).macs == {SERVICE: world.b.mac}
    assert world.a.arp.fast_probe("eth0", world.a.own_ip) == world.b.mac
    assert world.claims() == []


def test_a_question_as_nobody_is_no_claim(world: World) -> None:
    """Who is held asks each second who has the address; a takeover on the other side must not stop at that."""
    if isinstance(world, MemoryWorld):
        world.b.arp.ask("eth0", [SERVICE], 0.1, as_nobody=True)
        assert world.a.arp.fast_probe("eth0", SERVICE) == ""
        return
    with ThreadPoolExecutor() as pool:
        probe = pool.submit(world.a.arp.fast_probe, "eth0", SERVICE)
        asked = pool.submit(world.b.arp.ask, "eth0", [SERVICE], 0.7, as_nobody=True)
    assert asked.result().macs == {}
    assert probe.result() == ""


def test_an_address_is_on_its_interface_or_not(world: World) -> None:
    a = world.a
    assert a.addresses.has("eth0", a.own_ip)
    assert not a.addresses.has("eth0", "10.9.8.77")
    assert not a.addresses.has("eth9", a.own_ip)


def test_a_free_address_is_found_free(world: World) -> None:
    assert world.a.arp.fast_probe("eth0", SERVICE) == ""


def test_a_probe_names_the_holder(world: World) -> None:
    world.b.addresses.hold(world.b.installation)
    assert world.a.arp.fast_probe("eth0", SERVICE) == world.b.mac
    assert world.a.arp.fast_probe("eth0", SERVICE, "02:00:00:00:00:77") == world.b.mac
    assert world.a.arp.fast_probe("eth0", SERVICE, world.b.mac) == "", "overlooked"
    world.b.addresses.drop(world.b.installation)
    assert world.a.arp.fast_probe("eth0", SERVICE) == ""


def test_of_two_that_probe_at_once_not_both_get_it(world: World) -> None:
    """RFC 5227 section 2.1.1."""
    if isinstance(world, MemoryWorld):
        world.b.arp.machine.probing = SERVICE
        assert world.a.arp.fast_probe("eth0", SERVICE) == world.b.mac
        return
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(box.arp.fast_probe, "eth0", SERVICE) for box in (world.a, world.b)]
    assert any(each.result() for each in both)


def test_an_announcement_reaches_everybody(world: World) -> None:
    world.a.addresses.hold(world.a.installation)
    world.a.arp.announce("eth0", SERVICE)
    until(lambda: (world.a.mac, SERVICE, SERVICE) in world.claims())


def test_each_target_is_told(world: World) -> None:
    world.a.addresses.hold(world.a.installation)
    world.a.arp.tell("eth0", SERVICE, [world.b.own_ip, world.c.own_ip])
    for box in (world.b, world.c):
        until(lambda box=box: (world.a.mac, SERVICE, box.own_ip) in world.claims())  # type: ignore[misc]


def test_without_carrier_a_question_proves_nothing(world: World) -> None:
    world.a.arp.ask("eth0", [world.b.own_ip], 0.1)
    world.unplug(world.a)
    for act in (
        lambda: world.a.arp.ask("eth0", [SERVICE], 0.1),
        lambda: world.a.arp.fast_probe("eth0", SERVICE),
        lambda: world.a.arp.announce("eth0", SERVICE),
    ):
        with pytest.raises(Failed, match="interface-down"):
            act()
    world.plug(world.a)
    assert world.a.arp.ask("eth0", [world.b.own_ip], 1.0).macs == {world.b.own_ip: world.b.mac}


def test_one_machine_is_asked_alone(world: World) -> None:
    """The third one on the segment hears nothing of it."""
    assert world.a.arp.reaches("eth0", world.b.own_ip, world.b.mac, 1.0)
    assert not world.a.arp.reaches("eth0", "10.9.8.77", world.b.mac, 0.1)
    assert not world.a.arp.reaches("eth0", world.b.own_ip, "02:00:00:00:00:77", 0.1)


def test_all_holders_answer_and_the_one_that_asks_is_none(world: World) -> None:
    a, b, c = world.a, world.b, world.c
    assert a.arp.holders("eth0", [SERVICE], 0.3) == ()
    for each in (a, b, c):
        each.addresses.hold(each.installation)
    assert a.arp.holders("eth0", [SERVICE], 0.3) == (b.mac, c.mac)
    assert b.arp.holders("eth0", [SERVICE], 0.3) == (a.mac, c.mac)


def test_a_contender_tells_how_long_it_serves(world: World) -> None:
    a, b = world.a, world.b
    assert a.arp.contended("eth0", b.mac) is None
    b.arp.contend("eth0", SERVICE, 4711.9)
    until(lambda: a.arp.contended("eth0", b.mac) == 4711.0)
    b.arp.contend("eth0", SERVICE, 1e15)
    until(lambda: a.arp.contended("eth0", b.mac) > 4711.0)
    assert b.arp.contended("eth0", b.mac) is None
    b.arp.announce("eth0", SERVICE)
    b.arp.try_out("eth0")
    until(lambda: a.arp.tried("eth0", b.mac) is not None)
    assert a.arp.contended("eth0", b.mac) > 4711.0


def test_a_trial_is_heard_and_claims_nothing(world: World) -> None:
    a, b = world.a, world.b
    assert a.arp.tried("eth0", b.mac) is None
    b.arp.try_out("eth0")
    until(lambda: a.arp.tried("eth0", b.mac) is not None)
    assert a.arp.tried("eth0", b.mac).lost == 0
    assert a.arp.tried("eth0", b.mac).seconds < 5
    assert b.arp.tried("eth0", b.mac) is None
    assert world.claims() == []


def test_a_port_that_drops_announcements_is_noticed(world: World) -> None:
    """As dynamic ARP inspection does: what is sent for the own address passes, anything else does not."""
    a, b = world.a, world.b
    assert a.arp.tried("eth0", b.mac) is None
    world.lock(b)
    for _ in range(3):
        b.arp.try_out("eth0")
    until(lambda: (heard := a.arp.tried("eth0", b.mac)) is not None and heard.lost == 3)
    world.unlock(b)
    b.arp.try_out("eth0")
    until(lambda: a.arp.tried("eth0", b.mac).lost == 0)


def test_a_rival_is_noticed(world: World) -> None:
    a, b = world.a, world.b
    a.addresses.hold(a.installation)
    assert a.arp.rival("eth0", [SERVICE], 0.05) == ""
    b.addresses.hold(b.installation)
    with ThreadPoolExecutor() as pool:
        noticed = pool.submit(a.arp.rival, "eth0", [SERVICE], 5.0)
        while not noticed.done():
            b.arp.announce("eth0", SERVICE)
        assert noticed.result() == b.mac


def test_signs_of_life(world: World) -> None:
    signs, own = world.a.signs, world.a.own_ip
    assert signs.icmp(own, world.b.own_ip, 1.0)
    assert not signs.icmp(own, "10.9.8.77", 0.05)
    assert not signs.tcp(own, world.b.own_ip, 22, 0.2)
    world.unplug(world.b)
    assert not signs.icmp(own, world.b.own_ip, 0.05)
