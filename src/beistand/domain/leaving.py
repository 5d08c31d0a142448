"""Beistand is taken away from a machine: as what does the machine go on, and what has to stand in its files then."""

from enum import StrEnum
from ipaddress import IPv4Interface

from beistand.domain.errors import Refused
from beistand.domain.network_file import Manager
from beistand.domain.role import Role, Standing
from beistand.domain.value import Value


class Part(StrEnum):
    """What a machine is once Beistand is gone."""

    SERVES = "serves"
    """The PBX of its phones: it keeps their address, in its network files from now on, and its PBX starts at boot."""
    STANDS_BY = "stands-by"
    """Another machine is, or nobody knows better: no address, and no PBX that starts by itself."""
    NOTHING = "nothing"
    """It never was an appliance, or is none any more: nothing of it is Beistand's."""


class LeaveFacts(Value, frozen=True, kw_only=True):
    """What decides it; all of it can be seen without an agent that runs."""

    is_known: bool = True
    """The state could be read; else `standing` says nothing."""
    standing: Standing | None = None
    """None: no appliance."""
    is_released: bool = False
    """Given up for a claim of the other appliance."""
    holds: bool = False
    """The address of the phones stands on an interface here."""
    other: str = ""
    """MAC of another machine that answers for it."""
    was_heard: bool = True
    """There was somebody who could have heard the question: the link is up."""
    is_paired: bool = False
    address: str = ""
    said: Part | None = None
    """A person said it."""


def part_of(facts: LeaveFacts) -> Part:
    """Return what the machine goes on as.

    Raises Refused `leave-two-holders`, `leave-unclear`: where a guess could leave the phones to nobody, or to two.
    """
    if facts.said is not None:
        return facts.said
    if not facts.is_known:
        if facts.other:
            return Part.STANDS_BY if not facts.holds else _two(facts)
        if facts.holds:
            return Part.SERVES
        raise Refused("leave-unclear", address=facts.address or "-")
    if facts.standing is None:
        return Part.NOTHING
    if facts.standing.role is not Role.ACTIVE or facts.is_released:
        return Part.STANDS_BY
    if facts.other:
        return _two(facts) if facts.holds else Part.STANDS_BY
    if facts.holds or facts.was_heard or not facts.is_paired:
        return Part.SERVES
    raise Refused("leave-unclear", address=facts.address or "-")


def _two(facts: LeaveFacts) -> Part:
    raise Refused("leave-two-holders", address=facts.address, mac=facts.other)


def with_length_of(own_address: str, ip: str) -> str:
    """Return a service address with the prefix length of the own address."""
    return f"{ip}/{IPv4Interface(own_address).network.prefixlen}"


def line_to_write(manager: str, interface: str, address: str) -> str:
    """Return the line that gives this address (with prefix length) to the interface, as its manager reads it."""
    match manager:
        case Manager.NETWORKD:
            return f"[Network] Address={address}"
        case Manager.IFUPDOWN:
            return f"iface {interface} inet static / address {address}"
        case Manager.NETWORK_MANAGER:
            return f"[ipv4] address1={address}"
        case Manager.NETPLAN:
            return f"{interface}: addresses: [{address}]"
        case _:
            return f"ip address add {address} dev {interface}"
