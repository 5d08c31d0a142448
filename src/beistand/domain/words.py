"""What holds of every word that the other appliance says: no sign that hides, no time that nobody lives in."""

from collections.abc import Iterator
from datetime import date, datetime
from math import isfinite
from typing import Any
from unicodedata import category

import msgspec

from beistand.domain.generation import Generation
from beistand.domain.licence import Licence
from beistand.domain.mail import MailServer, MailText
from beistand.domain.message import Message, message
from beistand.domain.pair import Appliance

FIRST_YEAR, LAST_YEAR = 1969, 2999
"""A clock with an empty battery begins in 1970, in a zone west of Greenwich on the day before. Between the two no
arithmetic with days and zones fails."""
LARGEST = 2**63 - 1
"""What a column of SQLite holds."""
DEEPEST = 30
_FREE = (Message, MailText)
_FREE_FIELDS = {(Generation, "growing"), (MailServer, "password"), (Appliance, "start_options")}
_FREE_FIELDS |= {(Licence, each) for each in ("holder", "seller", "module", "expires")}
"""What a person or a program wrote as it liked; it is made plain where it is shown or sent."""
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def word_problem(value: Any) -> Message | None:
    """Return what no word of a peer may be, with its place; None where all of them are fit to be judged further.

    The types bound what is a type's business (`beistand.domain.bounds`); this is what they cannot say.
    """
    for place, each in _leaves(value, type(value).__name__, 0):
        if why := _why_not(each):
            return message("peer-word-absurd", place=place[:200], why=why)
    return None


def is_plain(text: str) -> bool:
    """Tell whether a text holds no sign that moves a terminal's cursor or turns the direction of what is read."""
    if text.isprintable():
        return True
    return not any(category(each) in ("Cc", "Cs") or each in _TURNING for each in text)


def _why_not(leaf: Any) -> str:
    if isinstance(leaf, date):
        if not FIRST_YEAR <= leaf.year <= LAST_YEAR:
            return f"year {leaf.year}"
        return "no time zone" if isinstance(leaf, datetime) and leaf.tzinfo is None else ""
    if isinstance(leaf, float):
        return "" if isfinite(leaf) else "no number"
    if isinstance(leaf, int):
        return "" if -LARGEST <= leaf <= LARGEST else "number too large"
    if isinstance(leaf, str) and not is_plain(leaf):
        return "unprintable sign"
    return "nested too deeply" if leaf is _TOO_DEEP else ""


_TOO_DEEP = object()


def _leaves(value: Any, place: str, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > DEEPEST:
        yield place, _TOO_DEEP
    elif isinstance(value, _FREE):
        return
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            if (type(value), name) not in _FREE_FIELDS:
                yield from _leaves(getattr(value, name), f"{place}.{name}", depth + 1)
    elif isinstance(value, tuple | list):
        for at, each in enumerate(value):
            yield from _leaves(each, f"{place}[{at}]", depth + 1)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield f"{place}", key
            yield from _leaves(each, f"{place}.{str(key)[:40]}", depth + 1)
    else:
        yield place, value
