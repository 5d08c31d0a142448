"""Connections of the active: told with each cycle, kept by the standby, and ended once it has taken over (B8)."""

from collections.abc import Callable
from contextlib import suppress
from itertools import groupby

import msgspec

from beistand.domain.connections import Carried, Connection, acceptable, dead_connections, packed, unpacked
from beistand.domain.errors import BeistandError
from beistand.domain.generation import Generation
from beistand.domain.phones import Contact
from beistand.ports.node import Node

CARRIED = "tcp-connections"
"""Name of the document that holds what the active said last."""
KICKED = "tcp-connections-ended"
"""Name of the document that holds the epoch in which the dead connections were ended."""
AT_ONCE = 100
"""Connections ended in one go: three packets each, and no network sees more than 400 packets a second."""


def established(node: Node) -> tuple[Connection, ...]:
    """Return the connections that die with this appliance."""
    addresses = [each.address for each in node.installation.service_addresses]
    return node.connections.established(addresses)


def keep_connections(node: Node, generation: Generation, connections: tuple[Connection, ...]) -> None:
    """Keep what the active said beside this generation, which was imported."""
    carried = Carried(
        pair=generation.pair,
        epoch=generation.epoch,
        connections=packed(acceptable(connections, node.installation)),
    )
    with suppress(BeistandError):  # a full disk makes phones late; it makes no failure of an import
        body = msgspec.json.encode(carried)
        if body != node.store.get(CARRIED):
            node.store.put(CARRIED, body)


def end_dead_connections(node: Node, known: tuple[Contact, ...], pause: Callable[[], bool]) -> int:
    """End the former active's connections, once an epoch; return how many were ended now.

    In a later restart the connections were our own, and the kernel ended them. `pause` comes between two goes and
    says whether to go on. `known` are the contacts from before the start of the PBX.
    """
    epoch = str(node.store.standing().epoch).encode()
    if node.store.get(KICKED) == epoch:
        return 0
    found = dead_connections(_carried(node), known, node.profile.sip.tcp_ports)
    dead = tuple(each for each in found if acceptable([each], node.installation))
    if not dead:
        return 0
    for at in range(0, len(dead), AT_ONCE):
        if at and not pause():
            return at
        _end(node, dead[at : at + AT_ONCE])
    node.store.put(KICKED, epoch, vital=True)
    return len(dead)


def _end(node: Node, dead: tuple[Connection, ...]) -> None:
    for port, group in groupby(dead, lambda each: each.port):
        peers = [(each.peer, each.peer_port) for each in group]
        node.sip.end_dead_connections(node.installation.service_ip, port, peers)


def _carried(node: Node) -> tuple[Connection, ...]:
    """Return what the active said that this appliance has taken over from; nothing of an earlier one."""
    body, pair, grant = node.store.get(CARRIED), node.store.pair(), node.store.standing().grant
    if body is None or pair is None or grant is None:
        return ()
    carried = msgspec.json.decode(body, type=Carried)
    is_of_dead = (carried.pair, carried.epoch) == (pair.id, grant.parent)
    return unpacked(carried.connections) if is_of_dead else ()
