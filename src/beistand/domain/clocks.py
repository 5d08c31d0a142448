"""What can be said of time where clocks may be wrong (F9): order is by epoch and sequence, never by these."""

from datetime import UTC, datetime, timedelta

from beistand.domain.finding import Finding, Severity

LARGEST_SKEW = timedelta(seconds=60)
"""Between the clocks of a pair; above it a person is told."""
EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
"""No right clock is before this program was written: an empty battery begins in 1970."""


def data_age(begin: datetime, now: datetime) -> timedelta | None:
    """Return how old data is that begins at this moment; None where the clocks say that it is still to come.

    `now` is what the clock shows that stamped it. A clock that is a little behind makes it new, not unknown.
    """
    age = now - begin
    return None if age < -LARGEST_SKEW else max(age, timedelta(0))


def clock_unset(now: datetime) -> Finding | None:
    """Without a right time no age is, no schedule is kept, and certificates are refused."""
    if now >= EARLIEST:
        return None
    return Finding(code="clock-unset", severity=Severity.WARN, fields={"now": now.isoformat()})
