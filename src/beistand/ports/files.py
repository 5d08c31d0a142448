"""Trees on disk and databases."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from beistand.domain.imports import Shape, Slot
from beistand.domain.profile import Database
from beistand.domain.value import Value


class Dumped(Value, frozen=True, kw_only=True):
    """A dump, and what the manifest says of its database."""

    size: int
    digest: str
    """SHA-256 of the dump."""
    mode: int = 0
    owner: str = ""
    group: str = ""
    """Of the live database, where it is a file."""


class Databases(Protocol):
    """One engine's databases."""

    def dump(self, database: Database, into: Path, check: Callable[[], None] = lambda: None) -> Dumped | None:
        """Write a consistent copy beside `into` and rename it there; never blocks the PBX's own writers for long.

        The same content gives the same bytes. None: there is no such database on this machine.
        `check` is called again and again meanwhile, and may raise.
        Raises Failed `database-not-dumped`, `database-busy` (written too often to be copied without
        disturbing the PBX; what stood at `into` is still there), NoSpace.
        """

    def settle(self, database: Database, seconds: float) -> None:
        """Wait until the change that a writer has open now is committed; at most so long. Nothing open: at once."""


class Disk(Protocol):
    """The live trees, the inbox, staging and undo, as an import needs them.

    No method follows a link at or below the folder that holds a tree, so that nothing planted inside
    one can turn a read or a write elsewhere. A method that changes something may be repeated.
    What the kernel refuses is raised as OSError: the operations know what it means.
    """

    # looking
    def mount_of(self, path: str) -> str:
        """Return the root of the file system that this file or link lies on, or would."""

    def free(self, mount: str) -> int:
        """Return the bytes that can be written there without touching the system's reserve."""

    def look(self, path: str) -> Shape | None:
        """Return what stands there; None if nothing does, or if a folder above is missing or is none."""

    def walk(self, tree: str, keeps: Callable[[str], bool]) -> Iterator[tuple[str, Shape]]:
        """Yield every file, folder and link at and below a tree in a manifest's order, but what `keeps` names."""

    def owner(self, owner: str, group: str) -> tuple[int, int]:
        """Return the numbers of these names on this machine. Raises Failed `owner-unknown`."""

    def open_live(self, path: str) -> BinaryIO:
        """Open a regular file of a live tree. Raises Failed `odd-file`, FileNotFoundError."""

    def open_inbox(self, inbox: Path, name: str) -> BinaryIO:
        """Open a regular file of the inbox, whoever writes there. Raises BadGeneration `content-missing`."""

    # own documents, trusted
    def read(self, path: Path) -> bytes | None: ...
    def names(self, folder: Path) -> tuple[str, ...]:
        """Return what a folder of documents holds; nothing where there is none."""

    def open(self, path: Path) -> BinaryIO: ...
    def write(self, path: Path, body: bytes) -> None:
        """Replace a document: the old content or the new, and on disk when it returns.

        It is small and says what is live here: on a full disk it finds room in what is kept for a takeover.
        Raises NoSpace `disk-full`, Failed `file-not-written`.
        """

    def create(self, path: Path) -> AbstractContextManager[BinaryIO]:
        """Write a large document as `write` does: it stands there when the block ends without an error."""

    def remove(self, path: Path) -> None:
        """Remove a document, or a folder of them."""

    # staging and undo
    def prepare(self, mount: str, undo: str) -> None:
        """Make the undo's folders, 0700. Raises Failed `staging-not-ours` where a stranger made them."""

    def stage_file(self, slot: Slot, read: Callable[[int], bytes], shape: Shape) -> str:
        """Copy while hashing, with owner, mode and time; return the SHA-256 of what stands in staging now.

        `read` gives at most so many bytes, none at the end. Stops one byte behind `shape.size`.
        What is there already is replaced.
        """

    def stage_link(self, slot: Slot, shape: Shape) -> None: ...

    def database_problem(self, slot: Slot, check: Callable[[], None]) -> str:
        """Return what SQLite finds wrong with a staged database; empty: it is whole.

        `check` is called again and again meanwhile, and may raise.
        """

    def discard(self, mount: str, undo: str, check: Callable[[], None]) -> None:
        """Remove an undo with all it holds; `check` is called between any two files, and may raise."""

    def clear(self, inbox: Path, folder: str) -> None:
        """Empty a folder of the inbox."""

    # the live trees: by rename only
    def holds(self, slot: Slot) -> bool: ...
    def take(self, path: str, slot: Slot) -> None:
        """Move what stands at the path into the slot; does nothing if the slot is held, or the path empty."""

    def place(self, slot: Slot, path: str) -> None:
        """Move what the slot holds to the path; does nothing if the slot is empty."""

    def make_folder(self, path: str) -> None: ...
    def remove_folder(self, path: str) -> bool:
        """Remove an empty folder; return False if something of this machine's own keeps it."""

    def set_folder(self, path: str, shape: Shape) -> None:
        """Give a folder its owner and mode."""

    def settle(self, mounts: Iterable[str]) -> None:
        """Return when everything written to these file systems is on disk."""
