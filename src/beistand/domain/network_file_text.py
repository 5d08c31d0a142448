"""Change a text at a few places and leave every other byte as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from beistand.domain.network_file import Doubt, shown
from beistand.domain.value import Value

LONGEST = 4096
"""Characters of a value that are looked at word by word; no manual shows a longer one."""
UNIX = re.compile(r"\r?\n")
SYSTEMD = re.compile(r"\n\r?|\r\n?|\0")
"""What ends a line for systemd (read_line in its fileio.c)."""

Joins = Callable[[str], str | None]
"""Takes a physical line; returns what stays of it before the next one, None where it ends there."""


def never(_line: str) -> str | None:
    return None


class Line(Value, frozen=True, kw_only=True):
    """One logical line: as many physical ones as its backslashes join."""

    number: int
    """Of its first physical line, counted from 1."""
    start: int
    end: int
    """Offset behind its line end, if it has one."""
    text: str
    """Without line end; physical lines joined as the manager joins them."""
    cuts: tuple[tuple[int, int], ...] = ()
    """Where a joint is: (offset in `text`, how many characters of the whole text it stands for more)."""

    @property
    def bare(self) -> str:
        return self.text.strip()

    def at(self, offset: int) -> int:
        """Return where in the whole text this character of `text` stands."""
        return self.start + offset + sum(more for place, more in self.cuts if place <= offset)


class Change(Value, frozen=True, kw_only=True):
    start: int
    end: int
    new: str = ""


def doubt(line: Line, interface: str = "", what: str = "") -> Doubt:
    """Return the doubt about this line; `what` where something else than itself is its reason."""
    return Doubt(line=line.number, what=shown(what or line.text), text=line.text, interface=interface)


def lines(
    text: str, *, ends: re.Pattern[str] = UNIX, joins: Joins = never, comments: str = "", skips: bool = False
) -> list[Line]:
    """Return the lines of a text.

    `comments`: what begins a line that no backslash continues; with `skips` such a line between two joined ones
    counts for nothing, as systemd has it.
    """
    found: list[Line] = []
    pieces: list[str] = []
    cuts: list[tuple[int, int]] = []
    start = first = length = 0
    for number, (begin, stop, end) in enumerate(_physical(text, ends), start=1):
        body = text[begin:stop]
        is_comment = bool(comments) and body.lstrip()[:1] in tuple(comments)
        if not pieces:
            start, first, length, cuts = begin, number, 0, []
        elif is_comment and skips:
            cuts.append((length, end - begin))
            continue
        joined = None if is_comment and not pieces else joins(body)
        pieces.append(body if joined is None else joined)
        length += len(pieces[-1])
        if joined is not None and end < len(text):
            cuts.append((length, end - begin - len(joined)))
            continue
        found.append(Line(number=first, start=start, end=end, text="".join(pieces), cuts=tuple(cuts)))
        pieces = []
    if pieces:  # nothing but comments behind a backslash
        found.append(Line(number=first, start=start, end=len(text), text="".join(pieces), cuts=tuple(cuts)))
    return found


def _physical(text: str, ends: re.Pattern[str]) -> Iterator[tuple[int, int, int]]:
    """Yield begin, end and the offset behind the line end of each physical line."""
    begin = 0
    for match in ends.finditer(text):
        yield begin, match.start(), match.end()
        begin = match.end()
    if begin < len(text):
        yield begin, len(text), len(text)


def changed(text: str, changes: list[Change]) -> str:
    """Return the text with all these changes, which do not overlap; one that is named twice is made once."""
    pieces: list[str] = []
    done = 0
    for each in sorted(dict.fromkeys(changes), key=lambda change: (change.start, change.end)):
        pieces += [text[done : each.start], each.new]
        done = max(done, each.end)
    return "".join((*pieces, text[done:]))


def places(text: str, ip: str) -> list[int]:
    """Return the offsets at which this address stands, not as part of a longer one."""
    return [each.start() for each in re.finditer(rf"(?<![\w.]){re.escape(ip)}(?![\w]|\.\d)", text)]


def ending(text: str) -> str:
    """Return the line end that this text uses."""
    return "\r\n" if "\r\n" in text else "\n"
