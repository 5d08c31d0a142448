"""Connections that the active told: which ones a packet may be sent for, and which ones are dead (B8)."""

import msgspec
import pytest

from beistand.domain.connections import (
    MOST_CONNECTIONS,
    Connection,
    Packed,
    acceptable,
    dead_connections,
    packed,
    unpacked,
)
from beistand.domain.phones import Contact
from fakes.standby import INSTALLATION


def one(peer: str = "192.0.2.50", port: int = 5061, peer_port: int = 40000) -> Connection:
    return Connection(port=port, peer=peer, peer_port=peer_port)


@pytest.mark.parametrize("peer", ["192.0.2.50", "10.7.0.1", "203.0.113.9"])
def test_a_phone_or_a_provider_may_be_told(peer: str) -> None:
    assert acceptable([one(peer)], INSTALLATION) == (one(peer),)


@pytest.mark.parametrize(
    "peer",
    [
        INSTALLATION.own_ip,
        INSTALLATION.service_ip,
        "192.0.2.255",  # everybody in the segment
        "192.0.2.0",
        "255.255.255.255",
        "224.0.0.1",
        "239.255.255.250",
        "127.0.0.1",
        "0.0.0.0",
        "240.0.0.1",
    ],
)
def test_what_is_no_phone_gets_no_packet(peer: str) -> None:
    assert acceptable([one(peer), one()], INSTALLATION) == (one(),)


def test_of_too_many_and_of_doubles_some_are_left() -> None:
    many = [one(peer_port=1 + at) for at in range(3 * MOST_CONNECTIONS)]
    assert len(acceptable(many, INSTALLATION)) == MOST_CONNECTIONS
    assert acceptable([one(), one()], INSTALLATION) == (one(),)


@pytest.mark.parametrize(
    ("arrived", "understood"),
    [
        (b"", ()),
        (bytes([0x13, 0xC5, 192, 0, 2, 50, 0x9C, 0x40]), (one(),)),
        (bytes([0x13, 0xC5, 192, 0, 2, 50, 0x9C, 0x40, 0x13]), (one(),)),
        (bytes([0, 0, 192, 0, 2, 50, 0x9C, 0x40]), ()),
        (bytes([0x13, 0xC5, 192, 0, 2, 50, 0, 0]), ()),
    ],
)
def test_what_arrives_is_understood_as_far_as_it_is_whole(
    arrived: bytes, understood: tuple[Connection, ...]
) -> None:
    assert unpacked(arrived) == understood


def test_a_thousand_come_over_and_weigh_little() -> None:
    many = tuple(one(f"192.168.{at // 250}.{at % 250 + 1}", peer_port=40000 + at) for at in range(1000))
    body = msgspec.json.encode(packed(many))
    assert len(body) < 11_000
    assert unpacked(msgspec.json.decode(body, type=Packed)) == many


def test_no_more_than_the_most_are_sent_or_taken() -> None:
    many = packed(one(peer_port=1 + at) for at in range(MOST_CONNECTIONS + 1))
    assert len(unpacked(many)) == MOST_CONNECTIONS
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(many + many[:8]), type=Packed)


TLS = Contact(uri="sip:101@192.0.2.50:5062;transport=tls", survives=False)
TCP = Contact(uri="sip:102@192.0.2.51:40001;transport=TCP", survives=False)
UDP = Contact(uri="sip:103@192.0.2.52:5060")


def test_a_phone_whose_connection_was_told_is_not_guessed() -> None:
    """Its contact may name a port that the connection does not have."""
    assert dead_connections([one()], [TLS], (5060,)) == (one(),)


def test_a_phone_that_was_not_told_is_tried_on_each_port() -> None:
    assert dead_connections([], [TCP, UDP], (5060, 5061)) == (
        one("192.0.2.51", 5060, 40001),
        one("192.0.2.51", 5061, 40001),
    )


def test_phones_come_before_all_others() -> None:
    page, trunk = one("192.0.2.40", 8443), one("203.0.113.9", 51000, 5061)
    found = dead_connections([page, trunk, one()], [TLS, TCP], (5060,))
    assert found == (one(), one("192.0.2.51", 5060, 40001), page, trunk)


def test_several_connections_of_one_address_are_all_ended() -> None:
    """Phones behind one router, or a phone that opened another one."""
    several = [one(peer_port=each) for each in (40000, 40001, 40002)]
    assert dead_connections(several, [TLS], (5060,)) == tuple(several)
