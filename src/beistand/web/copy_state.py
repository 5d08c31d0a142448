"""The one truthful state of a copy, as the overview shows it (B1): how far it came, and how old it is."""

from dataclasses import dataclass

from beistand.domain.generation import Copy, CopyState
from beistand.domain.role import Role
from beistand.protocol import Status

STEPS = (
    CopyState.TAKEN,
    CopyState.TRANSFERRED,
    CopyState.VERIFIED,
    CopyState.IMPORTED,
    CopyState.PROVEN,
)
FAILED_AT = {
    "offer": CopyState.TRANSFERRED,
    "connect": CopyState.TRANSFERRED,
    "transfer": CopyState.TRANSFERRED,
    "verify": CopyState.VERIFIED,
    "import": CopyState.IMPORTED,
    "drill": CopyState.PROVEN,
}
"""The state that a copy did not reach because this stage failed; every other stage belongs to taking it."""
ON_THE_STANDBY = ("offer", "verify", "import", "drill")
"""Stages whose failures are the standby's to tell: its disk, its profile."""
UNDER_WAY = (CopyState.TAKEN, CopyState.TRANSFERRED, CopyState.VERIFIED)
NEARLY_OLD = 0.75


@dataclass(frozen=True, kw_only=True)
class Step:
    title: str
    """A code."""
    state: str
    """done, now, failed or open, as parts/steps.html shows it."""


@dataclass(frozen=True, kw_only=True)
class Age:
    """Of the data that a takeover would serve, beside what the schedule promises."""

    seconds: float
    promised: float
    """0: nothing is promised."""
    kind: str
    """calm, wait or bad. Never good: young data is not yet data that starts."""


def steps(copy: Copy, *, is_running: bool) -> tuple[Step, ...]:
    """Return the five states in order; while a cycle works on it, the one that it is coming to is `now`."""
    reached = _reached(copy)
    return tuple(
        Step(title=f"web.overview.step.{state.value}", state=_step(copy, at, reached, is_running=is_running))
        for at, state in enumerate(STEPS)
    )


def age(copy: Copy | None, seconds: float | None, promised: float) -> Age | None:
    """Return how old the usable copy is; None where there is none, or where no clock can say it."""
    if copy is None or seconds is None:
        return None
    share = seconds / promised if promised else 0.0
    kind = "bad" if share > 1 else "wait" if share > NEARLY_OLD else "calm"
    return Age(seconds=seconds, promised=promised, kind=kind)


def _reached(copy: Copy) -> int:
    """Return how many of the states are behind it."""
    if copy.state is CopyState.FAILED:
        return STEPS.index(FAILED_AT.get(copy.failed_stage, CopyState.TAKEN))
    return STEPS.index(copy.state) + 1


def _step(copy: Copy, at: int, reached: int, *, is_running: bool) -> str:
    if at < reached:
        return "done"
    if at > reached:
        return "open"
    if copy.state is CopyState.FAILED:
        return "failed"
    # A cycle that runs beside an imported copy is making the next one.
    return "now" if is_running and copy.state in UNDER_WAY else "open"


def failed_on(status: Status) -> str:
    """Return the host name of the standby where the newest copy failed there; its disk is not the active's."""
    if status.newest is None or status.newest.failed_stage not in ON_THE_STANDBY:
        return ""
    if status.role is Role.ACTIVE:
        return status.peer.host if status.peer else ""
    return status.host
