"""Counts what is newer than a moment in the trees and call records of a profile (port `Records`)."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from beistand.domain.fork import Counted, Recorded
from beistand.domain.profile import Profile, RecordKind

BUSY_SECONDS = 1.0


class LocalRecords:
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
            counts[each.kind] += _rows(each, moment)
        return Recorded(
            records=tuple(Counted(kind=kind, count=count) for kind, count in counts.items()),
            files=files,
            bytes=size,
            newest=datetime.fromtimestamp(newest, UTC) if newest else None,
        )


def _files(profile: Profile) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the regular files of the trees, and the databases, which no tree may hold."""
    databases = {each.name for each in profile.databases}
    for path in databases:
        with suppress(OSError):
            yield path, os.stat(path)
    for tree in profile.trees:
        for path in _below(tree.path):
            if path not in databases and profile.tree_of(path) == tree:
                with suppress(OSError):
                    figures = os.lstat(path)
                    if os.path.isfile(path) and not os.path.islink(path):
                        yield path, figures


def _below(root: str) -> Iterator[str]:
    if os.path.isfile(root):
        yield root
    for folder, _, names in os.walk(root):
        yield from (os.path.join(folder, name) for name in names)


def _rows(kind: RecordKind, moment: datetime) -> int:
    """Return how many rows are newer: the telephone system writes local time, without saying so."""
    if not kind.database or not Path(kind.database).exists():
        return 0
    begin = moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    try:
        source = f"{Path(kind.database).as_uri()}?mode=ro"
        with closing(sqlite3.connect(source, uri=True, timeout=BUSY_SECONDS)) as db:
            return int(db.execute(kind.count, {"since": begin}).fetchone()[0])
    except (sqlite3.Error, TypeError, ValueError):
        return 0
