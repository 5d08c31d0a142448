"""Files of sections and `key=value` lines: systemd's (systemd.syntax(7)) and GLib's key files."""

from __future__ import annotations

from beistand.domain.network_file import Doubt
from beistand.domain.network_file_text import Line, doubt
from beistand.domain.value import Value


class Entry(Value, frozen=True, kw_only=True):
    line: Line
    key: str
    value: str
    value_start: int
    value_end: int


class Section(Value, frozen=True, kw_only=True):
    name: str
    """Empty below a heading that is none."""
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


def sections(found: list[Line], *, comments: str) -> tuple[Section, ...]:
    """Return the sections in their order.

    What stands before the first heading, and lines without `=`, are passed over, as systemd does; GLib refuses a
    file with such lines, but somebody may mend it.
    """
    made: list[tuple[str, Line, list[Entry]]] = []
    for line in found:
        bare = _bare(line.text)
        if not bare or bare[0] in comments:
            continue
        if bare[0] == "[":
            made.append((bare[1:-1] if bare.endswith("]") else "", line, []))
        elif made and (entry := _entry(line)):
            made[-1][2].append(entry)
    return tuple(Section(name=name, line=line, entries=tuple(entries)) for name, line, entries in made)


def of_name(found: tuple[Section, ...], *names: str) -> tuple[Section, ...]:
    return tuple(each for each in found if each.name in names)


def headless(found: tuple[Section, ...], interface: str) -> tuple[Doubt, ...]:
    """Return the doubts about what stands below a heading that is none."""
    return tuple(
        doubt(entry.line, interface, section.line.text)
        for section in found
        if not section.name
        for entry in section.entries
    )


def _entry(line: Line) -> Entry | None:
    key, equals, value = line.text.partition("=")
    if not equals:
        return None
    bare = value.strip()
    first = len(key) + 1 + len(value) - len(value.lstrip()) if bare else len(key) + 1
    start = line.at(first)
    return Entry(
        line=line,
        key=_bare(key),
        value=bare,
        value_start=start,
        value_end=line.at(first + len(bare) - 1) + 1 if bare else start,
    )


def _bare(said: str) -> str:
    # systemd passes over the first byte order mark, on whatever line it stands.
    return said.strip().removeprefix("\ufeff").strip()
