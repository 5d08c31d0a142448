"""Two appliances become a pair (S13, S15): the active asks, the standby accepts, both directions are proven."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Interface

import msgspec

from beistand.domain.config import ModuleConfig, Standby
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.generation import CopyState
from beistand.domain.installation import Installation
from beistand.domain.licence import stand_in_for
from beistand.domain.machine import twins
from beistand.domain.message import message
from beistand.domain.pair import Appliance, Greeting, Pair
from beistand.domain.role import Grant, Role, Side
from beistand.domain.words import word_problem
from beistand.operations.keeping import refuse_unkept
from beistand.ports.clock import Clock
from beistand.ports.network import Arp
from beistand.ports.peer import Introduction, Keys, Peer
from beistand.ports.progress import Progress
from beistand.ports.store import Store
from beistand.protocol import Accepted, AcceptPair, StartPair

ARP_SECONDS = 1.0
GREET_SECONDS = 15.0
MOST_COPIES = 1000
USER_FORM = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
"""Of an account on the standby (useradd(8)); it becomes an argument of ssh."""
HEARD_SECONDS = 30.0
"""The standby greets every two seconds; the first time it has to connect."""


@dataclass(frozen=True, kw_only=True)
class OwnSide:
    """What either side needs of itself."""

    installation: Installation
    appliance: Callable[[], Appliance]
    store: Store
    keys: Keys
    clock: Clock
    machine_id: Callable[[], str] = lambda: ""
    """Digest of the machine-id; empty: there is none."""


@dataclass(frozen=True, kw_only=True)
class Outreach:
    """What the active needs to reach a machine that is no peer yet."""

    introduction: Introduction
    arp: Arp
    connect: Callable[[Pair], Peer]
    """Open the pair's channel."""
    greeting: Callable[[], Greeting]
    heard: Callable[[float], bool]
    """Wait, at most so many seconds, until this peer has greeted us over its own channel."""


def pair_with_standby(own: OwnSide, outreach: Outreach, request: StartPair, job: Progress) -> Pair:
    """Make the machine at `request.server` our standby; return the pair once both directions are proven.

    Raises Refused before anything was changed. After a later failure this side is as it was; the standby may
    already have accepted, which is harmless: it takes the next pairing of the same active.
    """
    job.stage("check")
    grant = _may_pair(own)
    check_server(own.installation, request.server)
    if not USER_FORM.fullmatch(request.user):
        raise Refused("standby-user-form", user=request.user[:40])
    mac = _layer_2(own, outreach.arp, request.server)
    _refuse_same_key(own, request.host_key, request.server)
    job.stage("introduce")
    asked = _request(own, grant, request)
    accepted = outreach.introduction.accept_pair(
        request.server, request.user, request.password, request.host_key, asked
    )
    if problem := word_problem(accepted):
        raise Refused(problem.code, **problem.fields)
    _fits(asked.active, accepted.appliance, request.server, mac)
    _refuse_same_id(own, accepted.machine_id, accepted.appliance.host)
    pair = Pair(
        id=asked.pair,
        peer=accepted.appliance,
        peer_host_key=request.host_key,
        side=Side.EVEN,
        since=own.clock.now(),
    )
    put_back = _undo(own)
    try:
        _keep(own, pair, accepted.public_key, asked.config)
        _prove(outreach, pair, job)
    except BeistandError:
        put_back()
        raise
    return pair


