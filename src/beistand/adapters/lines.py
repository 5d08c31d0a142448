"""Lines to the outside, as the telephone system's own files name them (port `LineFiles`), as a reader finds them."""

import os
import time
from glob import has_magic, iglob

from beistand.adapters.folders import Folders, trusted_folders
from beistand.adapters.kept_answer import KeptAnswer, state_of
from beistand.adapters.opening import matching, open_regular
from beistand.adapters.readers import SHARED, Readers
from beistand.domain.errors import Failed
from beistand.domain.profile import Lines, Profile
from beistand.reader.asking import MOST_FILES, ReadLines
from beistand.reader.asking import Lines as Found

MOST_LINES = 200


class ConfiguredLines:
    def __init__(self, readers: Readers = SHARED) -> None:
        self._readers = readers
        self._known: dict[Lines, KeptAnswer[tuple[str, ...]]] = {}

    def list(self, profile: Profile) -> tuple[str, ...]:
        """Return what is known, read anew where that takes no time: a list for people must stop no takeover."""
        lines = profile.lines
        if lines is None:
            return ()
        names = _matching(lines, Folders(trusted_folders(profile)))
        kept = self._known.get(lines)
        if kept is None:
            kept = self._known[lines] = KeptAnswer(lambda: self._read(profile, lines), ())
        return kept.get(state_of(names))

    def _read(self, profile: Profile, lines: Lines) -> tuple[str, ...]:
        folders, found = Folders(trusted_folders(profile)), list[str]()
        ask = ReadLines(types=lines.types, register_keys=lines.register_keys)
        end = time.monotonic() + self._readers.patience
        for name in _matching(lines, folders):
            try:
                with self._readers.telling(name):
                    found += self._lines_of(folders, name, ask, max(0.0, end - time.monotonic()))
            except Failed:
                continue  # the lines of the other files are lines all the same
        return tuple(dict.fromkeys(found))[:MOST_LINES]

    def _lines_of(self, folders: Folders, name: str, ask: ReadLines, seconds: float) -> tuple[str, ...]:
        try:
            file = open_regular(folders, name)
        except FileNotFoundError:
            return ()
        try:
            return self._readers.ask(ask, Found, name, {name: file}, seconds=seconds).lines
        finally:
            os.close(file)


def _matching(lines: Lines, folders: Folders) -> list[str]:
    found: set[str] = set()
    for pattern in lines.files:
        # Folders as a pattern, too, are named by an administrator's own profile.
        above, name = os.path.split(pattern)
        for each in iglob(above) if has_magic(above) else (above,):
            found.update(matching(folders, f"{each}/{name}"))
    return sorted(found)[:MOST_FILES]
