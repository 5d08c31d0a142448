"""`init` and `pair`, as the agent does them."""

from __future__ import annotations

import os
import secrets
from threading import Event
from typing import TYPE_CHECKING

from beistand.adapters.settings import forget_installation, write_installation
from beistand.agent.ending_calls import refuse_to_end_calls
from beistand.agent.init_undo import note_before
from beistand.agent.log import log
from beistand.agent.worker import Progress, Result, Work
from beistand.domain.errors import Refused
from beistand.domain.licence import issue_set
from beistand.domain.pair import Greeting
from beistand.domain.role import POSSIBLE_EPOCH, Role
from beistand.domain.words import word_problem
from beistand.operations import initialise
from beistand.operations.pairing import Outreach, OwnSide, accept_pair, check_server, pair_with_standby
from beistand.protocol import Accepted, AcceptPair, FetchHostKey, HostKey, Init, StartPair

if TYPE_CHECKING:
    from beistand.agent.agent import Agent


def initialise_appliance(agent: Agent, request: Init) -> None:
    """Check everything, then write; the last write makes the identity.

    Raises Refused with what is wrong, before anything was changed.
    """
    wiring = agent.wiring
    if wiring.store.is_initialised():
        raise Refused("already-initialised")
    if request.role is Role.SUPERSEDED:
        raise Refused("bad-role", role=request.role)
    installation = initialise.installation_for(request)
    profile = wiring.profiles.load(installation.profile)
    initialise.check_machine(installation, profile, wiring.addresses)
    initialise.check_network_files(installation, wiring.network_files)
    if request.role is Role.STANDBY:
        refuse_to_end_calls(wiring, profile, request.accept)
    note_before(agent, profile)
    write_installation(wiring.places.etc, installation)
    try:
        if request.role is Role.ACTIVE:
            initialise.check_service_address(installation, wiring.addresses, wiring.arp)
        agent.strays.expect()
        # The gate first: from here on nothing starts the PBX without a grant.
        wiring.services.install_gate(profile)
        me = initialise.initialise(
            request.role,
            issue_set(request.role, _random_bytes),
            wiring.store,
            now=agent.clock.now(),
            random_hex=secrets.token_hex,
        )
    finally:
        if not wiring.store.is_initialised():
            wiring.services.remove_gate(profile)
            forget_installation(wiring.places.etc)
    agent.own_machine.learn(installation)
    log("initialised", node=me, role=request.role, service_address=installation.service_ip)
    agent.reload()
    agent.keeper.soon()


def fetch_host_key(agent: Agent, request: FetchHostKey) -> HostKey:
    check_server(agent.node.installation, request.server)
    return agent.wiring.introduction.host_key(agent.node.installation.own_ip, request.server)


def pairing_work(agent: Agent, request: StartPair) -> Work:
    """Return the work of `pair` on the active."""
    agent.network_setup.refuse_while_open()
    node, came = agent.node, Event()

    def heard(seconds: float) -> bool:
        agent.link.on_heard = came.set
        return agent.clock.wait(came, seconds)

    def greeting() -> Greeting:
        mine = agent.greeting()
        if mine is None:
            raise Refused("not-paired")
        return mine

    outreach = Outreach(
        introduction=agent.wiring.introduction,
        arp=node.arp,
        connect=agent.wiring.peer,
        greeting=greeting,
        heard=heard,
    )

    def work(progress: Progress) -> Result:
        agent.link.forget()
        try:
            pair = pair_with_standby(_own_side(agent), outreach, request, progress)
        finally:
            agent.link.on_heard = None
            agent.reload()
        log("paired", pair=pair.id, peer=pair.peer.host)
        return {"pair": pair.id, "peer": pair.peer.host, "address": pair.peer.own_address}

    return work


def accept(agent: Agent, request: AcceptPair) -> Accepted:
    """Become the standby of the active that asks."""
    agent.network_setup.refuse_while_open()
    if problem := word_problem(request):
        raise Refused(problem.code, **problem.fields)
    if request.grant.epoch > POSSIBLE_EPOCH:
        raise Refused("epoch-impossible", epoch=str(request.grant.epoch))
    with agent.pairing:
        accepted = accept_pair(_own_side(agent), request)
    log("paired", pair=request.pair, peer=request.active.host)
    agent.reload()
    agent.link.forget()
    agent.keeper.soon()
    return accepted


def _own_side(agent: Agent) -> OwnSide:
    return OwnSide(
        installation=agent.node.installation,
        appliance=agent.appliance,
        store=agent.store,
        keys=agent.wiring.keys,
        clock=agent.clock,
        machine_id=lambda: agent.wiring.machine.look(agent.node.installation.interface).machine_id,
    )


def _random_bytes(count: int) -> bytes:
    return os.urandom(count)
