"""The settings of this installation: /etc/beistand/installation.toml."""

from pathlib import Path

import msgspec

from beistand.adapters.durable_file import remove_durably, write_durably
from beistand.domain.addressing import addressing_problem
from beistand.domain.errors import Failed, Refused
from beistand.domain.installation import Installation

FILE = "installation.toml"
HEADING = b"# Written by `beistand init`. Identity of this appliance: it never travels to the other one.\n"


def settings_file(etc: Path) -> Path:
    return etc / FILE


def read_installation(etc: Path) -> Installation:
    """Raise Refused `not-initialised` without a file, Failed `settings-wrong` naming file and field."""
    path = settings_file(etc)
    try:
        installation = msgspec.toml.decode(path.read_bytes(), type=Installation)
    except FileNotFoundError:
        raise Refused("not-initialised") from None
    except OSError as error:
        raise _wrong(path, error.strerror or str(error)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _wrong(path, str(error)) from error
    if problem := addressing_problem(installation):
        raise _wrong(path, str(problem))
    return installation


def write_installation(etc: Path, installation: Installation) -> None:
    """Write it whole and durably. Raises Refused with the code of what is wrong, Failed `file-not-written`."""
    if problem := addressing_problem(installation):
        raise Refused(problem.code, **problem.fields)
    write_durably(settings_file(etc), HEADING + msgspec.toml.encode(installation))


def forget_installation(etc: Path) -> None:
    """Remove it durably: where it came back, beistand-guard would act by it. Raises Failed `file-not-written`."""
    remove_durably(settings_file(etc))


def _wrong(path: Path, why: str) -> Failed:
    return Failed("settings-wrong", path=str(path), why=why)
