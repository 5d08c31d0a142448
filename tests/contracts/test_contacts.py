"""Contacts in a database as Asterisk writes it (B8)."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

import beistand
from beistand.adapters.contacts import SqliteContacts
from beistand.domain.errors import Failed
from beistand.domain.profile import Profile

ASTERISK = Path(beistand.__file__).parent / "profiles" / "asterisk.toml"
EXPIRED = str(int(time.time()) - 600)
CONTACTS = {
    "/registrar/contact/101;@1": {"uri": "sip:101@10.77.0.21:5060", "expiration_time": EXPIRED},
    "/registrar/contact/102;@2": {
        "uri": "sip:102@10.77.0.22:4711^3Btransport=TCP",
        "expiration_time": EXPIRED,
    },
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "astdb.sqlite3"
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("CREATE TABLE astdb (key VARCHAR(256) PRIMARY KEY, value VARCHAR(256))")
        db.executemany(
            "INSERT INTO astdb VALUES (?, ?)",
            [(k, msgspec.json.encode(v).decode()) for k, v in CONTACTS.items()],
        )
        db.execute("INSERT INTO astdb VALUES ('/CF/101', '103')")
    file.chmod(0o640)
    os.chown(file, 12345, 12346)
    return file


@pytest.fixture
def profile(database: Path) -> Profile:
    shipped = msgspec.toml.decode(ASTERISK.read_bytes(), type=Profile)
    assert shipped.contacts is not None
    contacts = msgspec.structs.replace(shipped.contacts, database=str(database))
    return msgspec.structs.replace(shipped, contacts=contacts)


def test_registered_phones_are_listed(profile: Profile) -> None:
    assert SqliteContacts().list(profile) == (
        "sip:101@10.77.0.21:5060",
        "sip:102@10.77.0.22:4711;transport=TCP",
    )


def test_every_contact_lives_on_and_nothing_else_changes(profile: Profile, database: Path) -> None:
    assert SqliteContacts().renew(profile) == 2
    with closing(sqlite3.connect(database)) as db:
        rows = dict(db.execute("SELECT key, value FROM astdb"))
    assert rows.pop("/CF/101") == "103"
    for key, value in rows.items():
        fields = msgspec.json.decode(value)
        assert fields["uri"] == CONTACTS[key]["uri"]
        assert isinstance(fields["expiration_time"], str)
        assert int(fields["expiration_time"]) > time.time() + 3000


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_owner_and_mode_stay_and_no_file_of_root_is_left(profile: Profile, database: Path, mode: str) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute(f"PRAGMA journal_mode = {mode}")
    SqliteContacts().renew(profile)
    SqliteContacts().list(profile)
    status = database.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (12345, 12346, 0o640)
    strays = [each for each in database.parent.iterdir() if each != database]
    assert all(each.stat().st_uid == 12345 for each in strays)


def test_no_database_means_no_contacts(profile: Profile, database: Path) -> None:
    database.unlink()
    assert SqliteContacts().list(profile) == ()
    assert SqliteContacts().renew(profile) == 0
    assert not database.exists()


def test_a_damaged_database_lists_nothing_and_is_told_on_renewal(profile: Profile, database: Path) -> None:
    database.write_bytes(b"not a database" * 1000)
    assert SqliteContacts().list(profile) == ()
    with pytest.raises(Failed, match="contacts-not-renewed"):
        SqliteContacts().renew(profile)


def test_a_profile_without_contacts_has_none(profile: Profile) -> None:
    bare = msgspec.structs.replace(profile, contacts=None)
    assert SqliteContacts().list(bare) == ()
    assert SqliteContacts().renew(bare) == 0
