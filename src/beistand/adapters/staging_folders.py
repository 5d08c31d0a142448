"""Beistand's own folder at the root of each file system: found without settings, measured, and removed whole."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from beistand.adapters.folders import remove_tree
from beistand.domain.errors import Failed
from beistand.ports.places import STAGING

FAR = ("nfs", "cifs", "smb", "fuse", "9p", "ceph", "gluster", "autofs", "afs")
"""File systems of other machines may answer never, and hold nothing of ours: a tree on one is refused elsewhere."""
FAR_BUT_HERE = ("fuseblk",)


class StagingFolders:
    def __init__(self, table: Path = Path("/proc/self/mountinfo")) -> None:
        self._table = table

    def found(self) -> tuple[str, ...]:
        """Return every staging folder: of root, closed to all others, on a file system of this machine."""
        return tuple(sorted({each for each in self._candidates() if _is_ours(each)}))

    def size(self, path: str) -> int:
        """Return the bytes of the files in it, as far as it can be read."""
        total = 0
        for folder, _, names in os.walk(path):
            for name in names:
                with suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_size
        return total

    def remove(self, path: str) -> None:
        """Remove it with all it holds. Raises Failed `file-not-written`."""
        try:
            above = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                remove_tree(os.path.basename(path), above)
                os.fsync(above)
            finally:
                os.close(above)
        except FileNotFoundError:
            return
        except OSError as error:
            raise Failed("file-not-written", path=path, why=error.strerror or str(error)) from error

    def _candidates(self) -> Iterator[str]:
        for line in self._table.read_bytes().splitlines():
            # Field five is the mount point; the type follows the lone dash (proc_pid_mountinfo(5)).
            before, _, after = line.partition(b" - ")
            kind = os.fsdecode(after.split(b" ")[0])
            if kind.startswith(FAR) and not kind.startswith(FAR_BUT_HERE):
                continue
            mount = before.split(b" ")[4].decode("unicode_escape").encode("latin-1")
            yield os.path.join(os.fsdecode(mount), STAGING)


def _is_ours(path: str) -> bool:
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
