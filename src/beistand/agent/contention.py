"""Two hold one address, and no grant decides between them: both are told, and the later one gives way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beistand.agent.announcer import Announcer
from beistand.agent.log import log
from beistand.domain.errors import BeistandError
from beistand.domain.serving import GIVE_UP, Act, gives_way
from beistand.operations.overlooking import overlooked

if TYPE_CHECKING:
    from collections.abc import Callable

    from beistand.agent.agent import Agent
    from beistand.agent.serving_acts import ServingActs
    from beistand.ports.node import Node

GIVE_WAY = (Act.FORGET_CHECK, *GIVE_UP)
"""A look around comes before the address again: while the other one answers for it, this one stays held."""


def announcer_of(
    agent: Agent, acts: ServingActs, alarm: Callable[[str], None], is_overruled: Callable[[str], bool]
) -> Announcer:
    """Return the announcer of this agent, which gives way where it has to."""
    return Announcer(agent.wiring.arp, agent.clock, alarm, is_overruled, AgeContention(agent, acts))


class AgeContention:
    """Asked by the announcing thread about each claim of a rival."""

    def __init__(self, agent: Agent, acts: ServingActs) -> None:
        self._agent = agent
        self._acts = acts
        self._peer_mac = self._forger = ""
        self._since: float | None = None

    def note(self) -> None:
        """Learn since when we serve, and who the peer is: a thread that announces asks no disk."""
        pair, checked = self._agent.store.pair(), self._acts.checked()
        self._peer_mac = pair.peer.mac.lower() if pair else ""
        self._since = checked.since if checked else None
        self._forger = overlooked(self._agent.store)

    def is_lost(self, node: Node, mac: str, send: Callable[[Callable[[], None]], None]) -> bool:
        """Tell the rival for how long we serve, and give way to one that has served longer; return whether we did.

        The peer's claim is a matter of grants. A machine that tells nothing is no appliance: it is defended against.
        Who tells must hold the address, too: a frame that anybody can send ends no service by itself.
        """
        if self._since is None or mac.lower() in (self._peer_mac, self._forger):
            return False
        interface, address = node.installation.interface, node.installation.service_ip
        mine = self._agent.clock.monotonic() - self._since
        send(lambda: node.arp.contend(interface, address, mine))
        try:
            theirs = node.arp.contended(interface, mac)
            is_lost = theirs is not None and gives_way(
                mine, theirs, my_mac=node.addresses.mac(interface), their_mac=mac
            )
            if not is_lost or node.arp.fast_probe(interface, address).lower() != mac.lower():
                return False
        except BeistandError:
            return False  # the link is down: nobody is disturbed
        log("gave-way", level="error", mac=mac, address=address)
        self._acts.carry_out(GIVE_WAY)
        return True
