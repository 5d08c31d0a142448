"""Beside evidence and plan of a takeover: lines, and the network settings that will be used (S3, S20)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from beistand.domain import health
from beistand.domain.finding import Severity
from beistand.domain.judging import Judging
from beistand.domain.message import Message, message

if TYPE_CHECKING:
    from beistand.agent.agent import Agent
    from beistand.domain.installation import Installation
    from beistand.domain.pair import Appliance

COMPARED: tuple[health.Rule, ...] = (
    health.gateway_differs,
    health.dns_differs,
    health.vlan_differs,
    health.time_servers_differ,
)


def lines(agent: Agent) -> tuple[str, ...]:
    """Return the trunks and registrations that come to life, as the data here names them."""
    return agent.wiring.lines.list(agent.node.profile)


def network(agent: Agent, judging: Judging) -> tuple[Message, ...]:
    """Return what will be used, and behind it what differs from what the active last said of itself."""
    pair = agent.store.pair()
    return told(agent.node.installation, agent.appliance(), pair.peer if pair else None, judging)


def told(
    installation: Installation, mine: Appliance, theirs: Appliance | None, judging: Judging | None = None
) -> tuple[Message, ...]:
    interface = "lo" if installation.on_loopback else installation.interface
    taken = [
        message("will-take-address", address=each.address, prefix=32, interface=interface)
        for each in installation.service_addresses
    ]
    used = [
        message("will-use-subnet", subnet=installation.subnet, own=installation.own_ip),
        message("will-use-gateway", gateway=mine.gateway or "-"),
        message("will-use-dns", servers=", ".join(mine.dns) or "-"),
        message("will-use-vlan", vlan=mine.vlan or "-"),
        message("will-use-time-servers", servers=", ".join(mine.time_servers) or "-"),
    ]
    judging = judging or Judging()
    found = [
        each
        for rule in COMPARED
        if theirs
        for each in judging.rule("network", partial(rule, mine, theirs), Severity.WARN)
    ]
    differs = [Message(code=each.code, fields=each.fields) for each in found]
    return (*taken, *used, *differs)
