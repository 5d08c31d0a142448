"""The stanzas of /etc/network/interfaces, as ifupdown, ifupdown-ng and ifupdown2 take them together.

Each reads the file a little otherwise. What any of them takes is read here: an address too many is told once more
than needed, one too few is an address that nobody knows of.
"""

from __future__ import annotations

import re

from beistand.domain.network_file_text import Line, lines
from beistand.domain.value import Value

_OPENING = {"iface", "interface", "template"}
"""`interface` and `template` are ifupdown-ng's."""
_FAMILIES = {"inet", "inet6", "ipx", "can", "link", "meta"}
_KEY = re.compile(r"address(?=[0-9])|\S+")
"""ifupdown2 puts a blank where a backslash joined two lines, ifupdown nothing."""


class Option(Value, frozen=True, kw_only=True):
    line: Line
    key: str
    value: str
    """Without what surrounds it; a comment behind it is part of it."""
    offset: int
    """Of the value in the text of its line."""

    @property
    def word(self) -> str:
        """The first word: what ifupdown takes of an address with a comment behind it."""
        return next(iter(self.value.split(None, 1)), "")

    def at(self, offset: int) -> int:
        """Return where in the whole text this character of the value stands."""
        return self.line.at(self.offset + offset)


class Stanza(Value, frozen=True, kw_only=True):
    """One `iface`: several of one name add up."""

    name: str
    """Empty for lines that belong to none."""
    family: str
    method: str
    """Empty where it says none."""
    parent: str
    """Behind `inherits`."""
    line: Line
    options: tuple[Option, ...]
    is_real: bool = True
    """False for lines that stand below no `iface`."""

    @property
    def end(self) -> int:
        return self.options[-1].line.end if self.options else self.line.end

    @property
    def is_ipv4(self) -> bool:
        return self.is_real and self.family != "inet6"

    @property
    def base(self) -> str:
        """The interface behind an alias: `eth0` of `eth0:0`; `*` where it is not known."""
        return self.name.partition(":")[0] or "*"

    def values(self, key: str) -> tuple[Option, ...]:
        return tuple(each for each in self.options if each.key == key)


class Source(Value, frozen=True, kw_only=True):
    """A line that has other files read."""

    is_directory: bool
    said: str
    """The rest of the line."""


class Parsed(Value, frozen=True, kw_only=True):
    stanzas: tuple[Stanza, ...]
    sources: tuple[Source, ...]
    others: tuple[Line, ...]
    """Lines that open something: `auto`, `mapping` and their like, and stanzas."""


def parsed(text: str) -> Parsed:
    """Return what stands in the file; no text is refused."""
    stanzas: list[tuple[Stanza, list[Option]]] = []
    sources, others = [], []
    opened: tuple[Stanza, list[Option]] | None = None
    for line in logical_lines(text):
        bare = line.bare
        if not bare or bare.startswith("#"):
            continue
        words = bare.split()
        if source := _source(words[0], bare):
            sources.append(source)
        elif words[0] in _OPENING:
            stanzas.append(opened := (_opened(words, line), []))
            others.append(line)
            continue
        elif _is_other(words[0]):
            others.append(line)
            # Without a name it speaks of the stanza that it stands in, which goes on.
            if len(words) == 1 and opened:
                continue
            # ifupdown-ng takes what follows for the interface that `auto` names.
            name = words[1] if words[0] == "auto" and len(words) > 1 else ""
            stanzas.append(opened := (_loose(name, line), []))
            continue
        else:
            if opened is None:
                stanzas.append(opened := (_loose("", line), []))
            opened[1].append(_option(line))
            continue
        stanzas.append(opened := (_loose("", line), []))
    return Parsed(
        stanzas=tuple(_with(stanza, options) for stanza, options in stanzas if stanza.is_real or options),
        sources=tuple(sources),
        others=tuple(others),
    )


def logical_lines(text: str) -> list[Line]:
    return lines(text, joins=_joined, comments="#")


def _joined(line: str) -> str | None:
    # A line of C ends at its first zero byte: the backslash behind one joins nothing.
    return line[:-1] if line.endswith("\\") and "\0" not in line else None


def _source(word: str, bare: str) -> Source | None:
    rest = bare[len(word) :].strip()
    if word == "source":
        return Source(is_directory=False, said=rest)
    # ifupdown takes every word with this beginning (config.c).
    return Source(is_directory=True, said=rest) if word.startswith("source-dir") else None


def _is_other(word: str) -> bool:
    return word in {"auto", "mapping", "rename", "no-auto-down", "no-scripts"} or word.startswith("allow-")


def _opened(words: list[str], line: Line) -> Stanza:
    name, *rest = words[1:] or [""]
    parent = ""
    if "inherits" in rest:
        at = rest.index("inherits")
        parent = next(iter(rest[at + 1 : at + 2]), "")
        rest = rest[:at]
    family = rest[0] if rest and rest[0] in _FAMILIES else ""
    method = next(iter(rest[1:2] if family else rest[:1]), "")
    return Stanza(name=name, family=family, method=method, parent=parent, line=line, options=())


def _loose(name: str, line: Line) -> Stanza:
    return Stanza(name=name, family="", method="", parent="", line=line, options=(), is_real=False)


def _with(stanza: Stanza, options: list[Option]) -> Stanza:
    return Stanza(
        name=stanza.name,
        family=stanza.family,
        method=stanza.method,
        parent=stanza.parent,
        line=stanza.line,
        options=tuple(options),
        is_real=stanza.is_real,
    )


def _option(line: Line) -> Option:
    lead = len(line.text) - len(line.text.lstrip())
    match = _KEY.match(line.text, lead)
    key = match[0] if match else ""
    rest = line.text[lead + len(key) :]
    value = rest.strip()
    offset = lead + len(key) + len(rest) - len(rest.lstrip()) if value else lead + len(key)
    return Option(line=line, key=key.replace("_", "-"), value=value, offset=offset)
