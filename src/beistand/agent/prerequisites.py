"""Network and prerequisites (S4), as both sides are: one row each, whatever is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from beistand.adapters.web_certificate import fingerprint
from beistand.domain.checks import checks, outlook_rows
from beistand.protocol import Check, GetNetwork, NetworkView

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.agent.caller import Caller


def network(agent: Agent, _request: GetNetwork, _caller: Caller) -> NetworkView:
    """Return what is known; before `init` what this machine could be."""
    wiring = agent.wiring
    if not agent.is_initialised:
        candidates = wiring.addresses.candidates()
        return NetworkView(
            own=None,
            peer=None,
            candidates=tuple(address for address, _ in candidates),
            interfaces=tuple(interface for _, interface in candidates),
            certificate=fingerprint(wiring.places.web_certificate),
            profiles=wiring.profiles.fitting(),
        )
    node, mine, pair = agent.node, agent.appliance(), agent.store.pair()
    heard = agent.link.current()
    theirs = heard.appliance if heard else pair.peer if pair else None
    now = agent.peer_clock.now() if heard else mine.now
    known = msgspec.structs.replace(theirs, now=now) if theirs else None
    seen, told = agent.lookout.outlook(), heard.outlook if heard else None
    around = outlook_rows(seen, told, mine.host, theirs.host) if theirs else ()
    installation = node.installation
    return NetworkView(
        own=mine,
        peer=theirs,
        interface="lo" if installation.on_loopback else installation.interface,
        subnet=installation.subnet,
        is_holding=bool(node.addresses.held(installation)),
        certificate=fingerprint(wiring.places.web_certificate),
        checks=tuple(
            Check(code=each.code, own=each.own, peer=each.peer, finding=each.finding)
            for each in (*checks(mine, known, agent.complaints.judged), *around)
        ),
    )
