"""S9: what may be saved as module configuration."""

from datetime import date, time

import msgspec
import pytest

from beistand.domain.config import ModuleConfig, Standby
from beistand.domain.config_check import config_problem
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
        (ModuleConfig(send_mail=True), "mail-address-missing"),
        (ModuleConfig(standby=Standby(server="pbx-b")), "standby-server-form"),
        (ModuleConfig(schedule=Schedule(start=date(26, 5, 10), at=time(2))), "schedule-start-form"),
        (ModuleConfig(backup_schedule=Schedule(start=date(1, 1, 1), at=time(0))), "schedule-start-form"),
    ],
)
def test_config_problem(config: ModuleConfig, code: str | None) -> None:
    problem = config_problem(config)
    assert (problem.code if problem else None) == code


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
