"""Who serves: grants, epochs and the role that follows from them (DESIGN "Roles, grants, boot rule")."""

from enum import StrEnum
from typing import Annotated

import msgspec

from beistand.domain.bounds import Moment, Word
from beistand.domain.value import Value

NodeId = Word
"""Names an appliance for good: 16 hexadecimal digits, minted by `beistand init`, part of its identity."""


class Role(StrEnum):
    ACTIVE = "active"
    STANDBY = "standby"
    SUPERSEDED = "superseded"


class Side(StrEnum):
    """Which numbers an appliance may mint, so that two simultaneous claims never tie."""

    EVEN = "even"
    ODD = "odd"


LARGEST_JUMP = 10_000
"""By so much a number that the peer tells may lie above all that is known here. A click raises it by one or two, and
one of the two may be away for years: this is a takeover an hour for a year. Against the end of all numbers it is
nothing, so that a peer that lies never gets there (ADR 22)."""
POSSIBLE_EPOCH = 10**9
"""No pair gets there by clicks. A number above it was a lie; only such a one may be forgotten."""
MOST_EPOCH = 2**62
"""The highest that is minted: SQLite holds it and the next ones (2^63 - 1)."""
Epoch = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
NOBODY = "0" * 16
"""Holds what is left when an impossible number was forgotten: no appliance has this name."""


class Grant(Value, frozen=True, kw_only=True):
    """The durable permission to serve: to hold the service address and to run the PBX."""

    epoch: Epoch
    holder: NodeId
    parent: Epoch
    """The epoch this one follows; 0 for the first. Two grants with one parent are a fork (R5)."""
    operator: Word
    at: Moment
    evidence: Word
    """SHA-256 of the facts on which a person decided; empty for the first grant."""
    over: Epoch | None = None
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


def after_forgetting(own: int, settled: int, epoch: int) -> tuple[int, int]:
    """Return own and settled epoch where this is the highest number left: whose data is here stays as it is."""
    if own > settled:
        own = max(1, min(own, epoch))
        return own, min(settled, own - 1)
    return min(own, epoch), min(settled, epoch)


def is_believable(known: int, told: int) -> bool:
    """Tell whether a number that the peer tells may have come from clicks, where this one is the highest known."""
    return told - known <= LARGEST_JUMP


def higher(one: Grant | None, other: Grant | None) -> Grant | None:
    """Return the grant with the higher epoch (R3)."""
    if one is None or other is None:
        return one or other
    return other if other.epoch > one.epoch else one
