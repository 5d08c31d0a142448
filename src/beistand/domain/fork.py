"""Two histories of one telephone system (R5): when there are two, and where they parted.

Each appliance mints numbers of its own kind (even, odd), so a grant that names the highest number of the other one
that its click knew of tells whether it continues that history or stands beside it.
"""

from datetime import datetime
from typing import Annotated

from beistand.domain.bounds import FEW, Count, Moment, Word
from beistand.domain.role import Epoch, Grant, NodeId, Standing, is_believable
from beistand.domain.value import Value


class Fork(Value, frozen=True, kw_only=True):
    """Two grants of which neither knew of the other. Durable on both sides, told in greetings."""

    older: Grant
    newer: Grant
    """The higher number: it serves until a person decides otherwise (R3)."""


class Counted(Value, frozen=True, kw_only=True):
    """How many things of one kind an appliance recorded since the histories parted."""

    kind: Word
    """`calls`, `voicemail`, `recordings` …: a word of the profile; `record.<kind>` is the catalogue's."""
    count: Count


class Recorded(Value, frozen=True, kw_only=True):
    """What was recorded since a moment."""

    records: Annotated[tuple[Counted, ...], FEW] = ()
    files: Count = 0
    bytes: Count = 0
    """Of all files of the telephone system that changed since."""
    newest: Moment | None = None
    """The last change among them; None: there was none."""


class History(Value, frozen=True, kw_only=True):
    """What one appliance has that the other has not, for whoever has to choose."""

    host: Word
    node: NodeId
    epoch: Epoch
    """Of the grant under which it was recorded."""
    operator: Word
    """Who clicked for it."""
    at: Moment
    """When that was."""
    since: Moment
    """What was recorded from here on is counted: the moment in which the histories parted."""
    recorded: Recorded = Recorded()
    backup: Word = ""
    """The local backup that keeps it there."""


def is_fork(one: Grant, other: Grant) -> bool:
    """Tell whether neither grant continues the other's history: two clicks on two sides of a broken line."""
    older, newer = sorted((one, other), key=lambda each: each.epoch)
    return older.holder != newer.holder and known_of_other(newer) < older.epoch


def known_of_other(grant: Grant) -> int:
    """Return the highest number of the other appliance that the click for this grant knew of."""
    return grant.parent if grant.over is None else grant.over


def over(standing: Standing, peer_epoch: int) -> int:
    """Return what a grant minted now has to name: the highest number of the other appliance that is known here.

    `peer_epoch` is what the peer told at the click, 0 while it is silent.
    """
    grant = standing.grant
    if grant is None:
        return peer_epoch if is_believable(0, peer_epoch) else 0
    known = known_of_other(grant) if grant.holder == standing.me else grant.epoch
    is_news = peer_epoch > standing.epoch and is_believable(standing.epoch, peer_epoch)
    return max(known, peer_epoch if is_news else 0)


def found_in(standing: Standing, theirs: Grant | None) -> Fork | None:
    """Return the fork that a grant told by the peer makes with our own one."""
    mine = standing.grant
    if (
        mine is None
        or theirs is None
        or not is_believable(mine.epoch, theirs.epoch)
        or mine.holder != standing.me
        or not is_fork(mine, theirs)
    ):
        return None
    older, newer = sorted((mine, theirs), key=lambda each: each.epoch)
    return Fork(older=older, newer=newer)


def is_open(fork: Fork | None, standing: Standing) -> bool:
    """Tell whether a person still has to choose: a click that knew of both mints a number above both."""
    return fork is not None and standing.epoch <= fork.newer.epoch


def parted_at(one: Grant, other: Grant) -> datetime:
    """Return from when on what the two recorded is not the same any more, as far as their grants tell.

    A grant that continues the other's data parts from it when it is minted; one that does not, with the first.
    """
    older, newer = sorted((one, other), key=lambda each: each.epoch)
    return newer.at if newer.parent >= older.epoch else min(older.at, newer.at)
