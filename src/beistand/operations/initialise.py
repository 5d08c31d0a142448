"""Make this machine an appliance: identity, settings, licence, the gate, and on the active the first grant."""

import os
from collections.abc import Callable
from datetime import datetime

from beistand.domain.addressing import addressing_problem
from beistand.domain.errors import Refused
from beistand.domain.installation import Installation, ServiceAddress
from beistand.domain.licence import LicenceSet
from beistand.domain.profile import Profile
from beistand.domain.role import Grant, NodeId, Role, Side
from beistand.ports.network import Addresses, Arp
from beistand.ports.network_files import NetworkFiles
from beistand.ports.store import Store
from beistand.protocol import Init


def installation_for(request: Init) -> Installation:
    """Return the settings that were asked for. Raises Refused with the code of what is wrong with them."""
    installation = Installation(
        interface=request.interface,
        own_address=request.own_address,
        service_addresses=(ServiceAddress(address=request.service_address, interface=request.interface),),
        profile=request.profile,
        strict_boot=request.strict_boot,
        language=request.language,
    )
    if problem := addressing_problem(installation):
        raise Refused(problem.code, **problem.fields)
    return installation


def check_machine(installation: Installation, profile: Profile, addresses: Addresses) -> None:
    """See that the machine is as the settings say.

    Raises Refused `own-address-missing`, `pbx-not-found`; Failed `interface-missing`.
    """
    addresses.mac(installation.interface)
    if not addresses.is_static(installation.interface, installation.own_ip):
        raise Refused("own-address-missing", address=installation.own_ip, interface=installation.interface)
    check_pbx(profile)


def check_pbx(profile: Profile) -> None:
    """See that the telephone system is here. Raises Refused `pbx-not-found`."""
    for file in profile.detect.files:
        if not os.path.exists(file):
            raise Refused("pbx-not-found", profile=profile.name, file=file)


def check_network_files(installation: Installation, files: NetworkFiles) -> None:
    """See that no network file brings the service address: it would be there after every boot, without a grant.

    Raises Refused `service-address-in-file`.
    """
    for named in files.naming([each.address for each in installation.service_addresses]):
        raise Refused("service-address-in-file", address=named.address, path=named.path, line=named.line)


def check_service_address(installation: Installation, addresses: Addresses, arp: Arp) -> None:
    """See that nobody else has the service address. Raises Refused `service-address-taken`."""
    if installation.service_ip in addresses.held(installation):
        return
    if mac := arp.fast_probe(installation.interface, installation.service_ip):
        raise Refused("service-address-taken", address=installation.service_ip, mac=mac)


def initialise(
    role: Role, licences: LicenceSet, store: Store, *, now: datetime, random_hex: Callable[[int], str]
) -> NodeId:
    """Write the identity; on the active with the first grant. Install the gate first."""
    me = random_hex(8)
    first = None
    if role is Role.ACTIVE:
        first = Grant(epoch=2, holder=me, parent=0, operator="init", at=now, evidence="")
    store.initialise(me, Side.EVEN if role is Role.ACTIVE else Side.ODD, licences, first)
    return me
