"""A log in pages: what is kept is more than fits into one answer."""

from collections.abc import Iterable, Iterator
from itertools import dropwhile, islice
from typing import TypeVar

import msgspec

from beistand.protocol import MOST_LINES

T = TypeVar("T")
MOST_BYTES = 900_000
"""Of one page, as JSON: a message between the agent and its clients is 1 MiB at most."""


def older_than(before: str, kept: Iterable[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """Yield (place, line) of what is older than the line at that place; all of it for no place.

    A place that is not there is one whose line went, with everything that was older: nothing is left.
    """
    if not before:
        return iter(kept)
    return islice(dropwhile(lambda each: each[0] != before, kept), 1, None)


def page(found: Iterable[tuple[str, T]], limit: int) -> tuple[tuple[T, ...], str]:
    """Return the lines that one answer takes, and the place of the last of them, empty where nothing is left."""
    lines: list[T] = []
    size, last = 0, ""
    for place, line in found:
        size += len(msgspec.json.encode(line)) + 1
        if lines and (size > MOST_BYTES or len(lines) >= max(1, min(limit, MOST_LINES))):
            return tuple(lines), last
        lines.append(line)
        last = place
    return tuple(lines), ""
