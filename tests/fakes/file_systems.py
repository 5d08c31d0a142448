"""File systems as a test says that they are (port `FileSystems`)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from beistand.domain.room import FileSystem


@dataclass
class FakeFileSystems:
    now: list[FileSystem] = field(default_factory=list)

    def look(self, _folders: Iterable[Path]) -> tuple[FileSystem, ...]:
        return tuple(self.now)
