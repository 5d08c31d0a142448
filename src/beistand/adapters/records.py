"""Counts what is newer than a moment in the trees and call records of a profile (port `Records`)."""

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from beistand.adapters.folders import Folders, trusted_folders
from beistand.adapters.opening import opened_database
from beistand.adapters.readers import SHARED, Readers, scratch_for
from beistand.adapters.tree_walk import Found, Trees, walk
from beistand.domain.errors import BeistandError
from beistand.domain.fork import Counted, Recorded
from beistand.domain.profile import Profile, RecordKind
from beistand.reader.asking import Limits, Rows, SelectRows

SECONDS = 30.0
"""For one database: it is copied first, and call records of years are large."""
COPY_SECONDS = 10.0
LARGEST_DATABASE = 8 << 30


class LocalRecords:
    def __init__(self, readers: Readers = SHARED, scratch: Path | None = None) -> None:
        """`scratch`: where copies are made; without it, where temporary files belong."""
        self._readers = readers
        self._scratch = scratch or Path(tempfile.gettempdir())

    def since(self, profile: Profile, moment: datetime) -> Recorded:
        counts = {each.kind: 0 for each in profile.records}
        files, size, newest, begin = 0, 0, 0.0, moment.timestamp()
        for path, figures in _files(profile):
            newer = figures.st_mtime >= begin
            files, size = files + newer, size + newer * figures.st_size
            newest = max(newest, figures.st_mtime if newer else 0.0)
            for each in profile.records if newer else ():
                counts[each.kind] += any(fnmatchcase(path, glob) for glob in each.files)
        for each in profile.records:
            counts[each.kind] += self._rows(profile, each, moment)
        return Recorded(
            records=tuple(Counted(kind=kind, count=count) for kind, count in counts.items()),
            files=files,
            bytes=size,
            newest=datetime.fromtimestamp(newest, UTC) if newest else None,
        )

    def _rows(self, profile: Profile, kind: RecordKind, moment: datetime) -> int:
        """Return how many rows are newer; 0 where they cannot be counted, and that is told."""
        if not kind.database or not os.path.lexists(kind.database):
            return 0
        folders = Folders(trusted_folders(profile))
        ask = SelectRows(sql=kind.count, parameters={"since": _begin(moment)}, seconds=COPY_SECONDS)
        limits = Limits(seconds=int(SECONDS), file=LARGEST_DATABASE)
        try:
            with (
                self._readers.telling(kind.database),
                opened_database(folders, kind.database) as files,
                scratch_for(files["database"], self._scratch, _size(files)) as room,
            ):
                found = self._readers.ask(
                    ask, Rows, kind.database, files, scratch=room, limits=limits, seconds=SECONDS
                )
            return int(found.rows[0][0] or 0)
        except (BeistandError, OSError, IndexError, ValueError):
            return 0


def _files(profile: Profile) -> Iterator[Found]:
    """Yield the regular files of the trees, and the databases, which no tree may hold."""
    folders = Folders(trusted_folders(profile))
    databases = {each.name for each in profile.databases}
    yield from _present(databases, folders)
    # A tree inside another one is walked with it.
    roots = list(_present(Trees(profile).roots, folders))
    for path, status in walk(roots, set(), folders):
        if stat.S_ISREG(status.st_mode) and path not in databases and profile.tree_of(path) is not None:
            yield path, status


def _present(paths: Iterable[str], folders: Folders) -> Iterator[Found]:
    for path in paths:
        with suppress(OSError):
            yield path, folders.status(path)


def _size(files: Mapping[str, int]) -> int:
    return sum(os.fstat(each).st_size for each in files.values())


def _begin(moment: datetime) -> str:
    """Return the moment as the telephone system writes it: local time, without saying so."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
