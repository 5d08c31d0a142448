"""S9: when a cycle is due, both nights of Berlin included."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beistand.domain.schedule import NEVER, Interval, Schedule, is_due, missed_run, next_run

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Pacific/Apia"), UTC]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def a_schedule(interval: str, start: str, every: int = 1) -> Schedule:
    moment = datetime.fromisoformat(start)
    return Schedule(interval=Interval(interval), every=every, start=moment.date(), at=moment.time())


def runs(schedule: Schedule, after: str, count: int) -> list[str]:
    moment, found = local(after), []
    for _ in range(count):
        moment = next_run(schedule, moment, BERLIN)
        found.append(moment.astimezone(BERLIN).strftime("%m-%d %H:%M %z"))
    return found


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        # The first run is the start itself, and not before.
        (
            a_schedule("day", "2026-05-10T22:00"),
            "2026-01-01T00:00",
            ["05-10 22:00 +0200", "05-11 22:00 +0200"],
        ),
        (a_schedule("day", "2026-05-10T22:00"), "2026-05-10T22:00", ["05-11 22:00 +0200"]),
        (
            a_schedule("day", "2026-05-10T22:00", 3),
            "2026-05-11T00:00",
            ["05-13 22:00 +0200", "05-16 22:00 +0200"],
        ),
        (
            a_schedule("week", "2026-05-10T22:00", 2),
            "2026-05-11T00:00",
            ["05-24 22:00 +0200", "06-07 22:00 +0200"],
        ),
        # Spring: 02:00 to 03:00 does not exist on 29 March; the day after is as always.
        (
            a_schedule("day", "2026-03-01T02:30"),
            "2026-03-28T00:00",
            ["03-28 02:30 +0100", "03-29 03:00 +0200", "03-30 02:30 +0200"],
        ),
        (
            a_schedule("day", "2026-03-01T02:00"),
            "2026-03-28T12:00",
            ["03-29 03:00 +0200", "03-30 02:00 +0200"],
        ),
        (
            a_schedule("day", "2026-03-01T03:00"),
            "2026-03-28T12:00",
            ["03-29 03:00 +0200", "03-30 03:00 +0200"],
        ),
        (
            a_schedule("week", "2026-03-22T02:59:59"),
            "2026-03-23T00:00",
            ["03-29 03:00 +0200", "04-05 02:59 +0200"],
        ),
        # Autumn: 02:30 comes twice on 25 October; the run comes once.
        (
            a_schedule("day", "2026-03-01T02:30"),
            "2026-10-24T12:00",
            ["10-25 02:30 +0200", "10-26 02:30 +0100"],
        ),
        # Minutes and hours are real time: nothing is left out and nothing twice.
        (
            a_schedule("hour", "2026-03-28T23:30"),
            "2026-03-29T00:00",
            ["03-29 00:30 +0100", "03-29 01:30 +0100", "03-29 03:30 +0200", "03-29 04:30 +0200"],
        ),
        (
            a_schedule("hour", "2026-10-24T23:30"),
            "2026-10-25T01:00",
            ["10-25 01:30 +0200", "10-25 02:30 +0200", "10-25 02:30 +0100", "10-25 03:30 +0100"],
        ),
        (
            a_schedule("hour", "2026-10-24T22:00", 6),
            "2026-10-24T22:00",
            ["10-25 03:00 +0100", "10-25 09:00 +0100"],
        ),
        (
            a_schedule("minute", "2026-05-10T22:07", 25),
            "2026-05-10T23:00",
            ["05-10 23:22 +0200", "05-10 23:47 +0200"],
        ),
        # The 31st is the last day of the month, and comes back to the 31st.
        (
            a_schedule("month", "2026-01-31T04:00"),
            "2026-01-31T04:00",
            ["02-28 04:00 +0100", "03-31 04:00 +0200", "04-30 04:00 +0200", "05-31 04:00 +0200"],
        ),
        (
            a_schedule("month", "2027-12-30T04:00"),
            "2028-01-31T00:00",
            ["02-29 04:00 +0100", "03-30 04:00 +0200"],
        ),
        (
            a_schedule("month", "2026-01-31T04:00", 13),
            "2026-02-01T00:00",
            ["02-28 04:00 +0100", "03-31 04:00 +0200"],
        ),
    ],
)
def test_next_run(schedule: Schedule, after: str, expected: list[str]) -> None:
    assert runs(schedule, after, len(expected)) == expected


NIGHTLY = a_schedule("day", "2026-05-10T02:00")


@pytest.mark.parametrize(
    ("last", "now", "expected"),
    [
        (None, "2026-05-10T01:59", None),
        (None, "2026-05-10T02:00", "2026-05-10T02:00"),
        ("2026-05-10T02:00", "2026-05-11T01:59", None),
        ("2026-05-10T02:00", "2026-05-11T02:00", "2026-05-11T02:00"),
        # Off for four nights: one run, and then the rhythm goes on.
        ("2026-05-10T02:00", "2026-05-14T09:00", "2026-05-14T02:00"),
        ("2026-05-14T02:00", "2026-05-14T09:01", None),
        # A clock that went back a little must not run twice, one that was wrong must not stop everything.
        ("2026-05-11T02:00", "2026-05-11T01:59:30", None),
        ("2030-01-01T02:00", "2026-05-14T09:00", "2026-05-14T02:00"),
    ],
)
def test_what_was_missed_runs_once(last: str | None, now: str, expected: str | None) -> None:
    answered = local(last) if last else None
    assert missed_run(NIGHTLY, answered, local(now), BERLIN) == (local(expected) if expected else None)
    assert is_due(NIGHTLY, answered, local(now), BERLIN) == (expected is not None)


schedules = st.builds(
    Schedule,
    interval=st.sampled_from(Interval),
    every=st.integers(1, 40),
    start=st.dates(date(2005, 1, 1), date(2035, 12, 31)),
    at=st.times().map(lambda at: at.replace(microsecond=0)),
)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(schedules, moments, st.sampled_from(ZONES))
def test_the_next_run_is_after_and_none_lies_between(
    schedule: Schedule, after: datetime, zone: ZoneInfo
) -> None:
    following = next_run(schedule, after, zone)
    assert following > after
    assert next_run(schedule, following - timedelta(microseconds=1), zone) == following
    middle = after + (following - after) / 2
    assert next_run(schedule, middle, zone) == following


@given(schedules, moments, moments, st.sampled_from(ZONES))
def test_later_means_not_earlier(schedule: Schedule, one: datetime, other: datetime, zone: ZoneInfo) -> None:
    first, second = sorted((one, other))
    assert next_run(schedule, first, zone) <= next_run(schedule, second, zone)


@given(schedules.filter(lambda each: each.interval not in (Interval.MINUTE, Interval.HOUR)), moments)
def test_a_local_time_runs_at_most_once(schedule: Schedule, after: datetime) -> None:
    days, moment = [], after
    for _ in range(5):
        moment = next_run(schedule, moment, BERLIN)
        days.append(moment.astimezone(BERLIN).date())
        wall = moment.astimezone(BERLIN).time()
        in_gap = wall.replace(tzinfo=None) == time(3) and time(2) <= schedule.at < time(3)
        assert wall == schedule.at or in_gap
    assert len(set(days)) == len(days)


@given(schedules, moments, st.integers(0, 10**7), st.sampled_from(ZONES))
def test_an_answered_run_is_not_due_again_until_the_next(
    schedule: Schedule, now: datetime, later: int, zone: ZoneInfo
) -> None:
    answered = missed_run(schedule, None, now, zone)
    if answered is None:
        assert next_run(schedule, now, zone) > now
        return
    assert answered <= now
    then = now + timedelta(seconds=later)
    assert is_due(schedule, answered, then, zone) == (next_run(schedule, now, zone) <= then)


NIGHTS = [
    (BERLIN, datetime(2026, 3, 28, 12, tzinfo=UTC)),
    (BERLIN, datetime(2026, 10, 24, 12, tzinfo=UTC)),
    (ZoneInfo("Australia/Lord_Howe"), datetime(2026, 4, 4, 2, tzinfo=UTC)),
    (ZoneInfo("Australia/Lord_Howe"), datetime(2026, 10, 3, 2, tzinfo=UTC)),
]
"""Noon before each change; the clocks of Lord Howe Island move by half an hour."""


@pytest.mark.parametrize("at", [time(1, 45), time(2, 0), time(2, 15), time(2, 30), time(2, 45), time(3, 0)])
@pytest.mark.parametrize(("zone", "noon"), NIGHTS)
def test_an_agent_that_looks_again_and_again_runs_once_in_each_night(
    zone: ZoneInfo, noon: datetime, at: time
) -> None:
    """F9: what the agent does with it: it answers what is due with the moment it looked at."""
    schedule = Schedule(interval=Interval.DAY, start=date(2026, 1, 1), at=at)
    last, now, ran = noon, noon, []
    while now < noon + timedelta(hours=42):
        if is_due(schedule, last, now, zone):
            last = now
            ran.append(now.astimezone(zone).date())
        now += timedelta(minutes=15)
    first = noon.astimezone(zone).date()
    assert ran == [first + timedelta(days=day) for day in (1, 2)]


@pytest.mark.parametrize(("zone", "noon"), NIGHTS)
def test_hours_are_real_hours_in_each_night(zone: ZoneInfo, noon: datetime) -> None:
    schedule = Schedule(interval=Interval.HOUR, start=date(2026, 1, 1), at=time(0, 20))
    last, now, gaps = noon, noon, []
    while now < noon + timedelta(days=1):
        if is_due(schedule, last, now, zone):
            gaps.append(now - last)
            last = now
        now += timedelta(minutes=5)
    assert set(gaps[1:]) == {timedelta(hours=1)}
    assert len(gaps) == 24


@given(
    interval=st.sampled_from(Interval),
    every=st.integers(1, 1000),
    start=st.dates(),
    at=st.times(),
    after=st.integers(-31_000_000, 32_000_000_000),
    zone=st.sampled_from(ZONES),
)
def test_no_date_of_a_calendar_ends_a_schedule(interval, every, start, at, after, zone) -> None:
    """What a peer sent, or an earlier version stored: a run behind the end of all days is one that never comes."""
    schedule = Schedule(interval=interval, every=every, start=start, at=at)
    moment = datetime.fromtimestamp(after, UTC)
    run = next_run(schedule, moment, zone)
    assert moment < run <= NEVER
    assert run.astimezone(zone) > moment
    assert (
        missed_run(schedule, None, moment, zone) is None or missed_run(schedule, None, moment, zone) <= moment
    )
