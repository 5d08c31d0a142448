"""Backups: list, details, make, download, delete, schedule (S12, S14)."""

from msgspec.structs import replace

from beistand.domain.account import AccountRole
from beistand.domain.message import message
from beistand.protocol import (
    Authenticate,
    BackupDetails,
    BackupList,
    Chunk,
    CreateBackup,
    DeleteBackup,
    GetBackup,
    GetConfig,
    ReadBackup,
    SetConfig,
)
from web.conftest import Start
from web.module_views import BACKUP, CONFIG, JOB, PARTS, on_the_active

SCHEDULE = {"interval": "week", "every": "1", "start": "2999-03-02", "at": "04:00", "keep_backups": "3"}


def test_the_list_and_the_details_say_what_is_in_it(start: Start) -> None:
    browser, _ = start(on_the_active())
    listed, shown = (browser.get(path).content.decode() for path in ("/backups/", "/backups/b1/"))
    assert "encrypted" in listed
    assert "by the schedule" in listed
    for words in ("61,234", "/var/lib/asterisk/astdb.sqlite3", "f" * 64, "pbx-a"):
        assert words in shown


def test_a_backup_is_made_with_a_passphrase_that_was_typed_twice(start: Start) -> None:
    browser, agent = start(on_the_active({CreateBackup: JOB}))
    answer = browser.post("/backups/new/", {"passphrase": "horse", "again": "house"})
    assert b"not the same" in answer.content
    assert b"horse" not in answer.content
    assert agent.asked(CreateBackup) == []
    answer = browser.post("/backups/new/", {"passphrase": "correct horse", "again": "correct horse"})
    assert answer.headers["Location"] == "/jobs/j0b/?next=%2Fbackups%2F"
    assert agent.asked(CreateBackup) == [CreateBackup(passphrase="correct horse")]


def test_a_download_is_the_file_in_pieces_with_length_and_name(start: Start) -> None:
    details = BackupDetails(backup=replace(BACKUP, file_size=7), parts=PARTS, host="pbx-a")
    pieces = [Chunk(data=b"1234", is_last=False), Chunk(data=b"567", is_last=True)]
    browser, agent = start(on_the_active({GetBackup: details, ReadBackup: list(pieces)}))
    answer = browser.post("/backups/b1/file/", {"password": "w0rds"})
    assert b"".join(answer.streaming_content) == b"1234567"  # type: ignore[attr-defined]
    assert answer.headers["Content-Length"] == "7"
    assert 'filename="beistand-pbx-a-20260301T120000Z-12.beistand"' in answer.headers["Content-Disposition"]
    assert agent.asked(ReadBackup) == [ReadBackup(id="b1", offset=0), ReadBackup(id="b1", offset=4)]
    assert [each.password for each in agent.asked(Authenticate)] == ["", "w0rds"]


def test_a_file_is_given_out_for_a_password_only(start: Start) -> None:
    """All secrets of the PBX are in it: a session that was stolen is not enough (F18)."""
    details = BackupDetails(backup=BACKUP, parts=PARTS, host="pbx-a")
    browser, agent = start(on_the_active({GetBackup: details, ReadBackup: message("needs-password")}))
    assert 'name="password"' in browser.get("/backups/b1/file/").content.decode()
    assert agent.asked(ReadBackup) == []
    answer = browser.post("/backups/b1/file/", {"password": ""})
    assert answer.status_code == 200
    assert "Content-Disposition" not in answer.headers
    assert 'name="password"' in answer.content.decode()


def test_an_unknown_backup_is_a_page_that_says_so(start: Start) -> None:
    browser, _ = start(on_the_active({GetBackup: message("backup-unknown", backup="b9")}))
    assert browser.get("/backups/b9/file/").status_code == 409


def test_deleting_is_asked_first(start: Start) -> None:
    browser, agent = start(on_the_active({DeleteBackup: BackupList(backups=(), free_bytes=0)}))
    assert b"Delete the backup?" in browser.get("/backups/b1/delete/").content
    assert agent.asked(DeleteBackup) == []
    assert b'name="own_password"' in browser.get("/backups/b1/delete/").content
    assert browser.post("/backups/b1/delete/", {"own_password": "korrekt"}).status_code == 303
    assert agent.asked(Authenticate)[-1].password == "korrekt"
    assert agent.asked(DeleteBackup) == [DeleteBackup(id="b1")]


def test_the_schedule_is_saved(start: Start) -> None:
    browser, agent = start(on_the_active())
    assert browser.post("/backups/schedule/", SCHEDULE).status_code == 303
    (asked,) = agent.asked(SetConfig)
    assert isinstance(asked, SetConfig)
    assert asked.config.keep_backups == 3
    assert asked.config.schedule == CONFIG.schedule


def test_a_schedule_that_meets_the_cycles_is_refused_with_the_sentence(start: Start) -> None:
    """S12"""
    browser, agent = start(on_the_active())
    answer = browser.post("/backups/schedule/", {**SCHEDULE, "at": "02:30"})
    assert b'id="id_at_error"' in answer.content
    assert agent.asked(SetConfig) == []


def test_without_a_configuration_no_schedule_brings_one_back(start: Start) -> None:
    browser, agent = start(on_the_active({GetConfig: replace(CONFIG, is_removed=True)}))
    assert b"there is none" in browser.get("/backups/").content
    browser.post("/backups/schedule/", SCHEDULE)
    assert agent.asked(SetConfig) == []


def test_a_viewer_sees_the_list_and_no_file(start: Start) -> None:
    browser, agent = start(on_the_active(), role=AccountRole.VIEWER)
    assert b"/backups/b1/file/" not in browser.get("/backups/").content
    assert browser.get("/backups/b1/file/").status_code == 403
    assert agent.asked(ReadBackup) == []
