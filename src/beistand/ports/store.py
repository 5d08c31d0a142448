"""Durable state of this appliance: every call has reached the disk when it returns.

On a full disk grants, plans, vital documents and mails still find room: a reserve is kept for them (F2).
Everything else raises NoSpace `state-disk-full`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from beistand.domain.attempts import Attempts
from beistand.domain.config import ModuleConfig
from beistand.domain.generation import Copy
from beistand.domain.licence import LicenceSet
from beistand.domain.mail import MailState, OutboxEntry
from beistand.domain.message import Message
from beistand.domain.pair import Pair
from beistand.domain.role import Grant, Side, Standing
from beistand.domain.settings import PairSettings
from beistand.domain.value import Value


class Event(Value, frozen=True, kw_only=True):
    """One line of history."""

    at: datetime
    message: Message
    operator: str = ""
    address: str = ""
    """Of the browser; empty: at the console."""


class Room(StrEnum):
    """Where an event is kept: each room has its own limit, so that no kind of line pushes out another."""

    TOLD = "told"
    """What happened."""
    DONE = "done"
    """What people and programs did."""
    REFUSED = "refused"
    """What they were refused."""


class Store(Protocol):
    """The one truth. Raises Refused `not-initialised` where an identity is needed and there is none."""

    # identity
    def is_initialised(self) -> bool: ...
    def initialise(self, me: str, side: Side, licences: LicenceSet, first: Grant | None) -> None:
        """Make the identity, once. Raises Refused `already-initialised`."""

    def forget_identity(self, keep: Collection[str]) -> None:
        """Be no appliance any more, in one transaction: identity, grant, pair, licences, plan, and every document
        but those named in `keep`. History, accounts and module configuration stay.
        """

    # who serves
    def standing(self) -> Standing: ...
    def adopt(self, grant: Grant) -> bool:
        """Remember a grant of the peer if it is the highest known; return whether it was."""

    def begin_anew(self, grant: Grant) -> None:
        """Know this grant of a new partner and no other: numbers of an earlier pair mean nothing any more."""

    def forget_epoch(self, instead: Grant) -> None:
        """Know this grant of nobody instead of one with an impossible number. Whose data is here stays known."""

    def set_side(self, side: Side) -> None: ...
    def settle(self, epoch: int) -> None:
        """Note that this appliance handed over or was seeded anew up to this epoch: it is a standby.

        Only once what it recorded until then is the other's or kept (operations/keeping.py): imports follow (I10).
        """

    # the plan in the journal
    def plan(self) -> bytes | None:
        """Return the JSON of the plan that is under way, None without one."""

    def save_plan(self, plan: bytes) -> None: ...
    def close_plan(self, grant: Grant | None) -> None:
        """End the plan and, when given, hold the grant: one transaction, the commit of a takeover."""

    # the pair
    def pair(self) -> Pair | None: ...
    def set_pair(self, pair: Pair) -> None: ...
    def forget_pair(self) -> None:
        """Be without a pair again: a pairing that failed leaves nothing half-made."""

    def config(self) -> ModuleConfig: ...
    def set_config(self, config: ModuleConfig) -> None: ...
    def settings(self) -> PairSettings: ...
    def set_settings(self, settings: PairSettings) -> None: ...
    def licences(self) -> LicenceSet: ...
    def set_licences(self, licences: LicenceSet) -> None: ...

    # cycles
    def attempts(self) -> Attempts: ...
    def set_attempts(self, attempts: Attempts) -> None: ...
    def next_sequence(self, epoch: int) -> int:
        """Return a sequence number that was never returned before for this epoch."""

    def record(self, copy: Copy) -> None:
        """Insert or update the copy of this generation."""

    def copies(self, limit: int = 30) -> tuple[Copy, ...]:
        """Newest first, by lineage: (epoch, sequence)."""

    # mails
    def enqueue(self, mails: Sequence[OutboxEntry], document: tuple[str, bytes] | None = None) -> int:
        """Put the mails into the outbox that are not there yet, and the document (name, body) with them.

        One transaction: what notes that a thing was told is true exactly when the mails are on their way.
        A mail is known by its occasion and recipient. Return how many were new.
        """

    def outbox(self, limit: int = 100, state: MailState | None = None) -> tuple[OutboxEntry, ...]:
        """Newest first; of this state only, if one is given."""

    def mails_about(self, occasion: str) -> Mapping[MailState, int]:
        """How many mails of this occasion are in which state, those left out of which there are none."""

    def put_mails(self, mails: Sequence[OutboxEntry]) -> None:
        """Note what became of these mails, which are in the outbox: all of them or, after a crash, none."""

    # history
    def tell(self, event: Event, room: Room = Room.TOLD) -> int:
        """Keep one more event and return its number; the oldest ones of a room that is full go."""

    def retell(self, number: int, event: Event) -> None:
        """Put this in the place of the event with that number, if that is still kept."""

    def events(self, limit: int = 100) -> tuple[Event, ...]: ...
    def history(self) -> tuple[tuple[int, Event], ...]:
        """Return every event that is kept, newest first, with its number, which no other event ever has."""

    def refill(self) -> bool:
        """Make the reserve whole again where there is room; return whether it is."""

    # other agents' figures, small documents by name
    def get(self, name: str) -> bytes | None: ...
    def put(self, name: str, body: bytes, *, vital: bool = False) -> None:
        """Keep a document. `vital`: also on a full disk, in the room that is kept for a takeover."""
