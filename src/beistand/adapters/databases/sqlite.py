"""Dump SQLite files while the PBX writes to them (port `Databases`): a reader copies them."""

import os
import stat
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import msgspec

from beistand.adapters.databases.open_changes import wait_for_commit
from beistand.adapters.durable_file import publish, sync_file
from beistand.adapters.durable_stream import DurableStream, told_as_failure
from beistand.adapters.folders import Folders
from beistand.adapters.hashing import file_digest, stamp
from beistand.adapters.opening import COMPANIONS, opened_database
from beistand.adapters.owners import Owners
from beistand.adapters.readers import SHARED, Readers, Scratch, forget_scratch, scratch_for
from beistand.adapters.sqlite_check import seconds_for
from beistand.domain.errors import Failed, NoSpace
from beistand.domain.manifest import shown
from beistand.domain.profile import Database
from beistand.domain.value import Value
from beistand.ports.files import Dumped
from beistand.reader.asking import CopyDatabase, Done, Limits
from beistand.reader.snapshot import COPY, PAUSE_SECONDS, is_reserved

LIMIT_SECONDS = 20.0
"""A commit makes the copy begin anew: this long it is tried."""
CLOCK_TICK_NS = 2_000_000_000
"""A change this close before the dump may be followed by another one with the same time."""
ROOM_BYTES = 64 << 20
"""By which a database may grow while it is copied, and what SQLite puts beside the copy."""


class Source(Value, frozen=True, kw_only=True):
    """Of which file, in which state, a dump was made."""

    stamps: tuple[tuple[int, int, int, int] | None, ...]
    dumped: Dumped


class SqliteDatabases:
    def __init__(
        self,
        now: Callable[[], int] = time.time_ns,
        limit: float = LIMIT_SECONDS,
        readers: Readers = SHARED,
    ) -> None:
        self._readers = readers
        self._now = now
        self._limit = limit

    def dump(self, database: Database, into: Path, check: Callable[[], None] = lambda: None) -> Dumped | None:
        stamps = _stamps(database.name)
        if stamps[0] is None:
            return None
        note = into.with_name(into.name + ".source")
        last = _read_note(note)
        if last is not None and last.stamps == stamps and into.exists():
            return last.dumped
        settled = all(each is None or each[0] < self._now() - CLOCK_TICK_NS for each in stamps)
        draft = into.with_name(f".{into.name}.draft")
        with told_as_failure(into):
            into.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            for each in (draft, note):
                each.unlink(missing_ok=True)
            forget_scratch(into.parent)
        try:
            status = self._copied(database, draft, check)
            if status is None:
                return None
            with told_as_failure(into):
                dumped = _described(status, draft)
                sync_file(draft)
                publish(draft, into)
        finally:
            draft.unlink(missing_ok=True)
        if settled:
            with DurableStream(draft) as stream:
                stream.write(msgspec.json.encode(Source(stamps=stamps, dumped=dumped)))
                stream.keep(note)
        return dumped

    def settle(self, database: Database, seconds: float) -> None:
        wait_for_commit(Path(database.name), seconds)

    def _copied(self, database: Database, draft: Path, check: Callable[[], None]) -> os.stat_result | None:
        """Make the draft; return what the live file was, None where there is none."""
        end = time.monotonic() + self._limit
        while True:
            try:
                return self._tried(database, draft, check, end)
            except FileNotFoundError:
                return None
            except OSError as error:
                why = error.strerror or str(error)
                raise Failed("database-not-dumped", database=database.name, why=why) from error
            except Failed as error:
                # Another file, or a journal, came while it was looked at: the PBX has just been started or stopped.
                if error.message.code != "reading-moved" or time.monotonic() > end:
                    raise _meant(error, database, draft) from error
                time.sleep(PAUSE_SECONDS)

    def _tried(
        self, database: Database, draft: Path, check: Callable[[], None], end: float
    ) -> os.stat_result:
        folders = Folders((os.path.dirname(database.name),))
        with opened_database(folders, database.name) as files, ExitStack() as stack:
            size = sum(os.fstat(each).st_size for each in files.values())
            room = stack.enter_context(scratch_for(files["database"], draft.parent, size))
            status = os.fstat(files["database"])
            seconds = self._limit + seconds_for(size)
            self._readers.ask(
                CopyDatabase(seconds=max(0.0, end - time.monotonic())),
                Done,
                database.name,
                files,
                scratch=room,
                limits=Limits(seconds=int(seconds) + 1, file=size + ROOM_BYTES),
                seconds=seconds,
                check=check,
            )
            _must_be_the_same(database.name, files)
            _take_over(room, draft)
        return status


def _must_be_the_same(name: str, files: Mapping[str, int]) -> None:
    """Raise Failed `reading-moved` where what was copied was not all: a crash meanwhile, or another file."""
    for what, ending in (("database", ""), *COMPANIONS[:2]):
        try:
            now = os.lstat(name + ending)
        except FileNotFoundError:
            now = None
        if what not in files:
            # A journal of a writer that still works is none of ours; one that nobody holds was left by a crash.
            has_moved = now is not None and now.st_size > 0 and not is_reserved(files["database"])
        else:
            has_moved = what != "journal" and (now is None or now.st_ino != os.fstat(files[what]).st_ino)
        if has_moved:
            raise Failed("reading-moved", path=shown(name))


def _take_over(room: Scratch, draft: Path) -> None:
    """Make the copy ours; its reader has ended and holds no descriptor of it any more."""
    copy = os.open(COPY, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=room.handle)
    try:
        if not stat.S_ISREG(os.fstat(copy).st_mode):
            raise Failed("odd-file", path=str(draft))
        if os.geteuid() == 0:
            os.fchown(copy, 0, 0)
        os.fchmod(copy, 0o600)
    finally:
        os.close(copy)
    os.rename(COPY, draft, src_dir_fd=room.handle)


def _meant(error: Failed, database: Database, draft: Path) -> Failed:
    """Return what a reader's failure means for a dump."""
    match error.message.code:
        case "reading-busy" | "reading-moved":
            return Failed("database-busy", database=database.name)
        case "reading-no-room":
            return NoSpace("disk-full", path=str(draft.parent))
        case "reading-damaged" | "reading-failed":
            return Failed("database-not-dumped", database=database.name, why=error.message.fields["why"])
    return error


def _described(status: os.stat_result, draft: Path) -> Dumped:
    owners = Owners()
    digest, size = file_digest(draft)
    return Dumped(
        size=size,
        digest=digest,
        mode=status.st_mode & 0o777,
        owner=owners.user(status.st_uid),
        group=owners.group(status.st_gid),
    )


def _stamps(live: str) -> tuple[tuple[int, int, int, int] | None, ...]:
    """Return what changes with every commit; None for a file that is not there."""
    found: list[tuple[int, int, int, int] | None] = []
    for ending in ("", "-journal", "-wal"):
        try:
            found.append(stamp(os.lstat(live + ending)))
        except (FileNotFoundError, NotADirectoryError):
            found.append(None)
    return tuple(found)


def _read_note(note: Path) -> Source | None:
    try:
        return msgspec.json.decode(note.read_bytes(), type=Source)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
