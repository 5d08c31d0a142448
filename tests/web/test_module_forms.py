"""Forms of the module, as tables: what is told at which field."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from msgspec.structs import replace

from beistand.domain.schedule import Interval, Schedule
from beistand.text import sentence
from beistand.web.forms.backups import BackupScheduleForm, NewBackupForm
from beistand.web.forms.module import SettingsForm
from beistand.web.forms.schedule import next_runs, rhythm
from beistand.web.forms.standby import ImportForm, PairForm, StandbyForm
from beistand.web.pages.standby import fingerprint
from web.module_views import CONFIG, DAILY, KEY

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RIGHT = {
    "licence_key": KEY,
    "attempts": "10",
    "send_mail": "on",
    "mail_address": "pbx@example.org",
    "interval": "day",
    "every": "1",
    "start": "2026-03-02",
    "at": "02:30",
    "keep_generations": "5",
    "bandwidth_limit": "0",
}


def settings_form(**changed: str) -> SettingsForm:
    return SettingsForm({**RIGHT, **changed}, config=CONFIG, now=NOW)


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"licence_key": "AAAA-BBBB"}, "licence_key", "AAAA-BBBB"),
        ({"attempts": "0"}, "attempts", "1 to 1000"),
        ({"attempts": ""}, "attempts", "1 to 1000"),
        ({"mail_address": "a@example.org, b@example.org"}, "mail_address", "one"),
        ({"mail_address": "jörg@example.org"}, "mail_address", "jörg@example.org"),
        ({"mail_address": 'a"b@example.org'}, "mail_address", "without accents and quotes"),
        ({"mail_address": f"{'a' * 300}@example.org"}, "mail_address", "254 in all"),
        ({"mail_address": ""}, "mail_address", "address"),
        ({"interval": "fortnight"}, "interval", ""),
        ({"every": "0"}, "every", "1 to 1000"),
        ({"every": ""}, "every", "1 to 1000"),
        ({"start": "31.02.2026"}, "start", "24.12.2026"),
        ({"start": ""}, "start", "24.12.2026"),
        ({"start": "2026-02-28"}, "start", "2026-02-28"),
        ({"start": "0226-03-02"}, "start", ""),
        ({"at": "25:00"}, "at", "02:30"),
        ({"keep_generations": "101"}, "keep_generations", "1 to 100"),
        ({"bandwidth_limit": "-1"}, "bandwidth_limit", "0 for no limit"),
    ],
)
def test_a_wrong_value_is_told_at_its_field(changed: dict[str, str], field: str, words: str) -> None:
    form = settings_form(**changed)
    assert not form.is_valid()
    assert list(form.errors) == [field]
    assert words in form.errors[field][0]


def test_who_only_chooses_an_interval_is_not_refused() -> None:
    """What the forms show before anything was chosen is right, and never meets the other schedule."""
    config = replace(CONFIG, schedule=None, backup_schedule=None)
    forms = [kind(config=config, now=NOW) for kind in (SettingsForm, BackupScheduleForm)]
    cycles, backups = [
        {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
        for form in forms
    ]
    assert cycles["interval"] is None
    form = SettingsForm({**RIGHT, **cycles, "interval": "hour"}, config=config, now=NOW)
    assert form.is_valid(), form.errors
    config = form.changed(config)
    assert BackupScheduleForm({**backups, "interval": "day"}, config=config, now=NOW).is_valid()


@pytest.mark.parametrize("typed", ["2026-03-02", "02.03.2026", "02:03:2026", "2.3.2026"])
def test_a_date_is_read_as_people_type_it(typed: str) -> None:
    form = settings_form(start=typed)
    assert form.is_valid(), form.errors
    assert form.schedule == Schedule(interval=Interval.DAY, every=1, start=date(2026, 3, 2), at=time(2, 30))


def test_what_was_entered_becomes_the_configuration() -> None:
    form = settings_form(licence_key=f" {KEY.lower()} ", attempts="20", bandwidth_limit="512")
    assert form.is_valid(), form.errors
    changed = form.changed(CONFIG)
    assert (changed.licence_key, changed.attempts, changed.bandwidth_limit) == (KEY, 20, 512)
    assert (changed.name, changed.standby, changed.log_level) == (
        CONFIG.name,
        CONFIG.standby,
        CONFIG.log_level,
    )


def test_without_an_interval_the_rest_of_the_schedule_is_not_asked() -> None:
    form = settings_form(interval="", every="", start="", at="")
    assert form.is_valid(), form.errors
    assert form.changed(CONFIG).schedule is None


def test_a_start_that_nobody_touched_may_lie_behind() -> None:
    form = settings_form(start=DAILY.start.isoformat(), at="03:00")
    assert form.is_valid(), form.errors


@pytest.mark.parametrize("at", ["02:30", "04:00"])
def test_backups_and_cycles_never_begin_at_one_moment(at: str) -> None:
    config = replace(CONFIG, backup_schedule=Schedule(start=date(2026, 2, 1), at=time(2, 30)))
    form = SettingsForm({**RIGHT, "at": at}, config=config, now=NOW)
    assert form.is_valid() == (at != "02:30")
    backups = BackupScheduleForm(
        {"interval": "week", "every": "1", "start": "2026-03-02", "at": at, "keep_backups": "7"},
        config=CONFIG,
        now=NOW,
    )
    assert list(backups.errors) == (["at"] if at == "02:30" else [])


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("192.0.2.2", ""),
        ("pbx-b", "pbx-b"),
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.0", "192.0.2.0/24"),
        ("192.0.2.255", "192.0.2.0/24"),
        ("198.51.100.2", "192.0.2.0/24"),
        ("", "IPv4"),
    ],
)
def test_the_server_is_an_own_address_in_the_subnet(server: str, words: str) -> None:
    form = StandbyForm({"user": "root", "server": server}, own_address="192.0.2.1/24")
    assert form.is_valid() == (not words)
    assert words in str(form.errors.get("server", ""))


def test_passwords_never_come_back_into_a_form() -> None:
    pair = PairForm(
        {"server": "192.0.2.2", "user": "root", "password": "geheim", "own_password": "auch"}, own_address=""
    )
    saving = ImportForm({"host": "pbx-b", "own_password": "auch"}, host="pbx-b")
    new = NewBackupForm({"passphrase": "geheim", "again": "auch"})
    shown = f"{pair}{saving}{new}"
    assert "geheim" not in shown
    assert "auch" not in shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA",
            "SHA256:A2vyOZZyU2tn1lXNklBKFUKU6XFexvBAk12XKwLMThM",
        ),
        (
            "192.0.2.2 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA",
            "SHA256:A2vyOZZyU2tn1lXNklBKFUKU6XFexvBAk12XKwLMThM",
        ),
        ("ssh-ed25519 AAAA*", ""),
        ("", ""),
    ],
)
def test_the_fingerprint_is_that_of_the_key_that_is_sent(line: str, shown: str) -> None:
    assert fingerprint(line) == shown


def test_the_next_runs_and_the_schedule_in_words() -> None:
    runs = next_runs(DAILY, NOW, UTC)
    assert [each.isoformat() for each in runs[:2]] == [
        "2026-03-02T02:30:00+00:00",
        "2026-03-03T02:30:00+00:00",
    ]
    assert len(runs) == 5
    assert runs[4] - runs[3] == timedelta(days=1)
    assert next_runs(None, NOW, UTC) == []


@pytest.mark.parametrize(
    ("interval", "every", "english", "german"),
    [
        (
            Interval.MINUTE,
            1,
            "every minute, counted from 2026-01-01 02:30",
            "jede Minute, gezählt ab 01.01.2026 02:30",
        ),
        (
            Interval.HOUR,
            1000,
            "every 1,000 hours, counted from 2026-01-01 02:30",
            "alle 1.000 Stunden, gezählt ab 01.01.2026 02:30",
        ),
        (Interval.DAY, 1, "every day at 02:30", "jeden Tag um 02:30 Uhr"),
        (
            Interval.DAY,
            2,
            "every 2 days at 02:30, counted from 2026-01-01",
            "alle 2 Tage um 02:30 Uhr, gezählt ab 01.01.2026",
        ),
        (Interval.WEEK, 1, "every week on Thursday at 02:30", "jede Woche am Donnerstag um 02:30 Uhr"),
        (
            Interval.WEEK,
            2,
            "every 2 weeks on Thursday at 02:30, counted from 2026-01-01",
            "alle 2 Wochen am Donnerstag um 02:30 Uhr, gezählt ab 01.01.2026",
        ),
        (Interval.MONTH, 1, "every month on day 1 at 02:30", "jeden Monat am 1. um 02:30 Uhr"),
        (
            Interval.MONTH,
            3,
            "every 3 months on day 1 at 02:30, counted from 2026-01-01",
            "alle 3 Monate am 1. um 02:30 Uhr, gezählt ab 01.01.2026",
        ),
    ],
)
def test_a_schedule_in_words_says_on_which_day(
    interval: Interval, every: int, english: str, german: str
) -> None:
    said = rhythm(replace(DAILY, every=every, interval=interval))
    assert (sentence(said, "en"), sentence(said, "de")) == (english, german)
