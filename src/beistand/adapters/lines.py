"""Lines to the outside, as the telephone system's own files name them (port `LineFiles`)."""

import re
from collections.abc import Iterator
from glob import glob
from pathlib import Path

from beistand.domain.profile import Lines, Profile

LARGEST_FILE = 4 << 20
MOST_LINES = 200
_SECTION = re.compile(r"\s*\[([^\]]+)\](?:\(([^)]*)\))?")
_SETTING = re.compile(r"\s*([A-Za-z_]+)\s*=>?\s*(.*)")
_WHERE = ("server_uri", "match", "client_uri")
"""What says where a line leads, the best first."""
_PASSWORD = re.compile(r":[^:@]*(?::[^@]*)?@")


class ConfiguredLines:
    def list(self, profile: Profile) -> tuple[str, ...]:
        if profile.lines is None:
            return ()
        found: list[str] = []
        for file in sorted({each for pattern in profile.lines.files for each in glob(pattern)}):
            found += _lines_of(_text(file), profile.lines)
        return tuple(dict.fromkeys(found))[:MOST_LINES]


def _text(file: str) -> str:
    try:
        path = Path(file)
        return path.read_text(errors="replace") if path.stat().st_size <= LARGEST_FILE else ""
    except OSError:
        return ""  # what cannot be read must never stop a takeover


def _lines_of(text: str, lines: Lines) -> Iterator[str]:
    """Yield `name (where)`; a section takes over from its templates what it does not say itself."""
    known: dict[str, dict[str, str]] = {}
    for name, templates, settings in _sections(text):
        inherited = {key: value for each in templates for key, value in known.get(each, {}).items()}
        merged = {**inherited, **settings}
        known[name] = merged
        if merged.get("type") in lines.types and "!" not in templates:
            yield _named(name, merged)
        for key in lines.register_keys:
            yield from (_PASSWORD.sub("@", each) for each in settings.get(key, "").split("\n") if each)


def _sections(text: str) -> Iterator[tuple[str, tuple[str, ...], dict[str, str]]]:
    name, templates, settings = "", (), {}  # type: tuple[str, tuple[str, ...], dict[str, str]]
    for line in text.splitlines():
        bare = re.split(r"(?<!\\);", line, maxsplit=1)[0]
        if match := _SECTION.match(bare):
            if name:
                yield name, templates, settings
            name, settings = match[1].strip(), {}
            templates = tuple(each.strip() for each in (match[2] or "").split(",") if each.strip())
        elif match := _SETTING.match(bare):
            key, value = match[1].lower(), match[2].strip()
            # `register` may stand several times in one section.
            settings[key] = f"{settings[key]}\n{value}" if key == "register" and key in settings else value
    if name:
        yield name, templates, settings


def _named(name: str, settings: dict[str, str]) -> str:
    where = next((settings[each] for each in _WHERE if settings.get(each)), "")
    return f"{name} ({where})" if where else name
