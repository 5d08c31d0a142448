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
from beistand.domain.phones import LEAST_SECONDS, MOST_SECONDS, Contact, Dated
from beistand.domain.profile import Profile

ASTERISK = Path(beistand.__file__).parent / "profiles" / "asterisk.toml"
NOW = int(time.time())
CONTACTS = {
    "/registrar/contact/101;@1": {
        "uri": "sip:101@10.77.0.21:5060",
        "endpoint": "101",
        "prune_on_boot": "no",
        "qualify_frequency": "60",
        "expiration_time": str(NOW - 600),
    },
    "/registrar/contact/102;@2": {
        "uri": "sip:102@10.77.0.22:4711^3Btransport=TCP",
        "endpoint": "102",
        "prune_on_boot": "yes",
        "qualify_frequency": "0",
        "expiration_time": str(NOW - 600),
    },
    "/registrar/contact/103;@3": {"uri": "sip:103@10.77.0.23", "expiration_time": str(NOW + 3000)},
}
TOLERANCE = 10
DATED = Dated(at=NOW, age=0)


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


def renewed(profile: Profile, database: Path, dated: Dated) -> dict[str, float]:
    """Return the seconds from now until each contact ends, after a renewal."""
    assert SqliteContacts().renew(profile, dated) == 2
    with closing(sqlite3.connect(database)) as db:
        rows = dict(db.execute("SELECT key, value FROM astdb"))
    assert rows.pop("/CF/101") == "103"
    found = {}
    for key, value in rows.items():
        fields = msgspec.json.decode(value)
        assert {**fields, "expiration_time": ""} == {**CONTACTS[key], "expiration_time": ""}
        assert isinstance(fields["expiration_time"], str)  # sorcery keeps every field as text
        found[key.split("/")[3].split(";")[0]] = int(fields["expiration_time"]) - time.time()
    return found


def test_registered_phones_are_listed(profile: Profile) -> None:
    assert SqliteContacts().list(profile) == (
        Contact(
            uri="sip:101@10.77.0.21:5060",
            endpoint="101",
            is_qualified=True,
            aor="101",
            key="/registrar/contact/101;@1",
        ),
        Contact(
            uri="sip:102@10.77.0.22:4711;transport=TCP",
            endpoint="102",
            survives=False,
            aor="102",
            key="/registrar/contact/102;@2",
        ),
        Contact(uri="sip:103@10.77.0.23", aor="103", key="/registrar/contact/103;@3"),
    )


def test_a_profile_of_ones_own_may_name_the_uri_alone(profile: Profile) -> None:
    assert profile.contacts is not None
    short = "select json_extract(value, '$.uri') from astdb where key like '/registrar/contact/101%'"
    own = msgspec.structs.replace(profile.contacts, list=short)
    listed = SqliteContacts().list(msgspec.structs.replace(profile, contacts=own))
    assert listed == (Contact(uri="sip:101@10.77.0.21:5060"),)


@pytest.mark.parametrize(
    ("left", "age", "expected"),
    [
        (60, 20, LEAST_SECONDS),
        (60, 400, 460),
        (120, 7200, MOST_SECONDS),
        (3600, 10, 3590),
        (3600, 3595, MOST_SECONDS),
        (-30, 0, LEAST_SECONDS),
    ],
)
def test_a_contact_lives_as_long_as_it_would_have_or_for_minutes(
    profile: Profile, database: Path, left: int, age: int, expected: int
) -> None:
    """`left` of its term at the time of the copy, `age` seconds ago: whatever the two clocks say."""
    for skew in (0, 86_400):
        now = int(time.time())
        expires = now + skew - age + left
        with closing(sqlite3.connect(database)) as db, db:
            body = msgspec.json.encode(
                {**CONTACTS["/registrar/contact/101;@1"], "expiration_time": str(expires)}
            )
            db.execute("UPDATE astdb SET value = ? WHERE key LIKE '%/101;%'", (body.decode(),))
        until = renewed(profile, database, Dated(at=now + skew - age, age=age))["101"]
        assert abs(until - expected) < TOLERANCE


def test_a_contact_that_the_pbx_forgets_is_not_renewed(profile: Profile, database: Path) -> None:
    assert renewed(profile, database, DATED)["102"] < -590


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_owner_and_mode_stay_and_no_file_of_root_is_left(profile: Profile, database: Path, mode: str) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute(f"PRAGMA journal_mode = {mode}")
    SqliteContacts().renew(profile, DATED)
    SqliteContacts().list(profile)
    status = database.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (12345, 12346, 0o640)
    strays = [each for each in database.parent.iterdir() if each != database]
    assert all(each.stat().st_uid == 12345 for each in strays)


def test_no_database_means_no_contacts(profile: Profile, database: Path) -> None:
    database.unlink()
    assert SqliteContacts().list(profile) == ()
    assert SqliteContacts().renew(profile, DATED) == 0
    assert not database.exists()


def test_a_damaged_database_lists_nothing_and_is_told_on_renewal(profile: Profile, database: Path) -> None:
    database.write_bytes(b"not a database" * 1000)
    assert SqliteContacts().list(profile) == ()
    with pytest.raises(Failed, match="contacts-not-renewed"):
        SqliteContacts().renew(profile, DATED)


def test_a_profile_without_contacts_has_none(profile: Profile) -> None:
    bare = msgspec.structs.replace(profile, contacts=None)
    assert SqliteContacts().list(bare) == ()
    assert SqliteContacts().renew(bare, DATED) == 0
