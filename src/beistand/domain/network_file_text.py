"""Change a text at a few places and leave every other byte as it is."""

from __future__ import annotations

import re

from beistand.domain.network_file import Unclear
from beistand.domain.value import Value


class Line(Value, frozen=True, kw_only=True):
    """One logical line: as many physical ones as its backslashes join."""

    number: int
    """Of its first physical line, counted from 1."""
    start: int
    end: int
    """Offset behind its line end, if it has one."""
    text: str
    """Without line end; physical lines as they are, joined by what stands between them."""

    @property
    def bare(self) -> str:
        return self.text.strip()


class Change(Value, frozen=True, kw_only=True):
    start: int
    end: int
    new: str = ""


def lines(text: str, *, joins: bool = False) -> list[Line]:
    r"""Return the lines, ended by \\n only; `joins`: a backslash at the end takes the next one in."""
    found: list[Line] = []
    start = end = 0
    number = first = 1
    while end < len(text):
        stop = text.find("\n", end)
        after = len(text) if stop < 0 else stop + 1
        is_comment = text[start:after].lstrip()[:1] in {"#", ";"}
        body = text[end:after].rstrip("\r\n")
        end = after
        number += 1
        if joins and not is_comment and body.endswith("\\") and end < len(text):
            continue
        found.append(Line(number=first, start=start, end=end, text=text[start:end].rstrip("\r\n")))
        start, first = end, number
    return found


def changed(text: str, changes: list[Change]) -> str:
    """Return the text with all these changes, which do not overlap; one that is named twice is made once."""
    for each in sorted(set_of(changes), key=lambda change: (change.start, change.end), reverse=True):
        text = text[: each.start] + each.new + text[each.end :]
    return text


def set_of(changes: list[Change]) -> list[Change]:
    """Return each change once."""
    once: list[Change] = []
    for each in changes:
        if each not in once:
            once.append(each)
    return once


def places(text: str, ip: str) -> list[int]:
    """Return the offsets at which this address stands, not as part of a longer one."""
    return [each.start() for each in re.finditer(rf"(?<![\w.]){re.escape(ip)}(?![\w]|\.\d)", text)]


def replaced_in(line: Line, start: int, end: int, old: str, new: str) -> Change:
    """Return the change that puts one address for another between two offsets of the whole text.

    Raises Unclear where it does not stand there exactly once.
    """
    part = line.text[start - line.start : end - line.start]
    found = places(part, old)
    if len(found) != 1:
        raise Unclear(line.number, line.bare)
    at = start + found[0]
    return Change(start=at, end=at + len(old), new=new)


def ending(text: str) -> str:
    """Return the line end that this text uses."""
    return "\r\n" if "\r\n" in text else "\n"
