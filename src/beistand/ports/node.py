"""This machine, as the operations see it."""

from collections.abc import Mapping
from dataclasses import dataclass

from beistand.domain.installation import Installation
from beistand.domain.profile import Engine, Profile
from beistand.ports.address_gate import AddressGate
from beistand.ports.clock import Clock
from beistand.ports.files import Databases, Disk
from beistand.ports.network import Addresses, Arp, EstablishedConnections, Signs, SipProbe
from beistand.ports.peer import Peer
from beistand.ports.places import Places
from beistand.ports.scanner import Manifests, Scanner
from beistand.ports.services import Contacts, PbxConsole, Services
from beistand.ports.store import Store


@dataclass(frozen=True, kw_only=True)
class Node:
    """One appliance that was initialised. Built by wiring, and by tests with fakes."""

    installation: Installation
    profile: Profile
    places: Places
    clock: Clock
    store: Store
    addresses: Addresses
    address_gate: AddressGate
    arp: Arp
    signs: Signs
    sip: SipProbe
    connections: EstablishedConnections
    services: Services
    contacts: Contacts
    console: PbxConsole
    disk: Disk
    scanner: Scanner
    manifests: Manifests
    databases: Mapping[Engine, Databases]
    peer: Peer | None
    """None until paired."""
