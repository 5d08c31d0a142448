"""The registered phones in the PBX's own SQLite file (port `Contacts`), as a reader finds them."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from beistand.adapters.folders import Folders, trusted_folders
from beistand.adapters.hashing import stamp
from beistand.adapters.kept_answer import KeptAnswer, state_of
from beistand.adapters.opening import COMPANIONS, CONTENT, opened_database
from beistand.adapters.readers import SHARED, Readers, Scratch, scratch_for
from beistand.domain.errors import Failed
from beistand.domain.phones import LEAST_SECONDS, MOST_SECONDS, Contact, Dated
from beistand.domain.profile import Contacts, Profile
from beistand.reader.asking import Cell, Done, Limits, Rows, SelectRows, UpdateRows
from beistand.reader.snapshot import COPY

LARGEST_DATABASE = 64 << 20
"""Bytes; what is larger holds no list of phones that a takeover could wait for."""
TOLD_SECONDS = 3600.0
"""That contacts were not renewed matters until the phones have registered again."""
LIMITS = Limits(seconds=2, file=2 * LARGEST_DATABASE)
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
BESIDE = "-beistand"
"""The ending of the new file, before it takes the place of the old one."""


class SqliteContacts:
    def __init__(self, readers: Readers = SHARED, scratch: Path | None = None) -> None:
        """`scratch`: where copies are made; without it, where temporary files belong."""
        self._readers = readers
        self._scratch = scratch or Path(tempfile.gettempdir())
        self._lock = Lock()
        self._known: dict[tuple[str, str], KeptAnswer[tuple[Contact, ...]]] = {}

    def list(self, profile: Profile) -> tuple[Contact, ...]:
        """Return what is known, read anew where that takes no time: a list of witnesses must stop no takeover."""
        contacts = profile.contacts
        if contacts is None or not os.path.lexists(contacts.database):
            return ()
        state = state_of(contacts.database + each for each in ("", *(ending for _, ending in COMPANIONS)))
        return self._kept(profile, contacts).get(state)

    def _kept(self, profile: Profile, contacts: Contacts) -> KeptAnswer[tuple[Contact, ...]]:
        key = (contacts.database, contacts.list)
        with self._lock:
            if key not in self._known:
                self._known = {key: KeptAnswer(lambda: self._read(profile, contacts), ())}
            return self._known[key]

    def _read(self, profile: Profile, contacts: Contacts) -> tuple[Contact, ...]:
        path, folders = contacts.database, Folders(trusted_folders(profile))
        try:
            with (
                self._readers.telling(path),
                opened_database(folders, path) as files,
                self._room(path, files) as room,
            ):
                found = self._readers.ask(
                    SelectRows(sql=contacts.list),
                    Rows,
                    path,
                    files,
                    scratch=room,
                    limits=LIMITS,
                )
        except FileNotFoundError:
            return ()
        return tuple(_contact(*row) for row in found.rows if row and row[0])

    def renew(self, profile: Profile, dated: Dated) -> int:
        """Put a changed copy in the place of the database. Raise Failed: `contacts-not-renewed`, or why not read."""
        contacts = profile.contacts
        if contacts is None or not os.path.lexists(contacts.database):
            return 0
        path, folders = contacts.database, Folders(trusted_folders(profile))
        times: dict[str, str | int | float] = {
            "at": dated.at,
            "age": dated.age,
            "least": LEAST_SECONDS,
            "most": MOST_SECONDS,
        }
        change = UpdateRows(sql=contacts.renew, parameters=times)
        try:
            with (
                self._readers.telling(path, "renew", TOLD_SECONDS),
                opened_database(folders, path) as files,
                self._room(path, files) as room,
            ):
                done = self._readers.ask(change, Done, path, files, scratch=room, limits=LIMITS)
                with _told(path):
                    _put(folders, path, files["database"], room)
        except FileNotFoundError:
            return 0
        except Failed as error:
            if why := error.message.fields.get("why"):
                raise Failed("contacts-not-renewed", database=path, why=why) from error
            raise
        return done.count

    @contextmanager
    def _room(self, path: str, files: dict[str, int]) -> Iterator[Scratch]:
        """Raise Failed `reading-too-much`, `contacts-not-renewed`, NoSpace."""
        size = sum(os.fstat(each).st_size for each in files.values())
        if size > LARGEST_DATABASE:
            raise Failed("reading-too-much", path=path)
        with (
            _told(str(self._scratch)),
            scratch_for(files["database"], self._scratch, 2 * size) as room,
        ):
            yield room


@contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Failed("contacts-not-renewed", database=path, why=error.strerror or str(error)) from error


def _put(folders: Folders, path: str, old: int, room: Scratch) -> None:
    """Put the copy in the place of the database, with its owner and mode; its old content or the new, never a part."""
    before, name = os.fstat(old), os.path.basename(path)
    with folders.opened(os.path.dirname(path)) as folder:
        with suppress(FileNotFoundError):
            os.unlink(name + BESIDE, dir_fd=folder)
        source = os.open(COPY, CONTENT, dir_fd=room.handle)
        try:
            target = os.open(name + BESIDE, NEW, 0o600, dir_fd=folder)
            try:
                while os.sendfile(target, source, None, LARGEST_DATABASE):
                    pass
                os.fchown(target, before.st_uid, before.st_gid)
                os.fchmod(target, before.st_mode & 0o777)
                os.fsync(target)
            finally:
                os.close(target)
        finally:
            os.close(source)
        if stamp(os.stat(name, dir_fd=folder, follow_symlinks=False)) != stamp(os.fstat(old)):
            raise Failed("reading-moved", path=path)
        os.rename(name + BESIDE, name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)


def _contact(
    uri: Cell,
    endpoint: Cell = "",
    survives: Cell = 1,
    is_qualified: Cell = 0,
    *names: Cell,
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
