"""The tries of one run (S10): up to *Anzahl Versuche*, five minutes apart."""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from beistand.domain.message import Message
from beistand.domain.value import Value

WAIT_BETWEEN_TRIES = timedelta(minutes=5)
"""Fixed: administrators of this field know it, and no setting makes it shorter."""


class Attempts(Value, frozen=True, kw_only=True):
    failed: int = 0
    """Tries of the run under way that failed; 0: no run is waiting."""
    next_at: datetime | None = None
    """When the next try is due; None: no run is waiting."""
    last_run: datetime | None = None
    """The scheduled moment that the newest run answered."""


class TryEnd(StrEnum):
    DONE = "done"
    FAILED = "failed"
    """The next try comes."""
    GIVEN_UP = "given-up"
    """It was the last one of its run."""


class LastTry(Value, frozen=True, kw_only=True):
    """How the newest try ended; a person's cancel is none."""

    end: TryEnd
    number: int
    """Which try of its run it was."""
    attempts: int
    """So many a run has."""
    at: datetime
    next_at: datetime | None = None
    why: Message | None = None
    """None: it worked, or a kill cut it short."""


def after_failure(attempts: Attempts, limit: int, now: datetime) -> Attempts:
    """Return what follows a failed try: the next one in five minutes, or the end of this run."""
    failed = attempts.failed + 1
    if failed >= limit:
        return msgspec.structs.replace(attempts, failed=0, next_at=None)
    return msgspec.structs.replace(attempts, failed=failed, next_at=now + WAIT_BETWEEN_TRIES)


def after_success(attempts: Attempts) -> Attempts:
    """Return what follows a try that worked: nothing waits."""
    return msgspec.structs.replace(attempts, failed=0, next_at=None)
