"""The registered phones in the PBX's own SQLite file (port `Contacts`)."""

import sqlite3
from contextlib import closing
from pathlib import Path

from beistand.domain.errors import Failed
from beistand.domain.phones import LEAST_SECONDS, MOST_SECONDS, Contact, Dated
from beistand.domain.profile import Profile

BUSY_SECONDS = 1.0


class SqliteContacts:
    def list(self, profile: Profile) -> tuple[Contact, ...]:
        """Return () for an unreadable database too: a list of witnesses must never stop a takeover."""
        if profile.contacts is None or not Path(profile.contacts.database).exists():
            return ()
        try:
            with closing(_open(profile.contacts.database, "ro")) as db:
                return tuple(_contact(*row) for row in db.execute(profile.contacts.list) if row[0])
        except (sqlite3.Error, TypeError):
            return ()

    def renew(self, profile: Profile, dated: Dated) -> int:
        """Raise Failed `contacts-not-renewed`."""
        if profile.contacts is None or not Path(profile.contacts.database).exists():
            return 0
        try:
            with closing(_open(profile.contacts.database, "rw")) as db, db:
                # In place: owner and mode stay, and SQLite gives its journal to the owner of the database.
                times = {"at": dated.at, "age": dated.age, "least": LEAST_SECONDS, "most": MOST_SECONDS}
                return db.execute(profile.contacts.renew, times).rowcount
        except sqlite3.Error as error:
            raise Failed(
                "contacts-not-renewed", database=profile.contacts.database, why=str(error)
            ) from error


def _contact(
    uri: object,
    endpoint: object = "",
    survives: object = 1,
    is_qualified: object = 0,
    *names: object,
) -> Contact:
    """Return the contact of a row; whatever a profile's own SQL leaves out is not known."""
    return Contact(
        uri=str(uri),
        endpoint=str(endpoint or ""),
        survives=bool(survives),
        is_qualified=bool(is_qualified),
        aor=str(names[0] or "") if names else "",
        key=str(names[1] or "") if names[1:] else "",
    )


def _open(database: str, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{Path(database).as_uri()}?mode={mode}", uri=True, timeout=BUSY_SECONDS)
