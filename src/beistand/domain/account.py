"""Accounts of the pages, and tokens of programs: pair settings, so that the standby knows them on the day."""

from datetime import datetime
from enum import StrEnum

from beistand.domain.value import Value


class AccountRole(StrEnum):
    ADMINISTRATOR = "administrator"
    VIEWER = "viewer"


class Account(Value, frozen=True, kw_only=True):
    name: str
    role: AccountRole
    verifier: str
    """Argon2id, in the form of the reference implementation: `$argon2id$v=19$…`. Never shown."""
    since: datetime


class ApiToken(Value, frozen=True, kw_only=True):
    """A program's way in; the token itself is shown once and not kept."""

    id: str
    name: str
    role: AccountRole
    digest: str
    """SHA-256 of the token, hexadecimal: a token has 256 random bits, so no slow hash is needed."""
    since: datetime
    by: str
    """Name of the administrator who made it."""
