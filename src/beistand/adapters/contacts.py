"""The registered phones in the PBX's own SQLite file (port `Contacts`)."""

import sqlite3
from contextlib import closing
from pathlib import Path

from beistand.domain.errors import Failed
from beistand.domain.profile import Profile

BUSY_SECONDS = 1.0


class SqliteContacts:
    def list(self, profile: Profile) -> tuple[str, ...]:
        """Return () for an unreadable database too: a list of witnesses must never stop a takeover."""
        if profile.contacts is None or not Path(profile.contacts.database).exists():
            return ()
        try:
            with closing(_open(profile.contacts.database, "ro")) as db:
                return tuple(str(row[0]) for row in db.execute(profile.contacts.list) if row[0])
        except sqlite3.Error:
            return ()

    def renew(self, profile: Profile) -> int:
        """Raise Failed `contacts-not-renewed`."""
        if profile.contacts is None or not Path(profile.contacts.database).exists():
            return 0
        try:
            with closing(_open(profile.contacts.database, "rw")) as db, db:
                # In place: owner and mode stay, and SQLite gives its journal to the owner of the database.
                return db.execute(profile.contacts.renew).rowcount
        except sqlite3.Error as error:
            raise Failed(
                "contacts-not-renewed", database=profile.contacts.database, why=str(error)
            ) from error


def _open(database: str, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{Path(database).as_uri()}?mode={mode}", uri=True, timeout=BUSY_SECONDS)
