"""What is asked of the telephone system's files for people only: no safety depends on it."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from beistand.domain.coverage import Found
from beistand.domain.message import Message
from beistand.domain.profile import Engine, Profile


class WatchedFolders(Protocol):
    def files(self, folders: Sequence[str]) -> Iterator[Found]:
        """Yield the regular files at and below these folders that no package of the system brought.

        Follows no link; folders that are missing hold nothing. Bounded in time and number.
        """

    def servers(self) -> tuple[tuple[Engine, str], ...]:
        """Return the database servers that listen on this machine, with the path of their socket."""


class LineFiles(Protocol):
    def list(self, profile: Profile) -> tuple[str, ...]:
        """Return the lines that the profile's files name, as `name (where)`; without passwords."""


class Readings(Protocol):
    """What becomes of files that the telephone system's account wrote, where they are read for people and plans."""

    def troubles(self) -> tuple[Message, ...]:
        """Return why files could not be read when it was last tried; each names its file."""
