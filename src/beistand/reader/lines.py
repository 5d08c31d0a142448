"""Lines to the outside, as the files of Asterisk name them; each step costs what it reads, once."""

import os
from collections.abc import Iterator, Sequence

from beistand.reader.asking import Lines, ReadLines

LARGEST_FILE = 4 << 20
LONGEST_LINE = 8192
"""Asterisk reads no longer one (main/config.c). What is longer is left out: a part of it might end in a password."""
MOST_SETTINGS = 100_000
"""Sections and settings of all files; what stands behind is left out."""
MOST_LINES = 200
MOST_TEMPLATES = 64
LONGEST_SHOWN = 300
_WHERE = ("server_uri", "match", "client_uri")
"""What says where a line leads, the best first."""

Settings = dict[str, list[str]]


def read(ask: ReadLines, files: Sequence[int]) -> Lines:
    found: dict[str, None] = {}
    budget = [MOST_SETTINGS]
    for file in files:
        raw = os.pread(file, LARGEST_FILE + 1, 0)
        text = raw.decode("utf-8", "replace") if len(raw) <= LARGEST_FILE else ""
        for each in _lines_of(text, ask, budget):
            found[each[:LONGEST_SHOWN]] = None
            if len(found) >= MOST_LINES:
                return Lines(lines=tuple(found))
    return Lines(lines=tuple(found))


def _lines_of(text: str, ask: ReadLines, budget: list[int]) -> Iterator[str]:
    """Yield `name (where)`; a section takes over from its templates what it does not say itself."""
    # Nothing else is kept of a section: what is taken over stays small, however long the row of templates is.
    wanted = {"type", *_WHERE, *ask.register_keys}
    known: dict[str, Settings] = {}
    for name, templates, settings in _sections(text, wanted, budget):
        inherited = {key: value for each in templates for key, value in known.get(each, {}).items()}
        merged = {**inherited, **settings}
        known[name] = merged
        if _last(merged, "type") in ask.types and "!" not in templates:
            yield _named(name, merged)
        for key in ask.register_keys:
            yield from (_without_password(each) for each in settings.get(key, ()) if each)


def _sections(
    text: str, wanted: set[str], budget: list[int]
) -> Iterator[tuple[str, tuple[str, ...], Settings]]:
    name = ""
    templates: tuple[str, ...] = ()
    settings: Settings = {}
    for line in filter(None, text.replace("\r", "\n").split("\n")):
        if len(line) > LONGEST_LINE:
            continue
        bare = _without_comment(line).strip()
        if begins := _section(bare):
            if name:
                yield name, templates, settings
            (name, templates), settings = begins, {}
        elif entry := _setting(bare, wanted):
            key, value = entry
            # `register` may stand several times in one section.
            settings.setdefault(key, []).append(value)
        budget[0] -= 1
        if budget[0] < 0:
            break
    if name:
        yield name, templates, settings


def _without_comment(line: str) -> str:
    at = line.replace("\\;", "\\,").find(";")  # an escaped one begins no comment
    return line if at < 0 else line[:at]


def _section(line: str) -> tuple[str, tuple[str, ...]] | None:
    end = line.find("]")
    if not line.startswith("[") or end < 2:
        return None
    close = line.find(")", end)
    how = line[end + 2 : close] if line.startswith("(", end + 1) and close > 0 else ""
    names = (each.strip() for each in how.split(",", MOST_TEMPLATES)[:MOST_TEMPLATES])
    return line[1:end].strip(), tuple(each for each in names if each)


def _setting(line: str, wanted: set[str]) -> tuple[str, str] | None:
    key, sign, value = line.partition("=")
    key = key.rstrip().lower()
    return (key, value.removeprefix(">").strip()) if sign and key in wanted else None


def _last(settings: Settings, key: str) -> str:
    return settings[key][-1] if settings.get(key) else ""


def _named(name: str, settings: Settings) -> str:
    where = next((found for each in _WHERE if (found := _last(settings, each))), "")
    # `sip:user:password@host`: a URI may hold one, too.
    scheme, colon, rest = where.partition(":")
    where = scheme + colon + _without_password(rest) if "@" in rest else where
    return f"{name} ({where})" if where else name


def _without_password(line: str) -> str:
    """Return `user@host` of `user:password:more@host`; a password may hold an @, a host none."""
    transport, sign, rest = line.partition("://")
    begin, line = (transport + sign, rest) if sign and transport.isalpha() else ("", line)
    user, _, rest = line.partition(":")
    _, at, host = rest.rpartition("@")
    if at:
        return f"{begin}{user}@{host}"
    return begin + (line if "@" in user else user)  # a port; or no host at all, and perhaps a password