def accept_pair(own: OwnSide, request: AcceptPair) -> Accepted:
    """Become the standby of the active that asks: over a login with this machine's own password.

    Raises Refused `standby-is-active`, `standby-is-superseded`, `already-paired`, `pair-with-itself`,
    `subnet-differs`, `profile-differs`, `beistand-version-differs`, `service-address-differs`, `own-data-not-kept`,
    and of twins `same-host-name`, `same-host-key`, `same-machine-id`.
    """
    appliance = own.appliance()
    if own.store.standing().is_holder:
        raise Refused("standby-is-active", host=appliance.host)
    known = own.store.pair()
    is_same_active = known is not None and known.peer.node == request.active.node
    if is_same_active and own.store.standing().role is Role.SUPERSEDED:
        # It keeps what it served until somebody decides: a pair made anew would end in "done" and take no cycle.
        raise Refused("standby-is-superseded", host=appliance.host)
    if known is not None and not is_same_active and not request.replace:
        raise Refused("already-paired", host=appliance.host, peer=known.peer.host)
    refuse_unkept(own.store)
    _fits_active(own, request, appliance)
    active_ip = str(IPv4Interface(request.active.own_address).ip)
    put_back = _undo(own)
    pair = Pair(
        id=request.pair,
        peer=request.active,
        peer_host_key=request.active_host_key,
        side=request.side,
        since=own.clock.now(),
    )
    try:
        own.keys.trust(active_ip, request.active_host_key)
        own.keys.authorise(request.public_key, active_ip)
        own.store.set_side(request.side)
        own.store.set_licences(stand_in_for(own.store.licences(), request.licences))
        own.store.set_config(request.config)
        # Counted on each side alone until now: the same number must not be taken for the same settings.
        own.store.set_settings(msgspec.structs.replace(own.store.settings(), revision=0))
        if is_same_active:
            own.store.adopt(request.grant)
        else:
            own.store.begin_anew(request.grant)
        own.store.set_pair(pair)
        return Accepted(appliance=appliance, public_key=own.keys.public_key(), machine_id=own.machine_id())
    except BeistandError:
        put_back()
        raise


def check_server(installation: Installation, server: str) -> None:
    """See that this address can be the standby's.

    Raises Refused `not-an-address`, `pair-with-itself`, `subnet-differs`.
    """
    try:
        IPv4Address(server)
    except AddressValueError:
        raise Refused("not-an-address", server=server[:40]) from None
    if server in (installation.own_ip, *(each.address for each in installation.service_addresses)):
        raise Refused("pair-with-itself", server=server)
    if not installation.in_subnet(server):
        raise Refused("subnet-differs", server=server, subnet=installation.subnet)


def _may_pair(own: OwnSide) -> Grant:
    """Check what can be known without asking anybody; return the grant that the standby shall know."""
    standing = own.store.standing()
    if standing.grant is None or not standing.is_holder:
        raise Refused("only-the-active-pairs")
    return standing.grant


def _layer_2(own: OwnSide, arp: Arp, server: str) -> str:
    """Return the MAC that answers for the standby's own address: without ARP there is no takeover (S1)."""
    mac = arp.ask(own.installation.interface, [server], ARP_SECONDS).macs.get(server, "")
    if not mac:
        raise Refused("no-layer-2", server=server, interface=own.installation.interface)
    return mac


def _request(own: OwnSide, grant: Grant, request: StartPair) -> AcceptPair:
    active = own.appliance()
    config = own.store.config()
    return AcceptPair(
        pair=_pair_id(own.store.pair(), request.server),
        side=Side.ODD,
        active=active,
        active_host_key=own.keys.own_host_key(),
        public_key=own.keys.public_key(),
        active_machine_id=own.machine_id(),
        grant=grant,
        replace=request.replace,
        licences=own.store.licences(),
        config=msgspec.structs.replace(
            config,
            standby=Standby(user=request.user, server=request.server),
            licence_key=config.licence_key or active.licence_key,
            revision=config.revision + 1,
        ),
    )


def _pair_id(known: Pair | None, server: str) -> str:
    """Return the id of the pair: the same again for the same standby.

    So a renewal that fails half-way leaves the two a pair.
    """
    if known is not None and str(IPv4Interface(known.peer.own_address).ip) == server:
        return known.id
    return secrets.token_hex(16)


def _fits(active: Appliance, standby: Appliance, server: str, mac: str) -> None:
    """Check what the standby says of itself against what the network and the request say."""
    own_ip = str(IPv4Interface(standby.own_address).ip)
    if own_ip != server:
        raise Refused("own-address-differs", server=server, own_address=own_ip)
    if standby.mac.lower() != mac.lower():
        # A router answers in its place (proxy ARP): the service address could not move there.
        raise Refused("not-one-segment", server=server, mac=mac, standby_mac=standby.mac)
    _same(active, standby)


