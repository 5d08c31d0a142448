"""Write a big file piece by piece: under its name it is whole and on disk, or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from beistand.adapters.durable_file import make_folders, not_written, publish

BUFFER = 1 << 18


@contextmanager
def told_as_failure(path: Path) -> Iterator[None]:
    """Turn an OSError of writing into NoSpace `disk-full` or Failed `file-not-written`."""
    try:
        yield
    except OSError as error:
        raise not_written(path, error) from error


class DurableStream:
    """A draft beside its place; a draft that a kill left behind is overwritten by the next one.

    Raises NoSpace `disk-full`, Failed `file-not-written`.
    """

    def __init__(self, draft: Path, mode: int = 0o600) -> None:
        """Only one writer at a time may use this draft's name."""
        self._draft = draft
        with told_as_failure(draft):
            make_folders(draft.parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file = open(os.open(draft, flags, mode), "wb", buffering=BUFFER)  # noqa: SIM115  closed in __exit__

    def write(self, body: bytes) -> None:
        with told_as_failure(self._draft):
            self._file.write(body)

    def keep(self, path: Path) -> None:
        """Publish it under this name in the draft's folder."""
        with told_as_failure(path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            publish(self._draft, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop the draft unless it was kept."""
        if not self._file.closed:
            with suppress(OSError):
                self._draft.unlink(missing_ok=True)
            # On a full disk the rest of the buffer cannot be written; it belongs to a draft that is gone.
            with suppress(OSError):
                self._file.close()
