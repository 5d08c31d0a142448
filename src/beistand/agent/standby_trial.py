"""The test button of S13: what works on the way to the standby, step by step, up to the first that does not."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from typing import TYPE_CHECKING

from beistand import __version__
from beistand.adapters.keys import fingerprint
from beistand.domain.errors import BeistandError, PeerError, Refused
from beistand.domain.pair import Greeting
from beistand.protocol import Trial, TrialStep, TryStandby

if TYPE_CHECKING:
    from collections.abc import Callable

    from beistand.agent.agent import Agent
    from beistand.agent.caller import Caller
    from beistand.domain.pair import Pair

SSH_PORT = 22
ARP_SECONDS = 1.0
TCP_SECONDS = 3.0
GREET_SECONDS = 15.0


def try_standby(agent: Agent, request: TryStandby, _caller: Caller) -> Trial:
    """Try; may take half a minute. Before pairing the trial ends with the host key.

    Raises Refused `standby-server-missing`: there is no peer, and no address was given.
    """
    pair = agent.store.pair() if agent.is_initialised else None
    server = request.server.strip() or (pair.peer.own_address.split("/")[0] if pair else "")
    if not server:
        raise Refused("standby-server-missing")
    way = _Way(agent, server, pair)
    steps = [
        ("standby-address", way.address),
        ("arp", way.arp),
        ("ssh-port", way.tcp),
        ("host-key", way.host_key),
    ]
    if pair is not None and server == pair.peer.own_address.split("/")[0]:
        steps += [("key", way.key), ("agent", way.answers), ("version", way.version), ("role", way.role)]
    done: list[TrialStep] = []
    for code, step in steps:
        done.append(_tried(agent, code, step))
        if not done[-1].works:
            break
    return Trial(steps=tuple(done))


def _tried(agent: Agent, code: str, step: Callable[[], None]) -> TrialStep:
    began, why = agent.clock.monotonic(), None
    try:
        step()
    except BeistandError as error:
        why = error.message
    seconds = round(agent.clock.monotonic() - began, 3)
    return TrialStep(code=code, works=why is None, why=why, seconds=seconds)


class _Way:
    """Each step raises BeistandError with what does not work."""

    def __init__(self, agent: Agent, server: str, pair: Pair | None) -> None:
        self._agent, self._server, self._pair = agent, server, pair
        self._node = agent.node
        self._own_ip = agent.node.installation.own_ip
        self._greeting: Greeting | None = None
        self._trouble: BeistandError | None = None

    def address(self) -> None:
        installation = self._node.installation
        try:
            IPv4Address(self._server)
        except AddressValueError:
            raise Refused("standby-server-form", server=self._server) from None
        own = (installation.own_ip, *(each.address for each in installation.service_addresses))
        if self._server in own:
            raise Refused("standby-server-own", server=self._server)
        if not installation.in_subnet(self._server):
            raise Refused("standby-server-outside", server=self._server, subnet=installation.subnet)

    def arp(self) -> None:
        interface = self._node.installation.interface
        mac = self._node.arp.ask(interface, [self._server], ARP_SECONDS).macs.get(self._server, "")
        if not mac:
            raise Refused("no-layer-2", server=self._server, interface=interface)

    def tcp(self) -> None:
        if not self._node.signs.tcp(self._own_ip, self._server, SSH_PORT, TCP_SECONDS):
            raise Refused("peer-port-closed", server=self._server)

    def host_key(self) -> None:
        found = self._agent.wiring.introduction.host_key(self._own_ip, self._server)
        is_peer = self._pair is not None and self._server == self._pair.peer.own_address.split("/")[0]
        if not is_peer or self._pair is None or not self._pair.peer_host_key:
            return
        expected = fingerprint(self._pair.peer_host_key)
        if found.fingerprint != expected:
            raise PeerError(
                "host-key-changed", server=self._server, expected=expected, found=found.fingerprint
            )

    def key(self) -> None:
        """See our key taken; what the agent there says is the next step's."""
        peer, mine = self._node.peer, self._agent.greeting()
        if peer is None or mine is None:
            raise Refused("not-paired")
        try:
            self._greeting = peer.greet(mine, GREET_SECONDS)
        except BeistandError as error:
            if error.message.code in KEY_TROUBLES:
                raise
            self._trouble = error

    def answers(self) -> None:
        if self._trouble is not None:
            raise self._trouble

    def version(self) -> None:
        theirs = self._heard.appliance
        if theirs.beistand_version != __version__:
            raise Refused(
                "beistand-versions-differ",
                mine=__version__,
                theirs=theirs.beistand_version,
                peer=theirs.host,
            )

    def role(self) -> None:
        """Both must know the same active."""
        heard, mine = self._heard, self._node.store.standing().grant
        if heard.grant is None or mine is None or heard.grant.holder != mine.holder:
            raise Refused("standby-has-other-active", host=heard.appliance.host)

    @property
    def _heard(self) -> Greeting:
        if self._greeting is None:
            raise Refused("peer-silent", server=self._server)
        return self._greeting


KEY_TROUBLES = (
    "peer-key-refused",
    "host-key-changed",
    "host-key-unknown",
    "peer-line-lost",
    "peer-port-closed",
)
