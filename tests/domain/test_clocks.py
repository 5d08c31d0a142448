"""F9: what can be said of time where clocks may be wrong."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from beistand.domain.clocks import clock_unset, data_age
from beistand.domain.finding import Severity
from beistand.domain.health import clocks_differ
from beistand.domain.safety import findings
from fakes.situations import NOW, A, B, appliance, facts, imported


@pytest.mark.parametrize(
    ("ahead", "age"),
    [
        (timedelta(hours=-2), timedelta(hours=2)),
        (timedelta(0), timedelta(0)),
        (timedelta(seconds=60), timedelta(0)),
        (timedelta(seconds=61), None),
        (timedelta(days=20_000), None),
    ],
)
def test_an_age_is_never_negative_and_never_a_silent_nothing(ahead: timedelta, age: timedelta | None) -> None:
    assert data_age(NOW + ahead, NOW) == age


def test_data_of_unknown_age_needs_a_confirmation_of_its_own() -> None:
    """F28: with the clock of the standby at 1970 nobody knows that the data is three days old."""
    copy = imported(begin=NOW - timedelta(days=3))
    found = findings(facts(copy=copy, at=datetime(1970, 1, 1, tzinfo=UTC)))
    assert [(each.code, each.severity) for each in found] == [("data-age-unknown", Severity.CONFIRM)]


@pytest.mark.parametrize(("age", "codes"), [(timedelta(hours=1), []), (timedelta(hours=27), ["data-old"])])
def test_the_age_is_judged_by_the_clock_that_dated_the_data(age: timedelta, codes: list[str]) -> None:
    """F9: the active's clock is two days ahead of the standby's, or behind: its data is as old as it says."""
    for skew in (timedelta(days=2), timedelta(days=-2)):
        seen = facts(copy=imported(begin=NOW + skew - age), data_clock=NOW + skew)
        assert [each.code for each in findings(seen)] == codes


@pytest.mark.parametrize(
    ("now", "is_told"),
    [(datetime(1970, 1, 1, 0, 5, tzinfo=UTC), True), (datetime(2026, 1, 1, tzinfo=UTC), False)],
)
def test_a_dead_clock_is_told(now: datetime, is_told: bool) -> None:
    assert (clock_unset(now) is not None) is is_told


@pytest.mark.parametrize(("seconds", "is_told"), [(59, False), (-60, False), (61, True), (-3600, True)])
def test_a_skew_above_a_minute_is_told(seconds: int, is_told: bool) -> None:
    theirs = msgspec.structs.replace(appliance(B), now=NOW + timedelta(seconds=seconds))
    assert (clocks_differ(appliance(A), theirs) is not None) is is_told
