"""One module an engine; this folder is the registry."""

from collections.abc import Mapping

from beistand.adapters.databases.sqlite import SqliteDatabases
from beistand.adapters.databases.unsupported import UnsupportedDatabases
from beistand.adapters.readers import SHARED, Readers
from beistand.domain.profile import Engine
from beistand.ports.files import Databases


def registry(readers: Readers = SHARED) -> Mapping[Engine, Databases]:
    """Return the adapter of every engine that a profile can name."""
    return {
        Engine.SQLITE: SqliteDatabases(readers=readers),
        Engine.POSTGRESQL: UnsupportedDatabases(),
        Engine.MARIADB: UnsupportedDatabases(),
    }
