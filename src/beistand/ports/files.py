"""Trees on disk and databases."""

from pathlib import Path
from typing import Protocol

from beistand.domain.profile import Database


class Databases(Protocol):
    """One engine's databases."""

    def dump(self, database: Database, into: Path) -> None:
        """Write a consistent copy beside `into` and rename it there; never blocks the PBX's own writers for long.

        The same content gives the same bytes. Raises Failed `database-not-dumped`.
        """


class Disk(Protocol):
    """The file system, as import and backup change it; grows with what they need."""
