"""Write a file that others read: the old content or the new, never a part, and on disk when it returns."""

import os
import tempfile
from pathlib import Path

from beistand.domain.errors import Failed


def write_durably(path: Path, body: bytes, *, mode: int = 0o644) -> None:
    """Write beside, fsync, rename, fsync the folder. Raises Failed `file-not-written`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
            os.rename(beside, path)
        except BaseException:
            os.unlink(beside)
            raise
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise Failed("file-not-written", path=str(path), why=error.strerror or str(error)) from error
