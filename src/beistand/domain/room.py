"""When a file system is a reason for an alarm: full, nearly full, or one that can only be read (F2, F3)."""

from beistand.domain.finding import Finding, Severity
from beistand.domain.value import Value

NO_ROOM = 4 << 20
"""Bytes: with less free nothing but what is kept for a takeover can be relied on."""
LITTLE_ROOM = 256 << 20
"""Bytes: a generation of a small installation, and time for a person to come."""
LITTLE_SHARE = 0.05
"""Of a small file system, which would always have less than that."""


class FileSystem(Value, frozen=True, kw_only=True):
    """What the kernel says of one."""

    mount: str
    size: int
    """Bytes."""
    free: int
    """Bytes that can be written without touching the system's reserve."""
    is_read_only: bool = False


def room_finding(found: FileSystem) -> Finding | None:
    """Return what a person should know of this file system, None where it is well."""
    if found.is_read_only:
        return Finding(code="disk-read-only", severity=Severity.BLOCK, fields={"mount": found.mount})
    fields: dict[str, str | int | float | bool] = {"mount": found.mount, "free": found.free}
    if found.free < NO_ROOM:
        return Finding(code="disk-no-room", severity=Severity.BLOCK, fields=fields)
    if found.free < min(LITTLE_ROOM, found.size * LITTLE_SHARE):
        return Finding(code="disk-little-room", severity=Severity.WARN, fields=fields)
    return None
