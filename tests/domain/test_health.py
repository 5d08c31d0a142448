"""S4, S5, B3, F8, F9: what is told while all is well."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from beistand.domain.config import ModuleConfig
from beistand.domain.finding import Severity
from beistand.domain.generation import Copy, CopyState, Generation
from beistand.domain.health import (
    copy_findings,
    oldest_promised,
    prerequisites,
    promised_until,
)
from beistand.domain.pair import Appliance
from beistand.domain.schedule import Interval, Schedule

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
A = Appliance(
    node="a" * 16,
    host="pbx-a",
    own_address="192.0.2.1/24",
    service_addresses=("192.0.2.10",),
    mac="02:00:00:00:00:01",
    beistand_version="0.1.0",
    pbx_version="22.10",
    profile="asterisk",
    licence_key="AAAAA-AAAAA-AAAAA-AAAAA",
    gateway="192.0.2.254",
    dns=("192.0.2.253",),
    is_static=True,
    now=NOW,
)
B = msgspec.structs.replace(
    A, node="b" * 16, host="pbx-b", own_address="192.0.2.2/24", licence_key="BBBBB-BBBBB-BBBBB-BBBBB"
)


def test_a_good_pair_has_no_findings() -> None:
    assert prerequisites(A, B) == ()


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        ({"pbx_version": "22.11"}, "pbx-versions-differ", "block"),
        ({"beistand_version": "0.2.0"}, "beistand-versions-differ", "warn"),
        ({"profile": "freepbx"}, "profiles-differ", "block"),
        ({"own_address": "198.51.100.2/24"}, "subnets-differ", "block"),
        ({"own_address": "192.0.2.2/25"}, "subnets-differ", "block"),
        ({"own_address": "192.0.2.1/24"}, "own-addresses-equal", "block"),
        ({"is_static": False}, "own-address-not-static", "warn"),
        ({"own_address": "192.0.2.10/24"}, "service-address-is-own-address", "block"),
        ({"service_addresses": ("192.0.2.11",)}, "service-addresses-differ", "block"),
        ({"gateway": ""}, "gateways-differ", "warn"),
        ({"vlan": 7}, "vlans-differ", "warn"),
        ({"time_servers": ("192.0.2.250",)}, "time-servers-differ", "warn"),
        ({"dns": ("192.0.2.252", "192.0.2.253")}, "dns-differs", "warn"),
        ({"now": NOW + timedelta(seconds=61)}, "clocks-differ", "warn"),
        ({"now": NOW - timedelta(seconds=61)}, "clocks-differ", "warn"),
        ({"start_options": ("[options] runuser = root",)}, "start-options-differ", "warn"),
        ({"licence_key": ""}, "licence-key-missing", "warn"),
        ({"licence_key": A.licence_key}, "licence-keys-equal", "block"),
    ],
)
def test_each_difference_is_one_finding_on_both_sides(changes: dict, code: str, severity: str) -> None:
    other = msgspec.structs.replace(B, **changes)
    for found in (prerequisites(A, other), prerequisites(other, A)):
        assert [(each.code, each.severity) for each in found] == [(code, severity)]


def test_what_is_within_bounds_is_no_finding() -> None:
    other = msgspec.structs.replace(B, now=NOW + timedelta(seconds=60), mac="02:00:00:00:00:02")
    assert prerequisites(A, other) == ()


def test_the_worst_is_told_first() -> None:
    other = msgspec.structs.replace(B, gateway="", beistand_version="0.2.0", licence_key=A.licence_key)
    severities = [each.severity for each in prerequisites(A, other)]
    assert severities == [Severity.BLOCK, Severity.WARN, Severity.WARN]


HOURLY = Schedule(interval=Interval.HOUR, start=date(2026, 1, 1), at=time(0))
NIGHTLY = Schedule(interval=Interval.DAY, start=date(2026, 1, 1), at=time(2))


def a_copy(begin: datetime) -> Copy:
    generation = Generation(
        id="20260301T120000Z-1",
        pair="c" * 32,
        source=A.node,
        epoch=2,
        sequence=1,
        begin=begin,
        end=begin,
        profile="asterisk",
        pbx_version="22.10",
        manifest="0" * 64,
        entries=1,
        size=1,
    )
    return Copy(generation=generation, state=CopyState.IMPORTED, at=begin)


@pytest.mark.parametrize(
    ("config", "age", "codes"),
    [
        (ModuleConfig(schedule=HOURLY), timedelta(minutes=5), []),
        (ModuleConfig(schedule=HOURLY), None, ["copy-missing"]),
        (ModuleConfig(), timedelta(days=400), ["schedule-missing"]),
        (ModuleConfig(), None, ["schedule-missing", "copy-missing"]),
        (ModuleConfig(schedule=HOURLY, active=False), timedelta(days=9), ["module-inactive"]),
        (ModuleConfig(schedule=HOURLY, is_removed=True), timedelta(days=9), ["module-config-missing"]),
        # Taken at ten: the runs of eleven and twelve may fail, ten tries each, until 12:50.
        (ModuleConfig(schedule=HOURLY), timedelta(hours=2), []),
        # Taken at 9:30: the runs of ten and eleven, until 11:50; with twelve tries until 12:00.
        (ModuleConfig(schedule=HOURLY), timedelta(hours=2, minutes=30), ["copy-stale", "stays-not-taken"]),
        (ModuleConfig(schedule=HOURLY, attempts=12), timedelta(hours=2, minutes=30), []),
        (ModuleConfig(schedule=NIGHTLY), timedelta(days=1), []),
        (ModuleConfig(schedule=NIGHTLY), timedelta(days=3), ["copy-stale", "stays-not-taken"]),
        (ModuleConfig(schedule=HOURLY), timedelta(seconds=-61), ["copy-from-the-future"]),
    ],
)
def test_the_age_is_judged_by_what_the_schedule_promises(
    config: ModuleConfig, age: timedelta | None, codes: list[str]
) -> None:
    usable = None if age is None else a_copy(NOW - age)
    assert [each.code for each in copy_findings(config, usable, NOW, NOW, BERLIN)] == codes


def test_the_promise_follows_local_time_over_a_spring_night() -> None:
    begin = datetime(2026, 3, 28, 1, 0, tzinfo=UTC)  # 02:00 in Berlin, the run itself
    until = promised_until(NIGHTLY, 1, begin, BERLIN)
    assert until == datetime(2026, 3, 30, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (ModuleConfig(schedule=HOURLY, attempts=2), timedelta(hours=2, minutes=10)),
        (ModuleConfig(schedule=HOURLY, attempts=2, active=False), None),
        (ModuleConfig(), None),
    ],
)
def test_data_may_become_as_old_as_the_schedule_promises(
    config: ModuleConfig, expected: timedelta | None
) -> None:
    """F28: older data needs a second confirmation at a takeover; without a promise a fixed limit rules."""
    assert oldest_promised(config, NOW, BERLIN) == expected


def test_a_start_file_that_includes_others_is_told_also_where_both_are_equal() -> None:
    """Root would read what travels, and what a broken-in PBX can write."""
    here, there = (msgspec.structs.replace(each, start_options=('#include "x"',)) for each in (A, B))
    assert [each.code for each in prerequisites(here, there)] == ["start-options-bring-in"]


def test_many_different_lines_are_told_in_a_sentence_of_bounded_length() -> None:
    lines = tuple(f"[options] {each} = {'x' * 180}" for each in range(64))
    (found,) = prerequisites(A, msgspec.structs.replace(B, start_options=lines))
    assert found.fields["mine"] == "-"
    assert len(str(found.fields["theirs"])) < 1000
