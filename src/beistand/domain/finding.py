"""One thing that a person should know, and how much it stops."""

from enum import StrEnum

from beistand.domain.value import Value


class Severity(StrEnum):
    BLOCK = "block"
    """Stops the takeover; may be accepted by its code where `acceptable` says so."""
    CONFIRM = "confirm"
    """Needs a second, explicit confirmation by its code."""
    WARN = "warn"
    INFO = "info"


class Finding(Value, frozen=True, kw_only=True):
    """One thing a person should know, with what to do in its hint (catalogue)."""

    code: str
    severity: Severity
    fields: dict[str, str | int | float | bool] = {}
    acceptable: bool = True
