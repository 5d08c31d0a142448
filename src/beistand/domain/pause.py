"""A pause of the cycles: who made it, since when, and what both appliances ran then (S4).

Scheduled cycles rest and none is begun by hand; local backups go on. It belongs to one epoch: a takeover ends it.
"""

from datetime import datetime, timedelta

from beistand.domain.bounds import Moment, Word
from beistand.domain.finding import Finding, Severity
from beistand.domain.role import Epoch
from beistand.domain.value import Value

FORGOTTEN = timedelta(hours=24)
"""No update takes so long: whoever paused has forgotten to resume."""


class Versions(Value, frozen=True, kw_only=True):
    """What an appliance runs."""

    beistand: Word
    pbx: Word


class Pause(Value, frozen=True, kw_only=True):
    """Durable on the active; the standby hears of it. It is kept after its end, so that its update can be seen."""

    who: Word
    since: Moment
    epoch: Epoch
    active: Versions
    """When the pause began; so the next one."""
    standby: Versions
    end: Moment | None = None
    """When somebody resumed; None: the cycles rest."""
    ended_by: Word = ""

    @property
    def is_on(self) -> bool:
        return self.end is None


def pause_finding(pause: Pause, now: datetime) -> Finding:
    """Return what is told while the cycles rest."""
    since = pause.since.isoformat()
    if now - pause.since > FORGOTTEN:
        seconds = (now - pause.since).total_seconds()
        fields: dict[str, str | int | float | bool] = {"who": pause.who, "since": since, "seconds": seconds}
        return Finding(code="cycles-paused-long", severity=Severity.BLOCK, fields=fields)
    return Finding(code="cycles-paused", severity=Severity.WARN, fields={"who": pause.who, "since": since})
