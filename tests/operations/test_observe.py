"""What the standby sees (S20), on the segment in memory."""

from typing import Any

import pytest

from beistand.domain.boot import Held, Serve, StandBy, Wait
from beistand.domain.facts import NOBODYS, Facts, Verdict
from beistand.domain.phones import Contact, Phone, phone, phones
from beistand.domain.safety import verdict
from beistand.operations.boot_check import boot_check
from beistand.operations.observe import observe
from fakes.network import Machine
from fakes.pair_of_appliances import ADDRESS, World
from fakes.situations import A_MAC, STRANGER_MAC, imported


@pytest.fixture
def world() -> World:
    """Return two appliances, a router and two phones that are registered."""
    made = World()
    made.segment.machines += [
        Machine("02:00:00:00:00:fe", "192.0.2.254"),
        Machine("02:00:00:00:00:50", "192.0.2.50"),
        Machine("02:00:00:00:00:51", "192.0.2.51"),
    ]
    made.a.machine.open_ports = {22}
    return made


def look(world: World, **changes: Any) -> Facts:
    talks = world.can_talk() and world.a.agent_runs
    heard = world.a.greeting() if talks else None
    asked = {"greeting": heard, "import_running": False, **changes}
    return observe(world.b.node, imported(), **asked)


def test_all_is_well(world: World) -> None:
    seen = look(world)
    assert verdict(seen) is Verdict.PEER_HOLDS
    assert (seen.holder_mac, seen.peer_epoch, seen.sip) == (A_MAC, 2, True)
    assert (seen.phones_known, seen.phones_answering, seen.gateway) == (2, 2, True)
    assert all([seen.peer.arp, seen.peer.icmp, seen.peer.ssh, seen.peer.agent])


def test_the_active_is_dead(world: World) -> None:
    world.kill_a()
    seen = look(world)
    assert verdict(seen) is Verdict.PEER_GONE
    assert not seen.peer.any


def test_its_pbx_hangs_and_its_agent_is_dead(world: World) -> None:
    """F23."""
    world.a.agent_runs = False
    world.a.machine.answers_sip = False
    assert verdict(look(world)) is Verdict.PEER_HOLDS


def test_the_standby_is_isolated(world: World) -> None:
    """F24."""
    world.segment.cut = [world.b.machine]
    assert verdict(look(world)) is Verdict.ISOLATED
    world.segment.cut = []
    world.b.machine.has_carrier = False
    seen = look(world)
    assert verdict(seen) is Verdict.ISOLATED
    assert not seen.carrier


def test_a_cable_between_two_switches_is_cut(world: World) -> None:
    """F21: the router is on our side, the phones and the active on the other."""
    world.segment.cut = [each for each in world.segment.machines if each.own_ip != "192.0.2.254"]
    world.segment.cut.remove(world.b.machine)
    seen = look(world)
    assert verdict(seen) is Verdict.PARTITION
    assert seen.phones_answering == 0


def test_a_stranger_comes_before_the_peer(world: World) -> None:
    world.kill_a()
    world.stranger.held.add(ADDRESS)
    seen = look(world)
    assert (verdict(seen), seen.holder_mac) == (Verdict.FOREIGN, STRANGER_MAC)


def test_what_speaks_for_a_forgery_is_gathered(world: World) -> None:
    """D17: a stranger that answers for anything, and the peer that answers for itself."""
    world.stranger.held |= {ADDRESS, NOBODYS[1], "192.0.2.254"}
    world.segment.machines.remove(world.stranger)
    world.segment.machines.insert(0, world.stranger)
    seen = look(world)
    assert verdict(seen) is Verdict.FOREIGN
    assert seen.holder_answers_for == ("192.0.2.254", NOBODYS[1])
    assert seen.peer_answers_as == world.a.machine.mac


def test_a_stranger_that_is_the_first_to_answer_for_the_peer_hides_it_not(world: World) -> None:
    world.stranger.held |= {ADDRESS, world.a.machine.own_ip}
    world.segment.machines.remove(world.stranger)
    world.segment.machines.insert(0, world.stranger)
    assert look(world).peer_answers_as == world.a.machine.mac
    world.kill_a()
    assert look(world).peer_answers_as == STRANGER_MAC


def test_nobody_is_asked_for_impossible_addresses_while_no_stranger_is_there(world: World) -> None:
    assert look(world).holder_answers_for == ()


def test_without_a_gateway_it_is_not_called_silent(world: World) -> None:
    world.b.machine.gateway = ""
    assert look(world).gateway is None


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:101@10.77.0.21:5062", Phone(address="10.77.0.21", port=5062, is_connected=False)),
        ("sip:101@10.77.0.21", Phone(address="10.77.0.21", port=5060, is_connected=False)),
        ("<sip:10.77.0.21:5060;ob>", Phone(address="10.77.0.21", port=5060, is_connected=False)),
        ("sip:1@10.77.0.21:4711;transport=TCP;ob", Phone(address="10.77.0.21", port=4711, is_connected=True)),
        (
            "sip:1@10.77.0.21:4711^3Btransport=tls",
            Phone(address="10.77.0.21", port=4711, is_connected=True, is_secure=True),
        ),
        ("sip:x1@10.77.0.21:4711^3Btransport=ws", Phone(address="10.77.0.21", port=4711, is_connected=True)),
        ("sips:1@10.77.0.21", Phone(address="10.77.0.21", port=5061, is_connected=True, is_secure=True)),
        ("sip:101@phone.example.com", None),
        ("sip:101@[2001:db8::1]:5060", None),
        ("sip:101@10.77.0.999", None),
        ("tel:101", None),
        ("", None),
    ],
)
def test_a_phone_is_read_from_its_contact(uri: str, expected: Phone | None) -> None:
    assert phone(uri) == expected


def test_a_phone_with_two_contacts_is_one() -> None:
    uris = ("sip:1@10.0.0.1", "sip:2@10.0.0.1:5060", "sip:x@host")
    assert len(phones(Contact(uri=each) for each in uris)) == 1


def test_phones_of_other_subnets_and_ourselves_are_no_witnesses(world: World) -> None:
    world.b.contacts.uris = ("sip:1@198.51.100.7", f"sip:2@{ADDRESS}", "sip:3@192.0.2.2", "sip:4@192.0.2.50")
    assert look(world).phones_known == 1


def test_boot_check_asks_the_network(world: World) -> None:
    """R2, as it is gathered; the judgement itself has its own table."""
    a = world.a
    a.lose_power()
    assert boot_check(a.node, world.b.greeting(), waited_seconds=0) == Serve(verified=True)
    assert boot_check(a.node, None, waited_seconds=0) == Wait()
    assert boot_check(a.node, None, waited_seconds=121) == Serve(verified=False)
    world.stranger.held.add(ADDRESS)
    assert boot_check(a.node, world.b.greeting(), waited_seconds=0) == Held(mac=STRANGER_MAC)
    assert boot_check(world.b.node, None, waited_seconds=999) == StandBy()


def test_boot_check_without_a_cable_never_serves(world: World) -> None:
    world.a.lose_power()
    world.a.machine.has_carrier = False
    assert boot_check(world.a.node, None, waited_seconds=999) == Wait()
    world.a.store.peer = None
    assert boot_check(world.a.node, None, waited_seconds=999) == Wait()


def test_boot_check_claims_nothing(world: World) -> None:
    """F19."""
    world.a.lose_power()
    boot_check(world.a.node, None, waited_seconds=999)
    assert world.segment.frames == []
