"""What the shipped profile has Asterisk do to its database so that a contact makes way (B8)."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

import beistand
from beistand.adapters.console import MOST_AT_ONCE
from beistand.domain.make_way import Aside, commands
from beistand.domain.phones import Contact
from beistand.domain.profile import Profile

ASTERISK = Path(beistand.__file__).parent / "profiles" / "asterisk.toml"
TOLD = msgspec.toml.decode(ASTERISK.read_bytes(), type=Profile).make_way
QUERY = 'database query "'
LATER = str(int(time.time()) + 300)
PLACE = "/registrar/contact/{};@{}"
OLD, NEW, OTHER = PLACE.format("101", "0" * 32), PLACE.format("101", "1" * 32), PLACE.format("1011", "2" * 32)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute("CREATE TABLE astdb (key VARCHAR(256) PRIMARY KEY, value VARCHAR(256))")
        for key in (OLD, OTHER):
            add(db, key)
        yield db


def add(db: sqlite3.Connection, key: str, expires: str = LATER) -> None:
    db.execute("INSERT INTO astdb VALUES (?, ?)", (key, f'{{"uri":"sip:x","expiration_time":"{expires}"}}'))


def run(db: sqlite3.Connection, told: tuple[str, ...], most: int) -> str:
    """Do what Asterisk does with these commands, as far as they concern its database; return what it prints."""
    aside = Aside(contact=Contact(uri="sip:x", aor="101", endpoint="101", key=OLD), most=most)
    printed = []
    for each in commands(told, aside):
        if each.startswith(QUERY):
            sql = each.removeprefix(QUERY).removesuffix('"')
            assert '"' not in sql
            printed += [str(row) for row in db.execute(sql)]
    return "\n".join(printed)


def alive(db: sqlite3.Connection) -> set[str]:
    """Return the contacts that have not expired."""
    rows = dict(db.execute("SELECT key, json_extract(value, '$.expiration_time') FROM astdb"))
    return {key for key, expires in rows.items() if float(expires) > time.time()}


def kept(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM astdb WHERE key LIKE '/beistand/%'").fetchone()[0])


def prune(db: sqlite3.Connection) -> None:
    """Forget what has expired, as Asterisk does at each look."""
    db.execute("DELETE FROM astdb WHERE json_extract(value, '$.expiration_time') = '1'")


@pytest.mark.parametrize("is_pruned", [True, False])
def test_a_contact_makes_way_where_there_is_no_room_and_comes_back(
    db: sqlite3.Connection, *, is_pruned: bool
) -> None:
    assert TOLD.is_aside in run(db, TOLD.aside, most=1)
    assert alive(db) == {OTHER, f"/beistand{OLD}"}
    if is_pruned:
        prune(db)
    run(db, TOLD.back, most=1)
    assert alive(db) == {OLD, OTHER}
    assert kept(db) == 0


def test_it_stays_away_where_its_phone_has_registered(db: sqlite3.Connection) -> None:
    run(db, TOLD.aside, most=1)
    prune(db)
    add(db, NEW)
    run(db, TOLD.back, most=1)
    assert alive(db) == {NEW, OTHER}
    assert kept(db) == 0


def test_it_stays_where_there_is_room(db: sqlite3.Connection) -> None:
    assert TOLD.is_aside not in run(db, TOLD.aside, most=2)
    assert alive(db) == {OLD, OTHER}
    assert kept(db) == 0


def test_one_that_expired_leaves_room(db: sqlite3.Connection) -> None:
    add(db, NEW, expires="1")
    run(db, TOLD.aside, most=2)
    assert OLD in alive(db)


def test_one_that_is_not_there_any_more_is_nothing(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM astdb WHERE key = ?", (OLD,))
    assert TOLD.is_aside not in run(db, TOLD.aside, most=1)
    run(db, TOLD.back, most=1)
    assert alive(db) == {OTHER}


def test_commands_for_a_long_name_fit_into_what_asterisk_reads() -> None:
    name = "x" * 50
    aside = Aside(
        contact=Contact(uri="sip:x", aor=name, endpoint=name, key=PLACE.format(name, "0" * 32)), most=999
    )
    made = commands((*TOLD.aside, *TOLD.look, *TOLD.back), aside)
    assert max(len(each) + 1 for each in made) <= MOST_AT_ONCE
