"""What an appliance recorded since a moment, counted in real trees and databases (port `Records`)."""

import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from beistand.adapters.records import LocalRecords
from beistand.domain.fork import Counted, Recorded
from beistand.domain.profile import Database, Detect, Engine, Profile, RecordKind, Tree

SINCE = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
"""Not now: local time as a PBX writes it is ambiguous in the hour that an autumn night repeats."""


def written(path: Path, text: str, *, minutes_after: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    moment = (SINCE + timedelta(minutes=minutes_after)).timestamp()
    os.utime(path, (moment, moment))


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    spool, records = tmp_path / "spool", tmp_path / "calls.db"
    written(spool / "voicemail/101/INBOX/msg0000.txt", "old", minutes_after=-5)
    written(spool / "voicemail/101/INBOX/msg0001.txt", "new", minutes_after=5)
    written(spool / "voicemail/101/INBOX/msg0001.wav", "sound", minutes_after=6)
    written(spool / "voicemail/101/tmp/half.txt", "no", minutes_after=7)
    (spool / "link").symlink_to(spool / "voicemail/101/INBOX/msg0001.txt")
    with sqlite3.connect(records) as db:
        db.execute("create table cdr (calldate text)")
        for minutes in (-30, -1, 2, 3):
            moment = (SINCE + timedelta(minutes=minutes)).astimezone()
            db.execute("insert into cdr values (?)", (moment.strftime("%Y-%m-%d %H:%M:%S"),))
    os.utime(records, (SINCE.timestamp() + 240, SINCE.timestamp() + 240))
    return Profile(
        schema=1,
        name="pbx",
        title="PBX",
        detect=Detect(files=("/bin/true",), version_command=("true",)),
        trees=(Tree(path=str(spool), exclude=(f"{spool}/voicemail/*/tmp",)),),
        databases=(Database(engine=Engine.SQLITE, name=str(records), optional=True),),
        services=(),
        records=(
            RecordKind(
                kind="calls", database=str(records), count="select count(*) from cdr where calldate >= :since"
            ),
            RecordKind(kind="voicemail", files=(f"{spool}/voicemail/*/msg*.txt",)),
        ),
    )


def test_only_what_is_newer_is_counted(profile: Profile) -> None:
    found = LocalRecords().since(profile, SINCE)
    assert found.records == (Counted(kind="calls", count=2), Counted(kind="voicemail", count=1))
    size = Path(profile.databases[0].name).stat().st_size
    assert (found.files, found.bytes) == (3, len("new") + len("sound") + size)
    assert found.newest == SINCE + timedelta(minutes=6)


def test_what_cannot_be_read_is_left_out(profile: Profile, tmp_path: Path) -> None:
    """A database that is damaged, or of another make, hides nothing else."""
    Path(profile.databases[0].name).write_text("no database")
    os.utime(profile.databases[0].name, (1, 1))
    found = LocalRecords().since(profile, SINCE)
    assert found.records == (Counted(kind="calls", count=0), Counted(kind="voicemail", count=1))


def test_nothing_new_is_nothing(profile: Profile) -> None:
    found = LocalRecords().since(profile, SINCE + timedelta(minutes=30))
    assert found == Recorded(records=(Counted(kind="calls", count=0), Counted(kind="voicemail", count=0)))
