"""What an appliance is at this moment, in one sentence, and what a person may decide about it."""

from dataclasses import dataclass

from beistand.domain.finding import Severity
from beistand.domain.generation import CopyState
from beistand.domain.message import Message
from beistand.domain.role import Role
from beistand.protocol import Status
from beistand.web.choosing import peer_name

KNOWN = (
    "serving",
    "unverified",
    "standing-by",
    "checking",
    "held",
    "active-failed",
    "superseded",
    "released",
    "forked",
    "out-of-order",
    "starting",
    "recovering",
)
ALARMING = ("active-failed", "forked", "out-of-order")
WAITING = ("unverified", "checking", "held", "superseded", "released", "starting", "recovering")
PASSING = ("starting", "checking", "recovering")
RETRY = ("held", "active-failed", "released")
"""States in which `serve now` is a choice; the takeover page asks for the password and does it."""
TAKE_OVER = ("standing-by", "superseded", "forked")
NO_STANDBY = "no-standby"
"""The finding of an active whose peer was the active before."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    sentence: Message
    kind: str
    """good, calm, wait or bad. Good only where a proven copy stands by and nothing is wrong (B1)."""
    state: str
    """`state.<state>` in the catalogue is its word."""
    passes_by_itself: bool = False
    """In a moment it is another one: the page looks again."""
    can_retry: bool = False
    can_take_over: bool = False
    can_cycle: bool = False
    has_standby: bool = True
    """False on an active after a takeover: nobody keeps a copy of what it serves."""


def summary(status: Status) -> Summary:
    """Return the sentence for this status, and the choices."""
    state = "starting" if status.state == "not-initialised" and status.role else status.state
    state = state if state in KNOWN else "out-of-order"
    peer = peer_name(status)
    is_active = status.role is Role.ACTIVE
    has_standby = all(each.code != NO_STANDBY for each in status.findings)
    return Summary(
        sentence=Message(
            code=f"web.overview.is.{_case(status, state, has_standby=has_standby)}",
            fields={
                "host": status.host,
                "peer": peer,
                "address": status.service_address,
                "silent": status.peer.silent_seconds if status.peer else 0.0,
            },
        ),
        kind=_kind(status, state),
        state=state,
        passes_by_itself=state in PASSING,
        can_retry=state in RETRY,
        can_take_over=state in TAKE_OVER or (state == "recovering" and not is_active),
        can_cycle=is_active
        and has_standby
        and bool(status.pair)
        and status.job is None
        and status.pause is None,
        has_standby=has_standby,
    )


def _case(status: Status, state: str, *, has_standby: bool) -> str:
    if state == "serving" and status.peer is None:
        return "serving-alone"
    if state == "serving" and not has_standby:
        return "serving-without-standby"
    if state == "standing-by" and status.peer is None:
        return "standing-unpaired"
    if state in ("serving", "standing-by") and _is_silent(status):
        return f"{state}-silent"
    if state in ("serving", "standing-by") and status.usable is None:
        return "serving-empty" if state == "serving" else "standing-empty"
    return state


def _is_silent(status: Status) -> bool:
    """Tell whether nobody knows how the other one is: then it is not said to stand by."""
    return status.peer is not None and not status.peer.connected


def _kind(status: Status, state: str) -> str:
    severities = {each.severity for each in status.findings}
    if state in ALARMING or Severity.BLOCK in severities:
        return "bad"
    if state in WAITING or _is_silent(status) or severities & {Severity.WARN, Severity.CONFIRM}:
        return "wait"
    is_proven = status.usable is not None and status.usable.state is CopyState.PROVEN
    return "good" if is_proven else "calm"
