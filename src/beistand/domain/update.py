"""The guided update (S4): pause, standby, active, compare, resume; each step judged by what is seen, not clicked."""

import re
from enum import StrEnum

import msgspec

from beistand.domain.finding import Finding, Severity
from beistand.domain.generation import Copy, CopyState
from beistand.domain.message import Message, message
from beistand.domain.pause import Pause, Versions
from beistand.domain.value import Value

OF_VERSIONS = ("pbx-versions-differ", "beistand-versions-differ", "protocol-differs")
"""What an update of one side alone leads to; other differences that only warn hinder no update."""
GOOD = (CopyState.IMPORTED, CopyState.PROVEN)


class StepState(StrEnum):
    DONE = "done"
    NOW = "now"
    OPEN = "open"
    FAILED = "failed"


class UpdateStep(Value, frozen=True, kw_only=True):
    code: str
    """`update.step.<code>` is its name: pause, standby, active, compare, resume."""
    state: StepState
    says: Message
    """What is seen; its hint says what to do."""


class Side(Value, frozen=True, kw_only=True):
    """One of the two, as it is heard."""

    host: str
    is_heard: bool
    now: Versions
    """As it told them last."""
    before: Versions | None = None
    """When the pause began."""


class Seen(Value, frozen=True, kw_only=True):
    """All that the steps are judged by."""

    pause: Pause | None
    active: Side
    standby: Side
    differences: tuple[Finding, ...]
    """Broken prerequisites of the pair."""
    newest: Copy | None = None
    is_cycling: bool = False


def update_steps(seen: Seen) -> tuple[UpdateStep, ...]:
    """Return the five steps in order; the first that is not done is the one to do now."""
    standby, active = _side(seen, seen.standby, seen.active), _side(seen, seen.active, seen.standby)
    both = standby[0] is active[0] is StepState.DONE
    found = {
        "pause": _pause(seen),
        "standby": standby,
        "active": active,
        "compare": _compare(seen, both_done=both),
        "resume": _resume(seen),
    }
    steps = [UpdateStep(code=code, state=state, says=says) for code, (state, says) in found.items()]
    first = next((at for at, each in enumerate(steps) if each.state is not StepState.DONE), len(steps))
    return tuple(
        msgspec.structs.replace(each, state=_placed(each.state, at, first)) for at, each in enumerate(steps)
    )


def is_older(one: Versions, other: Versions) -> bool:
    """Tell whether anything of the one is older than the other's; letters in a version say nothing about its age."""
    return _numbers(one.beistand) < _numbers(other.beistand) or _numbers(one.pbx) < _numbers(other.pbx)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version))


def _placed(state: StepState, at: int, first: int) -> StepState:
    if state is StepState.DONE:
        return state
    if at > first:
        return StepState.OPEN
    return state if state is StepState.FAILED else StepState.NOW


Judged = tuple[StepState, Message]


def _pause(seen: Seen) -> Judged:
    pause = seen.pause
    if pause is None:
        return StepState.OPEN, message("update.pause.none")
    fields = {"who": pause.who, "since": pause.since.isoformat()}
    if pause.end is not None:
        end = pause.end.isoformat()
        return StepState.DONE, message("update.pause.over", **fields, end=end, ended_by=pause.ended_by)
    if seen.is_cycling:
        return StepState.OPEN, message("update.pause.cycling", **fields)
    return StepState.DONE, message("update.pause.on", **fields)


def _side(seen: Seen, side: Side, other: Side) -> Judged:
    """Judge one appliance: it is updated when it runs something else than before, and nothing older than the other."""
    is_over = seen.pause is not None and not seen.pause.is_on
    if not side.is_heard and not is_over:
        return StepState.OPEN, message("update.side.silent", host=side.host)
    if is_older(side.now, other.now):
        return StepState.OPEN, message("update.side.behind", host=side.host, other=other.host)
    if side.before is not None and side.before != side.now:
        return StepState.DONE, message("update.side.changed", host=side.host)
    if is_older(other.now, side.now):
        return StepState.DONE, message("update.side.ahead", host=side.host, other=other.host)
    if seen.pause is None:
        return StepState.OPEN, message("update.side.alike", host=side.host)
    return StepState.DONE if is_over else StepState.OPEN, message("update.side.as-before", host=side.host)


def _compare(seen: Seen, *, both_done: bool) -> Judged:
    count = len(seen.differences)
    if any(each.severity is Severity.BLOCK or each.code in OF_VERSIONS for each in seen.differences):
        return StepState.FAILED, message("update.compare.differs", count=count)
    state = StepState.DONE if both_done and seen.pause is not None else StepState.OPEN
    if count:
        return state, message("update.compare.noted", count=count)
    return state, message("update.compare.equal")


def _resume(seen: Seen) -> Judged:
    pause, copy = seen.pause, seen.newest
    if pause is None or pause.end is None:
        return StepState.OPEN, message("update.resume.open")
    if copy is None or copy.generation.begin < pause.end:
        code = "update.resume.running" if seen.is_cycling else "update.resume.no-cycle"
        return StepState.OPEN, Message(code=code)
    if copy.state is CopyState.FAILED:
        return StepState.FAILED, message("update.resume.failed", why=str(copy.why or ""))
    if copy.state in GOOD:
        generation = copy.generation.id
        return StepState.DONE, message("update.resume.done", generation=generation)
    return StepState.OPEN, message("update.resume.running")
