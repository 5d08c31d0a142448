"""A job: one long act of the agent, with its progress and its end."""

from enum import StrEnum
from typing import Annotated

from beistand.domain.bounds import FEW, Count, Moment, Seconds, Word
from beistand.domain.message import BoundField, Message
from beistand.domain.value import Value


class JobKind(StrEnum):
    CYCLE = "cycle"
    RECEIVE = "receive"
    TAKEOVER = "takeover"
    PAIR = "pair"
    LOCAL_BACKUP = "local-backup"
    CHECK = "check"
    """An uploaded export is read and checked."""
    SEED = "seed"
    """A checked export becomes the standby's data (S16)."""
    RECOVER = "recover"
    """What a kill, a click or a failing disk cut short is brought to an end, and cleared up."""
    UNDO = "undo"
    """What a takeover had begun that broke off is undone; it takes nothing over."""


GIVE_WAY = (
    *(JobKind.RECEIVE, JobKind.CYCLE, JobKind.CHECK, JobKind.SEED),
    *(JobKind.LOCAL_BACKUP, JobKind.RECOVER, JobKind.UNDO),
)
"""A takeover starts at once, whichever of these runs: it ends it, and waits for that end in a stage of its own."""


class JobState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Value, frozen=True, kw_only=True):
    id: Word
    kind: JobKind
    state: JobState = JobState.RUNNING
    stage: Word = ""
    """Code of the stage, `job.stage.<code>` in the catalogue."""
    stages: Annotated[tuple[Word, ...], FEW] = ()
    """All of them in their order, where that is known when it begins."""
    failed_stage: Word = ""
    """The stage at which it failed, while everything before is taken back and from then on."""
    within_seconds: Seconds = 0.0
    """How long the stage may last, where that depends on the telephone system; 0: `domain.waits` says it."""
    done: Count = 0
    total: Count = 0
    """Units of the stage (bytes or files); 0 while unknown."""
    begin: Moment
    end: Moment | None = None
    error: Message | None = None
    result: Annotated[dict[Word, BoundField], FEW] = {}
    """Figures of the finished job: seconds, bytes, identifiers."""
    revision: Count = 0
    """Grows with every change: a client waits for the next one."""
