"""The module configuration "Redundanz" (S8, S9, S13): pair settings, the same on both appliances."""

from enum import StrEnum
from hashlib import sha256
from typing import Annotated

import msgspec

from beistand.domain.bounds import FEW, Count, Word
from beistand.domain.schedule import Schedule
from beistand.domain.value import Value

DEFAULT_ATTEMPTS = 10


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Standby(Value, frozen=True, kw_only=True):
    """Angaben zur Standby-Anlage; the password is used once and never kept."""

    user: Word = "root"
    server: Word = ""


def config_digest(config: "ModuleConfig") -> str:
    """Return what tells two configurations apart, whatever their revisions."""
    return sha256(msgspec.json.encode(config, order="sorted")).hexdigest()[:16]


class ModuleConfig(Value, frozen=True, kw_only=True):
    name: Word = "Redundanz"
    active: bool = True
    """Inactive: the schedule rests; a cycle by hand is refused too."""
    log: bool = True
    """Keep the module's own log; the journal tells warnings and errors in any case."""
    log_level: LogLevel = LogLevel.INFO
    licence_key: Word = ""
    """Lizenzschlüssel: the active's server licence key."""
    attempts: Annotated[int, msgspec.Meta(ge=1, le=1000)] = DEFAULT_ATTEMPTS
    send_mail: bool = False
    mail_address: Word = ""
    schedule: Schedule | None = None
    """None: cycles run only when asked for."""
    standby: Standby = Standby()
    keep_generations: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    """Restore points on the standby (B7)."""
    bandwidth_limit: Count = 0
    """KiB/s for the transfer; 0: none."""
    backup_schedule: Schedule | None = None
    """Local backups (S14); never overlaps a cycle (S12)."""
    keep_backups: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 7
    """Scheduled local backups that are kept; those by hand stay until somebody deletes them (S14)."""
    replug: Annotated[tuple[Word, ...], FEW] = ()
    """What has to be replugged by hand before a takeover (S20): ISDN lines, analogue ports."""
    is_removed: bool = False
    """Somebody deleted the configuration (S8): what stands here rests until one is created."""
    revision: Count = 0
    """Grows with each change; the higher one is the pair's."""
