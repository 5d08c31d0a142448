"""Open what lies in the PBX's folders, for a reader: regular files only, and never by a link of the PBX's account."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from itertools import islice

from beistand.adapters.folders import Folders
from beistand.domain.errors import Failed
from beistand.domain.manifest import shown

CONTENT = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""O_NONBLOCK: opening a FIFO that somebody planted must not wait for its writer."""
MOST_NAMES = 10_000
COMPANIONS = (("journal", "-journal"), ("wal", "-wal"), ("shm", "-shm"))
"""What SQLite keeps beside a database that is in use."""


@contextmanager
def opened_database(folders: Folders, path: str) -> Iterator[dict[str, int]]:
    """Give descriptors of a database and of what stands beside it, by what they are.

    Raises as `open_regular` does. What is empty beside it is as good as not there.
    """
    with ExitStack() as stack:
        files = {"database": open_regular(folders, path)}
        stack.callback(os.close, files["database"])
        for name, ending in COMPANIONS:
            try:
                handle = open_regular(folders, path + ending)
            except FileNotFoundError:
                continue
            stack.callback(os.close, handle)
            if os.fstat(handle).st_size:
                files[name] = handle
        yield files


def matching(folders: Folders, pattern: str) -> list[str]:
    """Return the paths that a pattern means, in order; only its last part may hold `*`, `?` or `[`.

    Of a folder with very many names only the first MOST_NAMES are looked at.
    """
    above, name = os.path.split(pattern)
    try:
        with folders.opened(above) as handle, os.scandir(handle) as entries:
            names = (each.name for each in islice(entries, MOST_NAMES))
            return sorted(os.path.join(above, each) for each in names if fnmatchcase(each, name))
    except OSError:
        return []


def open_regular(folders: Folders, path: str) -> int:
    """Return a descriptor of a regular file; no link at or below the trusted folders is followed.

    Raises FileNotFoundError, also where a folder above is missing. Raises Failed `odd-file`: something else;
    `file-is-link`: it or a folder above is; `file-elsewhere`: another name of a file that another account owns.
    """
    try:
        with folders.opened(os.path.dirname(path)) as folder:
            handle = os.open(os.path.basename(path), CONTENT, dir_fd=folder)
            try:
                _must_be_its_own(handle, folder, path)
            except BaseException:
                os.close(handle)
                raise
            return handle
    except FileNotFoundError:
        raise
    except NotADirectoryError:
        raise Failed("file-is-link", path=shown(os.path.dirname(path))) from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Failed("file-is-link", path=shown(path)) from None
        if error.errno == errno.ENXIO:  # a socket
            raise Failed("odd-file", path=shown(path)) from None
        raise Failed("reading-failed", path=shown(path), why=error.strerror or str(error)) from error


def _must_be_its_own(handle: int, folder: int, path: str) -> None:
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        raise Failed("odd-file", path=shown(path))
    # A hard link: who owns the folder may have put a file of somebody else there by a second name.
    if status.st_nlink > 1 and status.st_uid != os.fstat(folder).st_uid:
        raise Failed("file-elsewhere", path=shown(path))
