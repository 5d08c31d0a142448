"""What was observed about the other appliance and the network: plain values, decided on in `safety`."""

from datetime import datetime
from enum import StrEnum

from beistand.domain.generation import Copy
from beistand.domain.value import Value

NOBODYS = ("198.51.100.77", "203.0.113.77")
"""Addresses for documentation (RFC 5737): whoever answers ARP for them answers for anything."""


class PeerSigns(Value, frozen=True, kw_only=True):
    """Signs of life at the peer's own address; each asked on its own layer."""

    arp: bool
    icmp: bool
    ssh: bool
    """TCP port 22 accepts."""
    agent: bool
    """Answers over the pair's channel."""

    @property
    def any(self) -> bool:
        return self.arp or self.icmp or self.ssh or self.agent


class Facts(Value, frozen=True, kw_only=True):
    """One observation by the standby, no older than a few seconds."""

    at: datetime
    carrier: bool
    gateway: bool | None
    """Answers ARP; None where no gateway is configured."""
    phones_known: int
    phones_answering: int
    holder_mac: str
    """Who answers ARP for the service address; empty: nobody."""
    holder_seconds: float = 0.0
    """For how long it has been seen to have the address."""
    holder_answers_for: tuple[str, ...] = ()
    """Other addresses that a stranger's MAC answers for; among them some that no machine can have."""
    peer_answers_as: str = ""
    """MAC that answers for the peer's own address; empty: none."""
    peer_mac: str
    """The peer's MAC, learnt while all was well."""
    peer: PeerSigns
    peer_epoch: int
    """Highest epoch the peer told; 0 while it is silent."""
    sip: bool
    """OPTIONS at the service address is answered."""
    copy: Copy | None
    """What would be served: the newest imported generation, or the restore point asked for."""
    import_running: bool
    own_data: bool = False
    """No copy: the trees here are what this appliance itself served when it was the active."""
    claimed: int = 0
    """Epoch for which the peer claimed the service here; whether it was granted is not known. 0: none."""
    data_clock: datetime | None = None
    """What the clock that dated the copy shows at this moment, the peer's as a rule; None: as `at` (F9)."""
    unseen: tuple[str, ...] = ()
    """Parts of the evidence that could not be looked at: their silence says nothing."""
    unseen_why: str = ""
    """Why the first of them could not, as the log writes it."""


class Verdict(StrEnum):
    """DESIGN "Evidence": the most dangerous fact wins; silence counts only beside a positive control."""

    ISOLATED = "isolated"
    FOREIGN = "foreign"
    PEER_HOLDS = "peer-holds"
    PEER_ALIVE = "peer-alive"
    PARTITION = "partition"
    PEER_GONE = "peer-gone"
