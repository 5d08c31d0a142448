"""A generation: one complete, verified backup at a point in time, and how far it has come (B1)."""

from enum import StrEnum
from typing import Annotated

from beistand.domain.bounds import MANY, Count, Moment, PathText, Seconds, Word
from beistand.domain.message import Message
from beistand.domain.role import Epoch, NodeId
from beistand.domain.value import Value


class Generation(Value, frozen=True, kw_only=True):
    """What the active says about one backup. Untrusted where it arrives."""

    id: Word
    """`YYYYMMDDThhmmssZ-SEQUENCE`, from the begin; names files, so its form is checked where it arrives."""
    pair: Word
    source: NodeId
    epoch: Epoch
    sequence: Count
    """Counts the generations of one epoch: order is by (epoch, sequence), never by clock (F7)."""
    begin: Moment
    """Age is measured from here: what happened later may be missing."""
    end: Moment
    profile: Word
    pbx_version: Word
    manifest: Word
    """SHA-256 of the whole manifest file."""
    entries: Count
    size: Count
    """Bytes of all files in it."""
    growing: Annotated[tuple[PathText, ...], MANY] = ()
    """Files that would not settle: left for the next cycle, and told."""

    @property
    def order(self) -> tuple[int, int]:
        return (self.epoch, self.sequence)


class CopyState(StrEnum):
    """The one truthful state of a copy. Only the last one is green."""

    TAKEN = "taken"
    TRANSFERRED = "transferred"
    VERIFIED = "verified"
    IMPORTED = "imported"
    PROVEN = "proven"
    FAILED = "failed"


class Copy(Value, frozen=True, kw_only=True):
    """A generation and how far it has come, the same on both appliances."""

    generation: Generation
    state: CopyState
    at: Moment
    failed_stage: Word = ""
    why: Message | None = None
    asked: bool = False
    """True: by hand; False: by the schedule."""
    seconds: Seconds = 0.0
    """How long the whole cycle took; 0 until it ended."""
    bytes_on_wire: Count = 0
    """What the cycle sent; known on the sending side only."""