def _fits_active(own: OwnSide, request: AcceptPair, appliance: Appliance) -> None:
    """Check what the active says of itself against what we are."""
    _same(request.active, appliance)
    _refuse_same_key(own, request.active_host_key, own.installation.own_ip)
    _refuse_same_id(own, request.active_machine_id, appliance.host)


def _same(active: Appliance, standby: Appliance) -> None:
    """Check what must be equal (S1, S4). The PBX's version is a finding instead: it may be updated later."""
    if active.node == standby.node:
        raise Refused("pair-with-itself", server=standby.own_address)
    if twins(active.host, standby.host):
        raise Refused("same-host-name", host=standby.host)
    subnets = [IPv4Interface(each.own_address).network for each in (active, standby)]
    if subnets[0] != subnets[1]:
        raise Refused("subnet-differs", server=standby.own_address, subnet=str(subnets[0]))
    if active.beistand_version != standby.beistand_version:
        raise Refused(
            "beistand-version-differs", active=active.beistand_version, standby=standby.beistand_version
        )
    if active.profile != standby.profile:
        raise Refused("profile-differs", active=active.profile, standby=standby.profile)
    if active.service_addresses != standby.service_addresses:
        raise Refused(
            "service-address-differs",
            active=" ".join(active.service_addresses),
            standby=" ".join(standby.service_addresses),
        )


def _refuse_same_key(own: OwnSide, other: str, server: str) -> None:
    if twins(_bare(own.keys.own_host_key()), _bare(other)):
        raise Refused("same-host-key", server=server)


def _refuse_same_id(own: OwnSide, other: str, host: str) -> None:
    if twins(own.machine_id(), other):
        raise Refused("same-machine-id", host=host)


def _bare(key: str) -> str:
    """Return an SSH key line without its comment."""
    return " ".join(key.split()[:2])


def _undo(own: OwnSide) -> Callable[[], None]:
    """Return what makes this side as it is now; a higher grant that was learnt meanwhile stays known."""
    standing, pair, config = own.store.standing(), own.store.pair(), own.store.config()
    licences = own.store.licences()
    restore_keys = own.keys.undo_point()

    def put_back() -> None:
        if pair is None:
            own.store.forget_pair()
        else:
            own.store.set_pair(pair)
        own.store.set_config(config)
        own.store.set_licences(licences)
        own.store.set_side(standing.side)
        restore_keys()

    return put_back


def _keep(own: OwnSide, pair: Pair, public_key: str, config: ModuleConfig) -> None:
    server = str(IPv4Interface(pair.peer.own_address).ip)
    known = own.store.pair()
    if known is not None and known.peer.node != pair.peer.node:
        _forget_copies(own, pair.peer.host)
    own.keys.trust(server, pair.peer_host_key)
    own.keys.authorise(public_key, server)
    own.store.set_side(pair.side)
    own.store.set_config(config)
    own.store.set_pair(pair)


def _forget_copies(own: OwnSide, host: str) -> None:
    """Note that what the machine before had imported is not on the one that took its place."""
    for copy in own.store.copies(MOST_COPIES):
        if copy.state in (CopyState.IMPORTED, CopyState.PROVEN):
            gone = {
                "state": CopyState.FAILED,
                "failed_stage": "import",
                "why": message("standby-replaced", host=host),
            }
            own.store.record(msgspec.structs.replace(copy, at=own.clock.now(), **gone))


def _prove(outreach: Outreach, pair: Pair, job: Progress) -> None:
    """Speak over the new channel, and be spoken to over the one that comes back."""
    job.stage("connect")
    peer = outreach.connect(pair)
    try:
        peer.greet(outreach.greeting(), GREET_SECONDS)
    finally:
        peer.close()
    job.stage("hear-back")
    if not outreach.heard(HEARD_SECONDS):
        raise Refused("peer-does-not-come-back", server=str(IPv4Interface(pair.peer.own_address).ip))
