"""The check before this boot's first serving (R2): gathers what `boot_verdict` judges."""

from math import inf

from beistand.domain.boot import BootVerdict, Serve, Wait, boot_verdict
from beistand.domain.errors import Failed
from beistand.domain.pair import Greeting
from beistand.operations.overlooking import overlooked
from beistand.ports.node import Node

ASK_SECONDS = 0.3
"""Of each of the two questions: a neighbour answers within milliseconds."""


def boot_check(
    node: Node, greeting: Greeting | None, *, waited_seconds: float, is_asked: bool = False
) -> BootVerdict:
    """Ask who answers for the service addresses, and judge.

    `is_asked`: a person wants this appliance to serve. Then a peer that is silent is not waited for, also
    in strict mode; an address that somebody has is not taken.

    Nobody serves whose own address is not on its interface: it is waited for, whoever asks.

    `greeting` is what the peer answered just now, None while it is silent. `waited_seconds` counts from
    the first look of this boot. Nothing that is sent carries a service address as its sender.
    """
    installation = node.installation
    wanted = [each.address for each in installation.service_addresses]
    can_hear = node.addresses.carrier(installation.interface)
    macs: dict[str, str] = {}
    if can_hear:
        if not node.addresses.has(installation.interface, installation.own_ip):
            return Wait()  # whoever serves without it is a copy, or its pair cannot reach it
        try:
            macs = _holders(node, wanted, overlooked(node.store))
        except Failed:
            can_hear = False
    verdict = boot_verdict(
        node.store.standing(),
        greeting,
        holder_macs=tuple(macs[each] for each in wanted if each in macs),
        is_paired=node.store.pair() is not None,
        waited_seconds=inf if is_asked else waited_seconds,
        is_strict=installation.strict_boot and not is_asked,
    )
    # Without a link silence means nothing, and nobody could call anyway.
    return Wait() if isinstance(verdict, Serve) and not can_hear else verdict


def _holders(node: Node, wanted: list[str], forger: str) -> dict[str, str]:
    """Return who answers for these addresses: asked as nobody, then from the own address. Raises Failed.

    A machine whose own address ours is, too, does not answer the second question: its kernel takes it for its own.
    Some devices do not answer the first one.
    """
    interface = node.installation.interface
    if forger:
        return _beside(node, wanted, forger)
    found = node.arp.ask(interface, wanted, ASK_SECONDS, as_nobody=True).macs
    return found or dict(node.arp.ask(interface, wanted, ASK_SECONDS).macs)


def _beside(node: Node, wanted: list[str], forger: str) -> dict[str, str]:
    """Return who answers beside a forgery, which may be the first to answer everything."""
    found = {each: node.arp.fast_probe(node.installation.interface, each, forger) for each in wanted}
    return {each: mac for each, mac in found.items() if mac}
