"""The file systems of this machine."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from beistand.domain.room import FileSystem


class FileSystems(Protocol):
    def look(self, folders: Iterable[Path]) -> tuple[FileSystem, ...]:
        """Return each file system that one of these folders lies on, or would, once; never raises."""
