"""S9: what may be saved as module configuration."""

from datetime import date, time

import msgspec
import pytest

from beistand.domain.config import ModuleConfig, Standby
from beistand.domain.config_check import change_problem, config_problem, tidied
from beistand.domain.installation import Installation, ServiceAddress
from beistand.domain.schedule import Schedule


@pytest.mark.parametrize(
    ("config", "code"),
    [
        (ModuleConfig(), None),
        (
            ModuleConfig(licence_key="AAAAA-BBBBB-CCCCC-DDDDD", send_mail=True, mail_address="a@example.org"),
            None,
        ),
        (ModuleConfig(name=" "), "config-name-missing"),
        (ModuleConfig(licence_key="AAAAA"), "licence-key-form"),
        (ModuleConfig(mail_address="a@example.org, b@example.org"), "mail-address-form"),
        (ModuleConfig(mail_address="nobody"), "mail-address-form"),
        # What SMTP hands to no server (adapters/smtp): every alarm would be given up.
        (ModuleConfig(mail_address="jörg@example.org"), "mail-address-form"),
        (ModuleConfig(mail_address='a"b@example.org'), "mail-address-form"),
        (ModuleConfig(mail_address="a" * 300 + "@example.org"), "mail-address-form"),
        (ModuleConfig(send_mail=True), "mail-address-missing"),
        (ModuleConfig(standby=Standby(server="pbx-b")), "standby-server-form"),
        (ModuleConfig(replug=("x",) * 51), "replug-too-long"),
        (ModuleConfig(replug=("x" * 201,)), "replug-too-long"),
        (ModuleConfig(schedule=Schedule(start=date(26, 5, 10), at=time(2))), "schedule-start-form"),
        (ModuleConfig(backup_schedule=Schedule(start=date(1, 1, 1), at=time(0))), "schedule-start-form"),
    ],
)
def test_config_problem(config: ModuleConfig, code: str | None) -> None:
    problem = config_problem(config)
    assert (problem.code if problem else None) == code


TODAY = date(2026, 3, 1)
HERE = Installation(
    interface="eth0",
    own_address="192.0.2.1/24",
    service_addresses=(ServiceAddress(address="192.0.2.10", interface="eth0"),),
    profile="asterisk",
)


def _from(start: str) -> Schedule:
    return Schedule(start=date.fromisoformat(start), at=time(2))


def _standby(server: str) -> ModuleConfig:
    return ModuleConfig(standby=Standby(server=server))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (ModuleConfig(), _standby("192.0.2.2"), None),
        (ModuleConfig(), _standby("192.0.2.1"), "standby-server-own"),
        (ModuleConfig(), _standby("192.0.2.10"), "standby-server-own"),
        (ModuleConfig(), _standby("198.51.100.2"), "standby-server-outside"),
        # After a takeover: the former standby edits the rest of it.
        (_standby("192.0.2.1"), msgspec.structs.replace(_standby("192.0.2.1"), attempts=3), None),
        (ModuleConfig(), ModuleConfig(schedule=_from("2026-03-01")), None),
        (ModuleConfig(), ModuleConfig(schedule=_from("2026-02-28")), "schedule-start-past"),
        (ModuleConfig(), ModuleConfig(backup_schedule=_from("2025-03-01")), "schedule-start-past"),
        (ModuleConfig(schedule=_from("2025-03-01")), ModuleConfig(schedule=_from("2025-03-01")), None),
        (
            ModuleConfig(schedule=_from("2025-03-01")),
            ModuleConfig(schedule=_from("2025-03-02")),
            "schedule-start-past",
        ),
    ],
)
def test_change_problem(old: ModuleConfig, new: ModuleConfig, code: str | None) -> None:
    problem = change_problem(old, new, HERE, TODAY)
    assert (problem.code if problem else None) == code


def test_what_people_typed_is_tidied() -> None:
    typed = ModuleConfig(
        name=" Redundanz ", licence_key="aaaaa-bbbbb-ccccc-ddddd ", replug=("  ISDN   line 1", " ", "fax")
    )
    assert tidied(typed) == ModuleConfig(
        name="Redundanz", licence_key="AAAAA-BBBBB-CCCCC-DDDDD", replug=("ISDN line 1", "fax")
    )


def _every(interval: str, every: int, at: str, start: str = "2026-01-01") -> Schedule:
    return msgspec.convert({"interval": interval, "every": every, "at": at, "start": start}, Schedule)


@pytest.mark.parametrize(
    ("cycles", "backups", "meets"),
    [
        (_every("day", 1, "02:00:00"), _every("day", 1, "02:00:00"), True),
        (_every("day", 1, "02:00:00"), _every("day", 1, "03:00:00"), False),
        (_every("hour", 1, "00:00:00"), _every("day", 1, "03:00:00"), True),
        (_every("hour", 1, "00:30:00"), _every("week", 1, "03:00:00"), False),
        (_every("minute", 7, "00:00:00"), _every("day", 1, "03:00:00"), True),
        (_every("day", 2, "02:00:00"), _every("day", 2, "02:00:00", "2026-01-02"), False),
        (_every("month", 1, "02:00:00", "2026-01-31"), _every("day", 1, "02:00:00"), True),
    ],
)
def test_a_local_backup_that_begins_with_a_cycle_is_refused(
    cycles: Schedule, backups: Schedule, meets: bool
) -> None:
    """S12."""
    problem = config_problem(ModuleConfig(schedule=cycles, backup_schedule=backups))
    assert (problem is not None and problem.code == "schedules-meet") is meets
