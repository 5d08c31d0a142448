"""Reads the configuration files of Asterisk as far as a user directory needs it; whatever they hold, it never raises
for their content but Refusal `reading-too-much`, and each step costs what it reads, once.

Comments (`;`, `;-- … --;`), `#include` and `#tryinclude`, templates and sections that are continued (`[a](!)`,
`[a](b)`, `[a](+)`), as the manual of Asterisk describes them.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from beistand.reader.asking import MOST_INCLUDES
from beistand.reader.refusal import Refusal

LARGEST_FILE = 4 << 20
MOST_BYTES = 8 << 20
"""Of all files together, one that is included twice counted twice."""
LONGEST_LINE = 8192
"""Asterisk reads no longer one (main/config.c); what stands behind is left out."""
MOST_LINES = 100_000
MOST_ENTRIES = 200_000
"""Looked at in all sections, those of templates each time that they are taken over."""
MOST_TEMPLATES = 64
DEEPEST = 10
_ESCAPED = "\ue000"
"""Stands for a semicolon that begins no comment, while comments are looked for; of no meaning elsewhere."""
_DEFINED = bytes(ord("?") if each in b"\x81\x8d\x8f\x90\x9d" else each for each in range(256))
"""What Windows-1252 gives no sign for; millions of such bytes would be as many errors."""


@dataclass(kw_only=True)
class Section:
    name: str
    is_template: bool = False
    parts: "list[Part]" = field(default_factory=list)
    """Entries; and in place of those of a template the template, with how many parts it had then.

    By reference: two sections that take over from each other twenty times would double twenty times as copies.
    """

    def add(self, key: str, value: str) -> None:
        self.parts.append((key, value))

    def take_over(self, template: "Section") -> None:
        self.parts.append((template, len(template.parts)))

    def entries(self, budget: "Budget") -> Iterator[tuple[str, str]]:
        """Yield keys and values in their order. Raises Refusal `reading-too-much`."""
        pending: list[Iterator[Part]] = [iter(self.parts)]
        while pending:
            part = next(pending[-1], None)
            budget.spend()
            if part is None:
                pending.pop()
            elif isinstance(part[0], Section):
                pending.append(islice(part[0].parts, int(part[1])))
            else:
                yield part[0], str(part[1])


Part = tuple[str, str] | tuple[Section, int]


class Budget:
    """How much more may be looked at."""

    def __init__(self, left: int = MOST_ENTRIES) -> None:
        self._left = left

    def spend(self, count: int = 1) -> None:
        self._left -= count
        if self._left < 0:
            raise Refusal("reading-too-much")


class Reading:
    """One reading of a file, and of those that it includes."""

    def __init__(self, files: Sequence[int], includes: Mapping[str, Sequence[int]]) -> None:
        """`includes`: the places in `files` of what a name stands for; the first file is the one that is read."""
        self._files = files
        self._includes = includes
        self._in_comment = False
        self._bytes, self._lines = Budget(MOST_BYTES), Budget(MOST_LINES)
        self.missing: dict[str, None] = {}
        """Names in includes that nobody looked for yet."""

    def sections(self) -> tuple[Section, ...]:
        """Return the sections in their order. Raises OSError, Refusal."""
        sections: dict[str, Section] = {}
        current: Section | None = None
        for line in self._lines_of(0, 0):
            if begins := _section(line):
                current = _opened(sections, *begins)
            elif current is not None and (entry := _entry(line)):
                current.add(*entry)
        return tuple(sections.values())

    def _lines_of(self, file: int, depth: int) -> Iterator[str]:
        raw = os.pread(self._files[file], LARGEST_FILE, 0)
        self._bytes.spend(len(raw))
        # Blank lines, of which there may be millions, cost nothing here.
        for each in filter(None, _text(raw).replace("\r", "\n").split("\n")):
            self._lines.spend()
            line = self._without_comment(each[:LONGEST_LINE]).strip()
            if (included := _include(line)) is not None:
                yield from self._included(included, depth)
            elif line and not line.startswith("#"):
                yield line

    def _included(self, name: str, depth: int) -> Iterator[str]:
        if depth >= DEEPEST or name.startswith("~"):
            return
        if name in self._includes:
            for file in self._includes[name]:
                yield from self._lines_of(file, depth + 1)
        else:
            self.missing[name] = None
            if len(self._includes) + len(self.missing) > MOST_INCLUDES:
                raise Refusal("reading-too-much")

    def _without_comment(self, line: str) -> str:
        line = line.replace("\\;", _ESCAPED)
        kept: list[str] = []
        begin, end = 0, len(line)
        while begin < end:
            if self._in_comment:
                close = line.find("--;", begin)
                self._in_comment = close < 0
                begin = end if close < 0 else close + 3
                continue
            at = line.find(";", begin)
            if at < 0:
                kept.append(line[begin:])
                break
            kept.append(line[begin:at])
            # `;---` is an ordinary line that somebody drew.
            if not line.startswith(";--", at) or line.startswith(";---", at):
                break
            self._in_comment, begin = True, at + 3
        return "".join(kept).replace(_ESCAPED, ";")


def _opened(sections: dict[str, Section], name: str, how: str) -> Section:
    options = [each.strip() for each in how.split(",", MOST_TEMPLATES)[:MOST_TEMPLATES] if each.strip()]
    section = sections.setdefault(name, Section(name=name))
    section.is_template = section.is_template or "!" in options
    for each in options:
        if each in sections and each != name:
            section.take_over(sections[each])
    return section


def _section(line: str) -> tuple[str, str] | None:
    """Return name and what stands in brackets behind it: `[NAME](HOW)`."""
    end = line.find("]")
    if not line.startswith("[") or end < 2:
        return None
    rest = line[end + 1 :].lstrip()
    close = rest.find(")")
    return line[1:end].strip(), rest[1:close] if rest.startswith("(") and close > 0 else ""


def _entry(line: str) -> tuple[str, str] | None:
    """Return key and value of `KEY = VALUE` or `KEY => VALUE`."""
    key, sign, value = line.partition("=")
    if not sign or not key:
        return None
    return key.rstrip(), value.removeprefix(">").strip()


def _include(line: str) -> str | None:
    """Return what `#include NAME` names, with or without quotes."""
    word, _, rest = line.partition("include")
    if word not in ("#", "#try") or not rest[:1].isspace():
        return None
    name = rest.strip()
    name = name[1:] if name.startswith(('"', "<")) else name
    name = (name[:-1] if name.endswith(('"', ">")) else name).strip()
    return None if not name or '"' in name or ">" in name else name


def _text(raw: bytes) -> str:
    """Return a text in whichever encoding it was written."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.translate(_DEFINED).decode("cp1252")
