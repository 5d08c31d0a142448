"""The trees of the active, and the manifests that say what was in them."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from beistand.domain.manifest import Entry
from beistand.domain.profile import Profile
from beistand.domain.value import Value
from beistand.ports.progress import Progress


class Earlier(Protocol):
    """What an earlier generation knows, for files that will not settle."""

    @property
    def unsettled(self) -> Collection[str]:
        """Paths that are known to change while they are read: not tried again."""

    def line(self, path: str) -> bytes | None:
        """Return the line of this path in the manifest that is live on the peer."""


class Scanned(Value, frozen=True, kw_only=True):
    """What one scan saw."""

    entries: int
    size: int
    """Bytes of all files."""
    hashed: int
    """Files whose content was read."""
    growing: tuple[str, ...]
    """Changed while they were read: their earlier line stands, or none."""
    surprises: tuple[str, ...]
    """Content changed although nothing else did: a disk that forgets, or someone who hides."""
    left_behind: tuple[str, ...]
    """Links into what makes this machine itself: never sent."""


class Scanner(Protocol):
    def scan(
        self, profile: Profile, lines: Callable[[bytes], None], earlier: Earlier, job: Progress
    ) -> Scanned:
        """Hand over the manifest lines of all trees, in order, several at a time.

        Never follows a link. Raises Failed `tree-missing`, `tree-is-link`, `file-unreadable`, NoSpace, Cancelled.
        """

    def changed_since(self, entries: Iterable[Entry]) -> tuple[str, ...]:
        """Return the paths of files that are no longer what their entries say."""


class Draft(Protocol):
    """A manifest being written."""

    def add(self, lines: bytes) -> None: ...

    def keep(self) -> str:
        """Publish it, on disk, and return its digest."""


class Manifests(Protocol):
    """Manifests by digest, in Places.manifests. What is no digest is never there."""

    def draft(self) -> AbstractContextManager[Draft]:
        """Begin one; it is dropped unless it is kept. One at a time."""

    def has(self, digest: str) -> bool: ...

    def path(self, digest: str) -> Path: ...

    def lines(self, digest: str) -> Iterator[bytes]:
        """Yield its lines; nothing for the digest "" (there was no generation yet)."""

    def outgoing(self, lines: Iterable[bytes]) -> Path:
        """Write these lines as the one file that travels, and return it."""

    def prune(self, keep: Collection[str]) -> None:
        """Delete all manifests but these."""
