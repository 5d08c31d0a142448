r"""The manifest of a generation: one entry a path, JSON lines, sorted by path.

Paths are absolute; bytes that are not UTF-8 stand as lone surrogates (PEP 383), written as `\\udcXX`
escapes, so that every name a file system allows comes back as it was.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from beistand.domain.value import Value

DATABASE_PREFIX = "database:"
"""Entries of databases follow the trees: `database:/var/lib/asterisk/astdb.sqlite3`."""


class Kind(StrEnum):
    FILE = "f"
    FOLDER = "d"
    LINK = "l"
    DATABASE = "b"


class Entry(Value, frozen=True, kw_only=True, omit_defaults=True):
    path: str
    kind: Kind
    mode: Annotated[int, msgspec.Meta(ge=0, le=0o1777)] = 0
    """Permission bits; setuid and setgid never travel (F5)."""
    owner: str = ""
    """By name: ids differ between machines."""
    group: str = ""
    size: Annotated[int, msgspec.Meta(ge=0)] = 0
    mtime_ns: int = 0
    digest: str = ""
    """SHA-256 of the content, hexadecimal; files and databases only."""
    target: str = ""
    """Where a link points; links only."""
