"""While the peer is silent, a serving appliance looks for it by ARP: both act within a moment of a line's healing.

A greeting takes a second or two to go out again over a line that was dead; until then two may serve (F21).
"""

from __future__ import annotations

from ipaddress import IPv4Interface
from threading import Event, Thread
from typing import TYPE_CHECKING

from beistand.agent.link import CONNECT_WITHIN
from beistand.agent.log import log
from beistand.domain.errors import Failed
from beistand.domain.healing import SILENT_SECONDS

if TYPE_CHECKING:
    from beistand.agent.agent import Agent

ASK_SECONDS = 0.2
"""Between two questions, which go to the peer's MAC alone."""
CALM_SECONDS = 1.0
"""Between two looks whether there is a reason to ask."""


class Healing:
    """A thread of its own. A peer whose machine answers and whose agent does not is left to the link."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._stopping = Event()
        self._was_silent = False

    def start(self) -> None:
        Thread(target=self._run, name="healing", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def turn(self) -> float:
        """Look for the peer if it is silent; return the seconds until the next turn."""
        agent = self._agent
        pair = agent.store.pair() if agent.is_initialised else None
        if pair is None or not agent.keeper.is_serving or agent.link.silent_seconds() < SILENT_SECONDS:
            self._was_silent = False
            return CALM_SECONDS
        installation = agent.node.installation
        address = str(IPv4Interface(pair.peer.own_address).ip)
        try:
            is_there = agent.node.arp.reaches(installation.interface, address, pair.peer.mac, ASK_SECONDS)
        except Failed:
            self._was_silent = True  # our own cable: whoever plugs it in again heals the line, too
            return ASK_SECONDS
        if not is_there:
            self._was_silent = True
            return 0.0
        if self._was_silent:
            self._was_silent = False
            log("peer-seen", address=address)
            agent.keeper.peer_seen()
            agent.link.ask(CONNECT_WITHIN)
        return CALM_SECONDS

    def _run(self) -> None:
        clock = self._agent.clock
        while not self._stopping.is_set():
            pause = CALM_SECONDS
            with self._agent.complaints.about("healing"):
                pause = self.turn()
            clock.wait(self._stopping, pause)
