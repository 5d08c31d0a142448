"""When a cycle is due (S9): Timer-Intervall, Wiederhole alle N, Start, Zeit.

Minutes and hours count real time from the start. Days, weeks and months are local wall time: in the
gap of a spring night the first valid moment after it, in autumn once; the 31st means the last day.
"""

from bisect import bisect_right
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Annotated

import msgspec

from beistand.domain.value import Value


class Interval(StrEnum):
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Schedule(Value, frozen=True, kw_only=True):
    """Every `every` intervals from the local date `start` at the local time `at`."""

    interval: Interval = Interval.DAY
    every: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    start: date
    at: time


CLOCK_TOLERANCE = timedelta(minutes=1)
"""A run noted further in the future than this was noted by a wrong clock (F9)."""

NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""A run that lies behind the end of the calendar: whoever waits for it waits for good, and no arithmetic fails on it.

No person may save such a schedule (domain/config_check.py), but one may have been stored, or come from a peer."""

_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), NEVER.date()
_REAL = {Interval.MINUTE: timedelta(minutes=1), Interval.HOUR: timedelta(hours=1)}
_DAYS = {Interval.DAY: 1, Interval.WEEK: 7}
_SHORTEST_MONTH = timedelta(days=28)


def next_run(schedule: Schedule, after: datetime, zone: tzinfo) -> datetime:
    """Return the first scheduled moment after this one, in UTC."""
    return _moment(schedule, _runs_until(schedule, after, zone), zone)


def missed_run(schedule: Schedule, last: datetime | None, now: datetime, zone: tzinfo) -> datetime | None:
    """Return the newest scheduled moment that no run answered, None if nothing is due.

    `last` is the scheduled moment that the newest run answered; None: there was no run yet, and
    whatever lies behind is one missed run. However many were missed, one run answers them all.
    """
    count = _runs_until(schedule, now, zone)
    if count == 0:
        return None
    newest = _moment(schedule, count - 1, zone)
    is_answered = last is not None and newest <= last <= now + CLOCK_TOLERANCE
    return None if is_answered else newest


def is_due(schedule: Schedule, last: datetime | None, now: datetime, zone: tzinfo) -> bool:
    """Tell whether a run should begin now; `last` as in `missed_run`."""
    return missed_run(schedule, last, now, zone) is not None


def _runs_until(schedule: Schedule, until: datetime, zone: tzinfo) -> int:
    """Return how many scheduled moments lie at or before this one."""
    passed = until - _moment(schedule, 0, zone)
    if passed < timedelta(0):
        return 0
    most = passed // _shortest_step(schedule) + 2
    return bisect_right(range(most), until, key=lambda number: _moment(schedule, number, zone))


def _shortest_step(schedule: Schedule) -> timedelta:
    if schedule.interval is Interval.MONTH:
        return _SHORTEST_MONTH * schedule.every
    return schedule.every * (_REAL.get(schedule.interval) or timedelta(days=_DAYS[schedule.interval]))


def _moment(schedule: Schedule, number: int, zone: tzinfo) -> datetime:
    """Return the scheduled moment with this number, counted from 0 at the start, in UTC; NEVER at the latest."""
    try:
        return min(_exact_moment(schedule, number, zone), NEVER)
    except (OverflowError, ValueError):  # behind the last day that a calendar has
        return NEVER


def _exact_moment(schedule: Schedule, number: int, zone: tzinfo) -> datetime:
    steps, start = number * schedule.every, min(max(schedule.start, _FIRST_DAY), _LAST_DAY)
    if schedule.interval in _REAL:
        return _valid(start, schedule.at, zone) + steps * _REAL[schedule.interval]
    if schedule.interval is Interval.MONTH:
        return _valid(_months_later(start, steps), schedule.at, zone)
    return _valid(start + timedelta(days=steps * _DAYS[schedule.interval]), schedule.at, zone)


def _months_later(start: date, months: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def _valid(day: date, at: time, zone: tzinfo) -> datetime:
    """Return the moment of this local wall time, in UTC: the first of two, or the first after a gap."""
    local = datetime.combine(day, at.replace(tzinfo=None), tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # In a gap PEP 495 reads fold=1 with the offset after it: a moment before the gap, as fold=0 is one after it.
    before = local.replace(fold=1).astimezone(UTC)
    new_offset = moment.astimezone(zone).utcoffset()
    seconds = range(int((moment - before).total_seconds()) + 1)
    gap = bisect_right(seconds, 0, key=lambda each: _has_offset(before, each, zone, new_offset))
    return before.replace(microsecond=0) + timedelta(seconds=gap)


def _has_offset(before: datetime, seconds: int, zone: tzinfo, offset: timedelta | None) -> int:
    moment = before.replace(microsecond=0) + timedelta(seconds=seconds)
    return int(moment.astimezone(zone).utcoffset() == offset)
