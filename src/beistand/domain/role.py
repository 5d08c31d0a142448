"""Who serves: grants, epochs and the role that follows from them (DESIGN "Roles, grants, boot rule")."""

from datetime import datetime
from enum import StrEnum

from beistand.domain.value import Value

NodeId = str
"""Names an appliance for good: 16 hexadecimal digits, minted by `beistand init`, part of its identity."""


class Role(StrEnum):
    ACTIVE = "active"
    STANDBY = "standby"
    SUPERSEDED = "superseded"


class Side(StrEnum):
    """Which numbers an appliance may mint, so that two simultaneous claims never tie."""

    EVEN = "even"
    ODD = "odd"


class Grant(Value, frozen=True, kw_only=True):
    """The durable permission to serve: to hold the service address and to run the PBX."""

    epoch: int
    holder: NodeId
    parent: int
    """The epoch this one follows; 0 for the first. Two grants with one parent are a fork (R5)."""
    operator: str
    at: datetime
    evidence: str
    """SHA-256 of the facts on which a person decided; empty for the first grant."""
    over: int | None = None
    """The highest number of the other appliance that the click knew of (domain/fork.py); None: as the parent says."""


class Standing(Value, frozen=True, kw_only=True):
    """All that an appliance durably knows about who serves."""

    me: NodeId
    side: Side
    grant: Grant | None = None
    """The highest grant known here."""
    own_epoch: int = 0
    """The newest epoch that this appliance itself held."""
    settled_epoch: int = 0
    """Up to here this appliance has handed over or been seeded anew: a standby, not superseded."""

    @property
    def epoch(self) -> int:
        return self.grant.epoch if self.grant else 0

    @property
    def is_holder(self) -> bool:
        return self.grant is not None and self.grant.holder == self.me

    @property
    def role(self) -> Role:
        if self.is_holder:
            return Role.ACTIVE
        return Role.SUPERSEDED if self.has_own_data else Role.STANDBY

    @property
    def has_own_data(self) -> bool:
        """Tell whether the data here is what this appliance itself served last."""
        return self.own_epoch > self.settled_epoch


def next_epoch(known: int, side: Side) -> int:
    """Return the smallest number above `known` that this side may mint (even or odd)."""
    wanted = 0 if side is Side.EVEN else 1
    return known + 1 if (known + 1) % 2 == wanted else known + 2


def higher(one: Grant | None, other: Grant | None) -> Grant | None:
    """Return the grant with the higher epoch (R3)."""
    if one is None or other is None:
        return one or other
    return other if other.epoch > one.epoch else one
