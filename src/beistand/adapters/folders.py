"""Open folders component by component, so that no link inside a tree can lead anywhere else."""

import errno
import os
import shutil
import stat
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import RLock

from beistand.domain.profile import Profile

KEPT_OPEN = 16
NAMES_AT_ONCE = 10_000
MOST_LINKS = 40
"""On one path, as the kernel has it (path_resolution(7))."""
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def trusted_folders(profile: Profile) -> tuple[str, ...]:
    """Return the folders that hold the profile's trees and databases, and lie in no tree themselves.

    Links on the way to them were made by an administrator: no generation can reach them.
    """
    roots = [tree.path for tree in profile.trees]
    holders = {os.path.dirname(path) for path in (*roots, *(each.name for each in profile.databases))}
    return tuple(
        sorted(
            holder
            for holder in holders
            if not any(holder == root or holder.startswith(root + "/") for root in roots)
        )
    )


class Folders:
    """Descriptors of folders below trusted ones; the last few stay open, because paths come sorted.

    Whoever holds a descriptor holds the lock: none is closed while it is used.
    """

    def __init__(self, trusted: Iterable[str]) -> None:
        self._trusted = sorted(trusted, key=len, reverse=True)
        self._open: OrderedDict[str, int] = OrderedDict()
        self._lock = RLock()

    def __del__(self) -> None:
        self.forget()

    @contextmanager
    def opened(self, folder: str) -> Iterator[int]:
        """Yield a descriptor. Raises FileNotFoundError; NotADirectoryError for a link, too."""
        with self._lock:
            if folder in self._open:
                self._open.move_to_end(folder)
            else:
                self._open[folder] = self._walk(folder)
                while len(self._open) > KEPT_OPEN:
                    os.close(self._open.popitem(last=False)[1])
            yield self._open[folder]

    def status(self, path: str) -> os.stat_result:
        """Return what stands there, a link itself. Raises as `opened` does."""
        with self.opened(os.path.dirname(path)) as folder:
            return os.stat(os.path.basename(path), dir_fd=folder, follow_symlinks=False)

    def forget(self) -> None:
        """Close them all: a folder has gone, or may have been replaced."""
        with self._lock:
            while self._open:
                os.close(self._open.popitem()[1])

    def real(self, path: str) -> str:
        """Return the path with the links of its trusted part resolved."""
        trusted, rest = self._split(path)
        return os.path.join(os.path.realpath(trusted), *rest)

    def _split(self, path: str) -> tuple[str, list[str]]:
        for trusted in self._trusted:
            if path == trusted:
                return trusted, []
            if path.startswith(trusted.rstrip("/") + "/"):
                return trusted, path[len(trusted.rstrip("/")) + 1 :].split("/")
        return "/", [part for part in path.split("/") if part]

    def _walk(self, folder: str) -> int:
        trusted, rest = self._split(folder)
        above, name = os.path.split(folder)
        if rest and above in self._open:
            return os.open(name, FOLDER, dir_fd=self._open[above])
        handle = _open_trusted(trusted)
        for name in rest:
            handle = _below(handle, name)
        return handle


def _open_trusted(path: str) -> int:
    """Open a folder that an administrator named. A link on the way was made by root, or it is followed no further.

    Raises NotADirectoryError for a link in a folder that another account may change, OSError.
    """
    names = [each for each in reversed(path.split("/")) if each]
    handle, links = os.open("/", FOLDER), 0
    while names:
        name = names.pop()
        if not _is_link(name, handle):
            handle = _below(handle, name)
            continue
        links += 1
        if links > MOST_LINKS or not _is_ours_alone(name, handle):
            os.close(handle)
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        target = os.readlink(name, dir_fd=handle)
        names += [each for each in reversed(target.split("/")) if each]
        if target.startswith("/"):
            os.close(handle)
            handle = os.open("/", FOLDER)
    return handle


def _below(above: int, name: str) -> int:
    """Open a folder of this one, which is closed."""
    try:
        return os.open(name, FOLDER, dir_fd=above)
    finally:
        os.close(above)


def _is_link(name: str, folder: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except BaseException:
        os.close(folder)
        raise


def _is_ours_alone(name: str, folder: int) -> bool:
    """Tell whether nobody but root, or who runs this, can have put this name into the folder."""
    ours = (0, os.geteuid())
    status, link = os.fstat(folder), os.stat(name, dir_fd=folder, follow_symlinks=False)
    is_shut = not status.st_mode & 0o022 or (status.st_mode & stat.S_ISVTX and link.st_uid in ours)
    return status.st_uid in ours and bool(is_shut)


def empty(folder: int, check: Callable[[], None]) -> None:
    """Remove what a folder holds, some names at a time: there may be a million. `check` may raise between any two."""
    while names := _some_names(folder):
        for name in names:
            check()
            remove_tree(name, folder)


def _some_names(folder: int) -> list[str]:
    with os.scandir(folder) as found:
        return [each.name for each in islice(found, NAMES_AT_ONCE)]


def remove_tree(name: str, folder: int) -> None:
    """Remove a file or link of this folder, or a folder with all it holds."""
    if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        shutil.rmtree(name, dir_fd=folder)
    else:
        os.unlink(name, dir_fd=folder)


def mount_points(table: Path = Path("/proc/self/mountinfo")) -> tuple[str, ...]:
    """Return where file systems are mounted, longest path first (proc_pid_mountinfo(5), field 5)."""
    fields = (line.split(b" ")[4] for line in table.read_bytes().splitlines())
    names = {os.fsdecode(field.decode("unicode_escape").encode("latin-1")) for field in fields}
    return tuple(sorted(names, key=len, reverse=True))
