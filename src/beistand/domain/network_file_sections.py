"""Files of sections and `key=value` lines: systemd's (systemd.syntax(7)) and GLib's key files."""

from __future__ import annotations

from beistand.domain.network_file import Unclear
from beistand.domain.network_file_text import Line, lines
from beistand.domain.value import Value


class Entry(Value, frozen=True, kw_only=True):
    line: Line
    key: str
    value: str
    value_start: int
    value_end: int


class Section(Value, frozen=True, kw_only=True):
    name: str
    line: Line
    entries: tuple[Entry, ...]

    @property
    def end(self) -> int:
        """Offset behind its last entry, or behind its heading: comments after that may speak of what follows."""
        return self.entries[-1].line.end if self.entries else self.line.end

    def values(self, key: str) -> tuple[str, ...]:
        return tuple(each.value for each in self.entries if each.key == key)

    def value(self, key: str) -> str:
        """Return the last value of this key, which is the one that counts; empty without one."""
        return next(reversed(self.values(key)), "")


def sections(text: str, *, comments: str, joins: bool) -> tuple[Section, ...]:
    """Return the sections in their order. Raises Unclear for a heading that is none.

    What stands before the first heading, and lines without `=`, are passed over, as their readers do.
    """
    found: list[tuple[str, Line, list[Entry]]] = []
    for line in lines(text, joins=joins):
        bare = line.bare
        if not bare or bare[0] in comments:
            continue
        if bare[0] == "[":
            if not bare.endswith("]"):
                raise Unclear(line.number, bare)
            found.append((bare[1:-1], line, []))
        elif found and (entry := _entry(line)):
            found[-1][2].append(entry)
    return tuple(Section(name=name, line=line, entries=tuple(entries)) for name, line, entries in found)


def of_name(found: tuple[Section, ...], *names: str) -> tuple[Section, ...]:
    return tuple(each for each in found if each.name in names)


def _entry(line: Line) -> Entry | None:
    key, equals, value = line.text.partition("=")
    if not equals:
        return None
    start = line.start + len(key) + 1 + len(value) - len(value.lstrip())
    return Entry(
        line=line,
        key=key.strip(),
        value=value.strip(),
        value_start=start,
        value_end=max(start, line.start + len(line.text.rstrip())),
    )
