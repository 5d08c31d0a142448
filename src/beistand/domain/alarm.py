"""Alarms about the alarms (B3, F30): who would be told, and by whom, if something went wrong now?

An appliance tells its peer in each greeting whether its mails go out and whether its cycles begin: the other one
shows it, and mails it. What goes to and fro becomes no storm: a state must last before it begins and before it ends.
"""

from collections.abc import Iterable
from datetime import datetime

from beistand.domain.bounds import Count, Seconds
from beistand.domain.finding import Finding, Severity
from beistand.domain.generation import Copy, CopyState
from beistand.domain.mail import MailState, OutboxEntry
from beistand.domain.mail_text import USERS_TAKEOVER
from beistand.domain.message import Field, Message
from beistand.domain.value import Value

MAILS_BLOCKED_SECONDS = 600.0
"""Three tries have failed by then; a mail server that is restarted takes less."""
CYCLE_OVERDUE_SECONDS = 300.0
"""A due cycle begins within a second; another job may keep it waiting for a while."""
SILENCE_SECONDS = 120.0
"""A peer that reboots is silent for less; after it no news is an alarm (F30)."""
NOBODY_SECONDS = 60.0
"""A takeover and a boot of both are over by then, or named by who is about to serve."""
ABSENCE_SECONDS = 600.0
"""An appliance that was away for longer says from when to when."""


class AlarmPath(Value, frozen=True, kw_only=True):
    """Whether an appliance can tell anybody anything, as it says itself. Ages, not times: clocks may differ."""

    mails_waiting: Count = 0
    """Mails to administrators that the server did not take."""
    mails_seconds: Seconds = 0.0
    """Since when the oldest of them waits."""
    mails_why: Message | None = None
    cycle_overdue_seconds: Seconds = 0.0
    """So long a cycle has been due that does not begin; 0: none is."""


class Lasting(Value, frozen=True, kw_only=True):
    """A state that must last before it counts, and be gone for a while before it ends."""

    is_on: bool = False
    changing_since: float | None = None
    """Monotonic seconds since when what is seen differs from `is_on`."""


def lasting(before: Lasting, *, is_so: bool, now: float, begin: float, end: float) -> Lasting:
    """Return the state after one look: on after `begin` seconds without a break, off after `end` seconds."""
    if is_so is before.is_on:
        return Lasting(is_on=before.is_on)
    since = now if before.changing_since is None else before.changing_since
    if now - since >= (begin if is_so else end):
        return Lasting(is_on=is_so)
    return Lasting(is_on=before.is_on, changing_since=since)


def alarm_path(mails: Iterable[OutboxEntry], now: datetime, cycle_overdue_seconds: float) -> AlarmPath:
    """Return what this appliance has to say of itself; mails to the users of the telephone system are none."""
    stuck = [
        each
        for each in mails
        if each.state is MailState.WAITING and each.why is not None and each.kind != USERS_TAKEOVER
    ]
    if not stuck:
        return AlarmPath(cycle_overdue_seconds=cycle_overdue_seconds)
    oldest = min(stuck, key=lambda each: each.since)
    return AlarmPath(
        mails_waiting=len(stuck),
        mails_seconds=max(0.0, (now - oldest.since).total_seconds()),
        mails_why=oldest.why,
        cycle_overdue_seconds=cycle_overdue_seconds,
    )


def own_alarms(path: AlarmPath) -> tuple[Finding, ...]:
    """Return what is wrong here beside what the outbox says: cycles that do not begin."""
    overdue = path.cycle_overdue_seconds
    return (_warn("cycle-overdue", seconds=overdue),) if overdue >= CYCLE_OVERDUE_SECONDS else ()


def nobody_serves(seconds: float) -> tuple[Finding, ...]:
    """Return what both sides say once it has lasted for `seconds`."""
    return (_block("nobody-serves", seconds=seconds),) if seconds >= NOBODY_SECONDS else ()


def peer_alarms(path: AlarmPath | None, peer: str) -> tuple[Finding, ...]:
    """Return what the peer cannot tell anybody itself, or does not do."""
    if path is None:
        return ()
    found = []
    if path.mails_waiting and path.mails_seconds >= MAILS_BLOCKED_SECONDS:
        why = str(path.mails_why) if path.mails_why else ""
        found.append(
            _block(
                "peer-mails-wait", peer=peer, count=path.mails_waiting, seconds=path.mails_seconds, why=why
            )
        )
    if path.cycle_overdue_seconds >= CYCLE_OVERDUE_SECONDS:
        found.append(_warn("peer-cycle-overdue", peer=peer, seconds=path.cycle_overdue_seconds))
    return tuple(found)


TO_THE_STANDBY = ("offer", "connect", "transfer")
ON_THE_STANDBY = ("verify", "import", "drill")


def where_it_stays(newest: Copy | None, usable: Copy | None) -> Finding:
    """Return how far the newest generation came, where the data on the standby is older than promised (B3)."""
    is_newer = newest is not None and (usable is None or newest.generation.order > usable.generation.order)
    if newest is None or not is_newer:
        return _warn("stays-not-taken", why="")
    why = str(newest.why) if newest.why else ""
    fields: dict[str, Field] = {"generation": newest.generation.id, "why": why}
    state, stage = newest.state, newest.failed_stage
    if state is CopyState.TAKEN or (state is CopyState.FAILED and stage in TO_THE_STANDBY):
        return _warn("stays-not-transferred", **fields)
    if state is not CopyState.FAILED or stage in ON_THE_STANDBY:
        return _warn("stays-not-imported", **fields)
    return _warn("stays-not-taken", why=why)


def _block(code: str, **fields: Field) -> Finding:
    return Finding(code=code, severity=Severity.BLOCK, fields=fields)


def _warn(code: str, **fields: Field) -> Finding:
    return Finding(code=code, severity=Severity.WARN, fields=fields)
