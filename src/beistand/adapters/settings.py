"""The settings of this installation: /etc/beistand/installation.toml."""

from pathlib import Path

import msgspec

from beistand.adapters.durable_file import write_durably
from beistand.domain.addressing import addressing_problem
from beistand.domain.errors import Failed, Refused
from beistand.domain.installation import Installation

FILE = "installation.toml"
HEADING = b"# Written by `beistand init`. Identity of this appliance: it never travels to the other one.\n"


class Settings:
    def __init__(self, etc: Path) -> None:
        self._path = etc / FILE

    def exists(self) -> bool:
        return self._path.exists()

    def read(self) -> Installation:
        """Raise Refused `not-initialised` without a file, Failed `settings-wrong` naming file and field."""
        try:
            installation = msgspec.toml.decode(self._path.read_bytes(), type=Installation)
        except FileNotFoundError:
            raise Refused("not-initialised") from None
        except OSError as error:
            raise self._wrong(error.strerror or str(error)) from error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._wrong(str(error)) from error
        if problem := addressing_problem(installation):
            raise self._wrong(str(problem))
        return installation

    def write(self, installation: Installation) -> None:
        """Write it whole and durably. Raises Refused with the code of what is wrong, Failed `file-not-written`."""
        if problem := addressing_problem(installation):
            raise Refused(problem.code, **problem.fields)
        write_durably(self._path, HEADING + msgspec.toml.encode(installation))

    def _wrong(self, why: str) -> Failed:
        return Failed("settings-wrong", path=str(self._path), why=why)
