"""What two appliances know of each other."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from beistand.domain.alarm import AlarmPath
from beistand.domain.bounds import FEW, Count, InterfaceAddress, Moment, Seconds, Word
from beistand.domain.fork import Fork, History
from beistand.domain.generation import Copy
from beistand.domain.licence import LicenceSet
from beistand.domain.outlook import Outlook
from beistand.domain.pause import Pause
from beistand.domain.role import Epoch, Grant, NodeId, Side, Standing
from beistand.domain.start_options import LONGEST_LINE, MOST_LINES
from beistand.domain.value import Value

PROTOCOL_VERSION = 6

StartOptions = Annotated[
    tuple[Annotated[str, msgspec.Meta(max_length=LONGEST_LINE)], ...], msgspec.Meta(max_length=MOST_LINES)
]


class Appliance(Value, frozen=True, kw_only=True):
    """What an appliance says about itself: for the version handshake and the prerequisites (S4)."""

    node: NodeId
    host: Word
    own_address: InterfaceAddress
    """With prefix length."""
    service_addresses: Annotated[tuple[Word, ...], FEW]
    mac: Word
    beistand_version: Word
    pbx_version: Word
    profile: Word
    licence_key: Word
    gateway: Word
    dns: Annotated[tuple[Word, ...], FEW]
    is_static: bool
    """The own address has no lifetime: nobody leased it."""
    now: Moment
    time_servers: Annotated[tuple[Word, ...], FEW] = ()
    vlan: Annotated[int, Meta(ge=0, le=4095)] = 0
    """Of the interface that the own address is on; 0: none."""
    start_options: StartOptions = ()
    """What root reads when its PBX starts, line by line: it never travels as a file."""


class Pair(Value, frozen=True, kw_only=True):
    """The other appliance, as pairing made it known. Durable."""

    id: str
    """32 hexadecimal digits that both appliances know; backups of any other pair are refused (S15)."""
    peer: Appliance
    peer_host_key: str
    """The peer's SSH host key line (type and base64), pinned."""
    side: Side
    since: datetime


class Greeting(Value, frozen=True, kw_only=True):
    """Exchanged every few seconds over the pair's channel."""

    appliance: Appliance
    grant: Grant | None
    own_epoch: Epoch
    serving: bool
    """Holds the service address now."""
    verified: bool
    """Serves with the peer's agreement, or has not needed to ask for longer than the fork limit (R3)."""
    served_unverified_seconds: Seconds
    config_revision: Count
    newest: Copy | None
    settings_revision: Count = 0
    """Of the pair settings: accounts, mail server, texts."""
    licences: LicenceSet = LicenceSet()
    """Shown beside the own ones; a key that stands on both sides is an error (S5)."""
    pause: Pause | None = None
    """Of the cycles, told by the active (S4)."""
    alarm: AlarmPath | None = None
    """Whether it can tell anybody that something is wrong (F30)."""
    outlook: Outlook | None = None
    """What it sees of the network: each side tells what either sees."""
    config_digest: Word = ""
    """Of the module configuration: two that were changed on both sides of a broken line may bear one number."""
    fork: Fork | None = None
    """Two histories of which neither knew of the other (R5)."""
    history: History | None = None
    """What only the sender recorded, where there is something to compare."""
    claims: Epoch = 0
    """Epoch that a takeover under way there would mint; 0: none."""


def has_standby(standing: Standing, greeting: Greeting | None) -> bool:
    """Tell whether the peer of this active can take its generations.

    The first active has the standby that it was paired with. After a takeover the peer is a former active:
    it keeps its data until redundancy is set up again, and a peer that was never active says so itself.
    """
    if standing.grant is None or not standing.is_holder:
        return False
    if standing.grant.parent == 0:
        return True
    return greeting is not None and greeting.own_epoch == 0
