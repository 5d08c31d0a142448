"""The list of libraries that packaging/install put beside the program."""

import sys
from pathlib import Path

from beistand.domain.library_age import locked_on

LIST = "requirements.lock"


def libraries_of(prefix: Path | None = None) -> str:
    """Return the day of the installed libraries' list, ISO 8601; empty: there is none, as in a checkout."""
    try:
        text = (Path(sys.prefix if prefix is None else prefix) / LIST).read_text()
    except (OSError, UnicodeDecodeError):
        return ""
    return locked_on(text)
