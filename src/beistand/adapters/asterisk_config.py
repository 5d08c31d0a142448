"""Reads the configuration files of Asterisk as far as a user directory needs it; whatever they hold, it never raises
for their content.

Comments (`;`, `;-- … --;`), `#include` and `#tryinclude` below the folder of the first file, templates and
sections that are continued (`[a](!)`, `[a](b)`, `[a](+)`), as the manual of Asterisk describes them.
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LARGEST_FILE = 4 * 1024 * 1024
MOST_FILES = 200
DEEPEST = 10
_SECTION = re.compile(r"\[(?P<name>[^\]]+)\]\s*(?:\((?P<how>[^)]*)\))?")
_INCLUDE = re.compile(r"#(?:try)?include\s+[\"<]?(?P<path>[^\">]+?)[\">]?\s*$")
_ENTRY = re.compile(r"(?P<key>[^=]+?)\s*=>?\s*(?P<value>.*)")


@dataclass(kw_only=True)
class Section:
    name: str
    is_template: bool = False
    entries: list[tuple[str, str]] = field(default_factory=list)


def read_sections(path: Path) -> tuple[Section, ...]:
    """Return the sections in their order. Raises OSError where the first file cannot be read."""
    sections: dict[str, Section] = {}
    current: Section | None = None
    for line in _Lines(path.parent.resolve()).of(path):
        if begins := _SECTION.match(line):
            current = _opened(sections, begins["name"].strip(), begins["how"] or "")
        elif current is not None and (entry := _ENTRY.fullmatch(line)):
            current.entries.append((entry["key"], entry["value"].strip()))
    return tuple(sections.values())


def _opened(sections: dict[str, Section], name: str, how: str) -> Section:
    options = [each.strip() for each in how.split(",") if each.strip()]
    section = sections.setdefault(name, Section(name=name))
    section.is_template = section.is_template or "!" in options
    for each in options:
        if each in sections and each != name:
            section.entries += sections[each].entries
    return section


class _Lines:
    """The lines of a file and of those that it includes, without comments."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._in_comment = False

    def of(self, path: Path, depth: int = 0) -> Iterator[str]:
        self._count += 1
        for raw in _text(path).splitlines():
            line = self._without_comment(raw).strip()
            if included := _INCLUDE.match(line):
                yield from self._included(included["path"].strip(), depth)
            elif line and not line.startswith("#"):
                yield line

    def _included(self, name: str, depth: int) -> Iterator[str]:
        if depth >= DEEPEST or name.startswith("~"):
            return
        folder, pattern = os.path.split(os.path.join(self._folder, name))
        try:
            # Only the last part may be a pattern, as people use it: `voicemail.d/*.conf`.
            found = sorted(Path(folder).glob(pattern)) if pattern else []
        except (OSError, ValueError, NotImplementedError):
            return
        for each in found:
            if self._count >= MOST_FILES or not self._is_inside(each):
                continue
            try:
                yield from self.of(each, depth + 1)
            except OSError:
                continue  # as Asterisk would tell; the other users are still users

    def _is_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self._folder)

    def _without_comment(self, line: str) -> str:
        kept = ""
        while line:
            if self._in_comment:
                _, end, line = line.partition("--;")
                self._in_comment = not end
                continue
            at = line.find(";")
            if at < 0:
                return kept + line
            if at and line[at - 1] == "\\":
                kept, line = kept + line[: at - 1] + ";", line[at + 1 :]
                continue
            kept, line = kept + line[:at], line[at:]
            # `;---` is an ordinary line that somebody drew.
            if not line.startswith(";--") or line.startswith(";---"):
                return kept
            self._in_comment, line = True, line[3:]
        return kept


def _text(path: Path) -> str:
    """Return a regular file's text, in whichever encoding it was written. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file")
        raw = file.read(LARGEST_FILE)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")
