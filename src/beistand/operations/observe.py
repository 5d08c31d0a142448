"""Look around: what the network and the peer show right now. Changes nothing."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from ipaddress import IPv4Interface
from typing import NamedTuple

from beistand.domain.errors import Failed
from beistand.domain.facts import NOBODYS, Facts, PeerSigns
from beistand.domain.generation import Copy
from beistand.domain.judging import Judging
from beistand.domain.pair import Greeting, Pair
from beistand.domain.phones import phones
from beistand.ports.node import Node

LOOK_SECONDS = 0.4
"""Every layer is asked at once and for so long: a neighbour answers within milliseconds."""

MOST_WITNESSES = 64
"""Phones asked in one look; more would only make the broadcast louder."""

SSH = 22


def observe(node: Node, copy: Copy | None, *, greeting: Greeting | None, import_running: bool) -> Facts:
    """Ask every layer at once and return what was seen, after about half a second.

    `greeting` is what the peer's agent said within the last seconds, None while it is silent; `copy` is
    what a takeover would serve.
    """
    installation, pair = node.installation, node.store.pair()
    judging = Judging()
    peer_ip = judging.part("peer-address", lambda: _peer_ip(pair), "")
    none: tuple[str, ...] = ()
    witnesses = judging.part("witnesses", lambda: phone_witnesses(node), none)
    gateway = judging.part("gateway", node.addresses.gateway, "")
    service = [each.address for each in installation.service_addresses]
    arp, icmp, ssh, sip = _asked_at_once(node, peer_ip, (*service, peer_ip, gateway, *witnesses))
    macs = arp.result()  # without these nothing is known at all: then the whole look has failed
    peer_mac = pair.peer.mac.lower() if pair else ""
    is_pinged, is_open, answers = (
        judging.part(name, asked.result, otherwise=False)
        for name, asked in (("icmp", icmp), ("ssh", ssh), ("sip", sip))
    )
    holder = _holder([macs[each] for each in service if each in macs], peer_mac)
    seen = judging.part(
        "stranger", lambda: _of_stranger(node, holder, macs, service, (peer_ip, peer_mac)), _NOTHING
    )
    return Facts(
        at=node.clock.now(),
        carrier=node.addresses.carrier(installation.interface),
        gateway=gateway in macs if gateway else None,
        phones_known=len(witnesses),
        phones_answering=len(set(witnesses) & set(macs)),
        holder_mac=holder,
        holder_answers_for=seen.answers_for,
        peer_answers_as=seen.peer_answers_as or macs.get(peer_ip, ""),
        peer_mac=peer_mac,
        peer=PeerSigns(arp=peer_ip in macs, icmp=is_pinged, ssh=is_open, agent=greeting is not None),
        peer_epoch=greeting.grant.epoch if greeting and greeting.grant else 0,
        sip=answers and not node.addresses.held(installation),
        copy=copy,
        import_running=import_running,
        own_data=copy is None and node.store.standing().has_own_data,
        unseen=tuple(str(each.fields["part"]) for each in judging.failed),
        unseen_why=str(judging.failed[0].fields["why"]) if judging.failed else "",
    )


def _asked_at_once(
    node: Node, peer_ip: str, addresses: tuple[str, ...]
) -> tuple[Future[dict[str, str]], Future[bool], Future[bool], Future[bool]]:
    """Return what ARP, ping, SSH and SIP answered, or why they did not."""
    own, address = node.installation.own_ip, node.installation.service_ip
    with ThreadPoolExecutor(max_workers=4) as pool:
        return (
            pool.submit(_asked, node, addresses),
            pool.submit(_if_known(node.signs.icmp, peer_ip), own, peer_ip, LOOK_SECONDS),
            pool.submit(_if_known(node.signs.tcp, peer_ip), own, peer_ip, SSH, LOOK_SECONDS),
            pool.submit(node.sip.options, own, address, node.profile.sip.udp_port, LOOK_SECONDS),
        )


def phone_witnesses(node: Node) -> tuple[str, ...]:
    """Return the addresses of known phones that ARP can reach, each once."""
    installation = node.installation
    ours = {installation.own_ip, *(each.address for each in installation.service_addresses)}
    known = dict.fromkeys(each.address for each in phones(node.contacts.list(node.profile)))
    near = [each for each in known if installation.in_subnet(each) and each not in ours]
    return tuple(near[:MOST_WITNESSES])


def _asked(node: Node, addresses: tuple[str, ...]) -> dict[str, str]:
    wanted = [each for each in dict.fromkeys(addresses) if each and node.installation.in_subnet(each)]
    try:
        return node.arp.ask(node.installation.interface, wanted, LOOK_SECONDS).macs
    except Failed:
        return {}  # the link is down: `carrier` tells


class _Stranger(NamedTuple):
    """What else is seen of a MAC that is not the peer's, and of the peer beside it."""

    answers_for: tuple[str, ...] = ()
    peer_answers_as: str = ""


_NOTHING = _Stranger()


def _of_stranger(
    node: Node, holder: str, macs: Mapping[str, str], service: Sequence[str], peer: tuple[str, str]
) -> _Stranger:
    """Ask for addresses that nobody can have, and for the peer, whose answer a faster one may hide.

    `peer` is its own address and its MAC. Asked only where there is a stranger.
    """
    peer_ip, peer_mac = peer
    if not holder or holder.lower() == peer_mac:
        return _NOTHING
    interface, all_macs = node.installation.interface, dict(macs)
    beside: tuple[str, ...] = ()
    with suppress(Failed):  # the link is down: `carrier` tells
        all_macs |= node.arp.ask(interface, NOBODYS, LOOK_SECONDS).macs
        beside = node.arp.holders(interface, [peer_ip], LOOK_SECONDS) if peer_ip else ()
    return _Stranger(
        answers_for=tuple(
            sorted(each for each, mac in all_macs.items() if mac == holder and each not in service)
        ),
        peer_answers_as=next((each for each in beside if each.lower() == peer_mac), ""),
    )


def _holder(macs: list[str], peer_mac: str) -> str:
    """Return who answers for a service address; a stranger before the peer."""
    strangers = [each for each in macs if each.lower() != peer_mac]
    return next(iter([*strangers, *macs]), "")


def _peer_ip(pair: Pair | None) -> str:
    return str(IPv4Interface(pair.peer.own_address).ip) if pair else ""


def _if_known(ask: Callable[..., bool], address: str) -> Callable[..., bool]:
    return ask if address else lambda *_: False
