"""What lies under the telephone system's folders, and which database servers run (port `WatchedFolders`)."""

import os
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from beistand.adapters.folders import Folders
from beistand.domain.coverage import Found
from beistand.domain.profile import Engine

SQLITE = b"SQLite format 3\0"
PAGE = 512
"""A database is a whole number of pages, and no page is smaller (sqlite.org/fileformat.html)."""
MOST_FILES = 300_000
MOST_SECONDS = 30.0
PACKAGES = Path("/var/lib/dpkg/info")
SOCKETS = Path("/proc/net/unix")
_SERVERS = {".s.PGSQL.": Engine.POSTGRESQL, "mysqld.sock": Engine.MARIADB, "mysql.sock": Engine.MARIADB}


class LocalFolders:
    def __init__(self, packages: Path = PACKAGES, sockets: Path = SOCKETS) -> None:
        self._packages = packages
        self._sockets = sockets

    def files(self, folders: Sequence[str]) -> Iterator[Found]:
        """Stop after MOST_FILES or MOST_SECONDS: a listing is advice, and must not load a telephone system."""
        own = self._files_of_packages(folders)
        ends, left = time.monotonic() + MOST_SECONDS, MOST_FILES
        for folder in _outermost(folders):
            for found in _walk(folder):
                if left == 0 or time.monotonic() > ends:
                    return
                left -= 1
                if found.path not in own:
                    yield found

    def servers(self) -> tuple[tuple[Engine, str], ...]:
        try:
            lines = self._sockets.read_text(errors="replace").splitlines()
        except OSError:
            return ()
        paths = {line.split()[-1] for line in lines if "/" in line}
        return tuple(
            (engine, path)
            for path in sorted(paths)
            for name, engine in _SERVERS.items()
            if path.rpartition("/")[2].startswith(name)
        )

    def _files_of_packages(self, folders: Sequence[str]) -> frozenset[str]:
        """Return what packages brought below these folders: both appliances have it, by the same version."""
        starts = tuple(each + "/" for each in folders)
        found: set[str] = set()
        for file in self._packages.glob("*.list"):
            try:
                with file.open(errors="replace") as lines:
                    found.update(line.rstrip("\n") for line in lines if line.startswith(starts))
            except OSError:
                continue
        return frozenset(found)


def _walk(folder: str) -> Iterator[Found]:
    """Yield the regular files below, following no link and leaving out what vanishes or is closed to us."""
    folders = Folders((os.path.dirname(folder),))
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with folders.opened(here) as handle:
                deeper, found = _listed(here, handle)
        except OSError:
            continue
        waiting += deeper
        yield from found


def _listed(path: str, folder: int) -> tuple[list[str], list[Found]]:
    deeper, found = list[str](), list[Found]()
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if entry.is_dir(follow_symlinks=False):
                deeper.append(f"{path}/{entry.name}")
            elif each := _found(path, entry, folder):
                found.append(each)
    return deeper, found


def _found(path: str, entry: "os.DirEntry[str]", folder: int) -> Found | None:
    try:
        status = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return None
        is_candidate = status.st_size >= PAGE and status.st_size % PAGE == 0
        is_sqlite = is_candidate and _is_sqlite(entry.name, folder)
        return Found(path=f"{path}/{entry.name}", size=status.st_size, is_sqlite=is_sqlite)
    except OSError:
        return None


def _is_sqlite(name: str, folder: int) -> bool:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    file = os.open(name, flags, dir_fd=folder)
    try:
        return os.read(file, len(SQLITE)) == SQLITE
    finally:
        os.close(file)


def _outermost(folders: Sequence[str]) -> list[str]:
    return sorted(
        {
            each
            for each in folders
            if not any(each.startswith(other + "/") for other in folders if other != each)
        }
    )
