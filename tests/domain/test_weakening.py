"""D13: which changes of the configuration a lost token must not be enough for."""

from datetime import date, time
from typing import Any

import msgspec
import pytest

from beistand.domain.config import ModuleConfig, Standby
from beistand.domain.schedule import Interval, Schedule
from beistand.domain.weakening import former_address, weakenings
from beistand.text.catalogue import LANGUAGES, entries

HOURLY = Schedule(interval=Interval.HOUR, start=date(2026, 1, 1), at=time(0))
OLD = ModuleConfig(
    send_mail=True,
    mail_address="a@example.org",
    schedule=HOURLY,
    backup_schedule=HOURLY,
    standby=Standby(server="192.0.2.2"),
    keep_generations=5,
    keep_backups=7,
    bandwidth_limit=1000,
)
TODAY = date(2026, 3, 1)
LATER = msgspec.structs.replace(HOURLY, start=date(2999, 1, 1))


def every(number: int, interval: Interval, start: date = date(2026, 1, 1)) -> Schedule:
    return Schedule(interval=interval, every=number, start=start, at=time(0))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ()),
        ({"name": "x", "log": False, "attempts": 1, "replug": ("ISDN",), "revision": 9}, ()),
        ({"active": False}, ("inactive",)),
        ({"schedule": None}, ("schedule",)),
        ({"schedule": LATER}, ("schedule",)),
        ({"schedule": every(2, Interval.HOUR)}, ("schedule",)),
        ({"schedule": every(61, Interval.MINUTE)}, ("schedule",)),
        ({"schedule": every(1, Interval.MONTH)}, ("schedule",)),
        ({"schedule": every(60, Interval.MINUTE)}, ()),
        ({"schedule": every(1, Interval.MINUTE, date(2026, 3, 2))}, ()),
        ({"schedule": every(1, Interval.MINUTE, date(2026, 3, 3))}, ("schedule",)),
        ({"backup_schedule": every(1, Interval.DAY)}, ("backup-schedule",)),
        ({"bandwidth_limit": 1}, ("bandwidth",)),
        ({"bandwidth_limit": 0}, ()),
        ({"bandwidth_limit": 2000}, ()),
        ({"standby": Standby(server="192.0.2.9")}, ("standby",)),
        ({"standby": Standby(server="")}, ("standby",)),
        ({"send_mail": False}, ("mails-off",)),
        ({"mail_address": "b@example.org"}, ("mail-address",)),
        ({"send_mail": False, "mail_address": ""}, ("mails-off", "mail-address")),
        ({"keep_generations": 1}, ("restore-points",)),
        ({"keep_generations": 9, "keep_backups": 9}, ()),
        ({"backup_schedule": None}, ("backup-schedule",)),
        ({"keep_backups": 1}, ("backups",)),
    ],
)
def test_what_makes_the_pair_weaker(changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert weakenings(OLD, msgspec.structs.replace(OLD, **changes), TODAY) == expected


def test_what_protects_nothing_yet_can_be_set_up_without_a_password() -> None:
    assert weakenings(ModuleConfig(), OLD, TODAY) == ("bandwidth",)
    assert weakenings(ModuleConfig(), msgspec.structs.replace(OLD, bandwidth_limit=0), TODAY) == ()
    assert weakenings(msgspec.structs.replace(OLD, is_removed=True), ModuleConfig(), TODAY) == ()


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_weakening_has_its_words(spoken: str) -> None:
    none = ModuleConfig(active=False, keep_generations=1, keep_backups=1, bandwidth_limit=1)
    found = weakenings(OLD, none, TODAY)
    assert len(found) == 9
    assert {f"weakening.{each}" for each in found} <= set(entries(spoken))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {}, ""),
        ({}, {"mail_address": "b@example.org"}, "a@example.org"),
        ({}, {"send_mail": False}, "a@example.org"),
        ({}, {"is_removed": True}, "a@example.org"),
        ({"send_mail": False}, {"send_mail": True, "mail_address": "b@example.org"}, ""),
        ({"is_removed": True}, {"mail_address": "b@example.org"}, ""),
    ],
)
def test_who_gets_no_more_alarms(old: dict[str, Any], new: dict[str, Any], expected: str) -> None:
    before = msgspec.structs.replace(OLD, **old)
    assert former_address(before, msgspec.structs.replace(OLD, **new)) == expected
