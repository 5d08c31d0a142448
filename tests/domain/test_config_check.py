"""S9: what may be saved as module configuration."""

from datetime import date, time

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
