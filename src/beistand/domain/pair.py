"""What two appliances know of each other."""

from datetime import datetime

from beistand.domain.generation import Copy
from beistand.domain.role import Grant, NodeId, Side
from beistand.domain.value import Value

PROTOCOL_VERSION = 1


class Appliance(Value, frozen=True, kw_only=True):
    """What an appliance says about itself: for the version handshake and the prerequisites (S4)."""

    node: NodeId
    host: str
    own_address: str
    """With prefix length."""
    service_addresses: tuple[str, ...]
    mac: str
    beistand_version: str
    pbx_version: str
    profile: str
    licence_key: str
    gateway: str
    dns: tuple[str, ...]
    is_static: bool
    """The own address has no lifetime: nobody leased it."""
    now: datetime


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
    own_epoch: int
    serving: bool
    """Holds the service address now."""
    verified: bool
    """Serves with the peer's agreement, or has not needed to ask for longer than the fork limit (R3)."""
    served_unverified_seconds: float
    config_revision: int
    newest: Copy | None
