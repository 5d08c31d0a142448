"""Engines that profiles may name and that have no adapter yet."""

from collections.abc import Callable
from pathlib import Path

from beistand.domain.errors import Refused
from beistand.domain.profile import Database
from beistand.ports.files import Dumped


class UnsupportedDatabases:
    """Refuses, instead of leaving the database out of what is called a complete backup."""

    def dump(
        self,
        database: Database,
        into: Path,  # noqa: ARG002  nothing is written
        check: Callable[[], None] = lambda: None,  # noqa: ARG002  nothing takes time
    ) -> Dumped | None:
        raise Refused("engine-not-supported-yet", engine=database.engine.value, database=database.name)

    def settle(self, database: Database, seconds: float) -> None:
        """Nothing is open in what cannot be dumped."""
