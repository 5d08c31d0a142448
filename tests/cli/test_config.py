"""`beistand config`: by key and as one TOML file."""

import json
import tomllib
from datetime import date, time
from pathlib import Path

import pytest

from beistand.domain.config import ModuleConfig
from beistand.domain.schedule import Interval, Schedule
from beistand.protocol import GetConfig, SetConfig
from cli.examples import Run
from fakes.agent_server import FakeAgent

HOURLY = Schedule(interval=Interval.HOUR, every=2, start=date(2026, 5, 10), at=time(22, 30))
CONFIG = ModuleConfig(attempts=4, schedule=HOURLY, revision=6)


def saved(run: Run, *assignments: str, config: ModuleConfig = CONFIG) -> ModuleConfig:
    with FakeAgent({GetConfig: config, SetConfig: ModuleConfig(revision=7)}) as agent:
        result = run("config", "set", *assignments, agent=agent)
        assert result.exit_code == 0, result.stderr
        assert result.stdout == "Saved, revision 7.\n"
        (request,) = agent.asked(SetConfig)
    assert isinstance(request, SetConfig)
    return request.config


def test_values_are_set_by_key(run: Run) -> None:
    config = saved(
        run, "attempts=12", "send_mail=true", "mail_address=a@example.org", "standby.server=192.0.2.2"
    )
    assert (config.attempts, config.send_mail, config.standby.server) == (12, True, "192.0.2.2")
    assert config.schedule == HOURLY
    assert config.revision == 6


def test_a_schedule_is_changed_in_parts_as_people_write_it(run: Run) -> None:
    config = saved(
        run, "schedule.start=1.6.2026", "schedule.at=02:00", "schedule.interval=day", "schedule.every=1"
    )
    assert config.schedule == Schedule(interval=Interval.DAY, every=1, start=date(2026, 6, 1), at=time(2))


def test_a_new_schedule_begins_today_at_midnight(run: Run) -> None:
    schedule = saved(run, "schedule.interval=minute", "schedule.every=5", config=ModuleConfig()).schedule
    assert schedule is not None
    assert (schedule.interval, schedule.every, schedule.at) == (Interval.MINUTE, 5, time(0))


def test_an_empty_value_ends_the_schedule(run: Run) -> None:
    assert saved(run, "schedule=").schedule is None


@pytest.mark.parametrize(
    ("assignment", "code"),
    [
        ("colour=red", "config-key-unknown"),
        ("standby.colour=red", "config-key-unknown"),
        ("attempts.more=1", "config-key-unknown"),
        ("revision=99", "config-key-unknown"),
        ("attempts=0", "config-value-wrong"),
        ("attempts=many", "config-value-wrong"),
        ("schedule.interval=year", "config-value-wrong"),
        ("schedule=hourly", "config-value-wrong"),
        ("licence_key=AAAA", "licence-key-form"),
        ("send_mail=true", "mail-address-missing"),
    ],
)
def test_what_cannot_be_is_refused_before_the_agent_is_asked(run: Run, assignment: str, code: str) -> None:
    with FakeAgent({GetConfig: CONFIG}) as agent:
        result = run("config", "set", assignment, "--json", agent=agent)
        assert agent.asked(SetConfig) == []
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == code


def test_show_prints_the_keys_that_set_takes(run: Run) -> None:
    with FakeAgent({GetConfig: CONFIG}) as agent:
        lines = run("config", "show", agent=agent).stdout.splitlines()
    assert {"attempts = 4", "schedule.every = 2", "standby.user = root", "send_mail = false"} <= set(lines)


def test_what_is_exported_can_be_imported(run: Run, tmp_path: Path) -> None:
    with FakeAgent({GetConfig: CONFIG, SetConfig: CONFIG}) as agent:
        file = tmp_path / "config.toml"
        file.write_text(run("config", "export", agent=agent).stdout)
        assert tomllib.loads(file.read_text())["schedule"]["start"] == date(2026, 5, 10)
        assert run("config", "import", str(file), agent=agent).exit_code == 0
        (request,) = agent.asked(SetConfig)
    assert isinstance(request, SetConfig)
    assert (request.config.schedule, request.config.attempts) == (HOURLY, 4)


@pytest.mark.parametrize("text", ["attempts = ", "attempts = 0", "colour = 1", "[standby]\nserver = 'pbx-b'"])
def test_a_wrong_file_is_told(run: Run, text: str) -> None:
    result = run("config", "import", "-", stdin=text)
    assert result.exit_code == 1
    assert result.stderr
