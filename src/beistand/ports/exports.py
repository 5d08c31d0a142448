"""Generations in single files: writing and reading one, the folder of local backups, the upload."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from beistand.domain.export import BackupRecord
from beistand.domain.value import Value


class Written(Value, frozen=True, kw_only=True):
    """The file as it stands on disk."""

    size: int
    digest: str
    """SHA-256 of the file."""


class ExportDraft(Protocol):
    """An export being written, member after member. Raises NoSpace `disk-full`, Failed `file-not-written`."""

    def add(self, name: str, size: int, read: Callable[[int], bytes]) -> str:
        """Write a member of exactly this size and return its SHA-256.

        `read` gives at most so many bytes, none at the end; where it ends too early the digest is empty,
        and the draft is good for nothing any more. What it would give beyond `size` is not asked for.
        """

    def keep(self) -> Written:
        """End the file and see it on disk. It has no name yet."""

    def publish(self, path: Path) -> None:
        """Give the kept file its name."""


class OpenExport(Protocol):
    """An export being read, once, from its begin to its end.

    Only what a writer would have written is taken, block for block; memory is bounded whatever the
    file claims. Raises BadGeneration `export-damaged`, with the member; OSError.
    """

    def small(self, name: str, longest: int) -> bytes:
        """Return the next member, which has this name and at most so many bytes."""

    def content(self, name: str, size: int | None = None) -> BinaryIO:
        """Return the next member, to be read before the next one is asked for; what is left is skipped.

        `size`: what it must have; None: what it says.
        """

    def end(self) -> None:
        """See that nothing follows."""


class Exports(Protocol):
    """Files of the export format, and their signatures."""

    def draft(self, beside: Path, passphrase: str = "") -> AbstractContextManager[ExportDraft]:
        """Begin a file in the folder of `beside`; it is dropped unless it was published."""

    def open(self, path: Path, passphrase: str = "") -> AbstractContextManager[OpenExport]:
        """Raises Refused `passphrase-missing`, `passphrase-wrong`; BadGeneration `export-damaged`."""

    def is_encrypted(self, path: Path) -> bool:
        """Tell by the first bytes."""

    def sign(self, body: bytes) -> bytes:
        """Return a signature by this appliance's own key, for exports only. Raises CommandFailed."""

    def is_by_peer(self, body: bytes, signature: bytes) -> bool:
        """Tell whether the other appliance of the pair signed exactly this, for an export."""


class Backups(Protocol):
    """The folder of local backups. What is damaged or not ours in it is left out, and left alone."""

    folder: Path

    def free(self) -> int:
        """Return the bytes that can be written there; makes the folder, 0700."""

    def path(self, backup: str) -> Path: ...

    def records(self) -> tuple[BackupRecord, ...]:
        """Return those whose file is there, newest first."""

    def record(self, record: BackupRecord) -> None:
        """Write what a list says of a backup; before its file has its name."""

    def read(self, backup: str, offset: int, size: int) -> bytes:
        """Raises FileNotFoundError."""

    def remove(self, backup: str) -> None: ...

    def sweep(self) -> None:
        """Remove what a kill left: drafts, and records without a file."""


class Upload(Protocol):
    """The folder that holds the one file that is being uploaded, 0700."""

    def free(self) -> int: ...

    def begin(self) -> None:
        """Begin an empty file; what was there is gone."""

    def add(self, offset: int, data: bytes) -> None:
        """Write at the end, which is at `offset`. Raises NoSpace `disk-full`, Failed `file-not-written`."""

    def path(self) -> Path: ...

    def clear(self) -> None: ...
