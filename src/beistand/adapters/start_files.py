"""What root reads when a PBX starts, from a file that its account may write: as a reader finds it."""

import os

from beistand.adapters.folders import Folders
from beistand.adapters.kept_answer import KeptAnswer, state_of
from beistand.adapters.opening import open_regular
from beistand.adapters.readers import SHARED, Readers
from beistand.reader.asking import Lines, ReadStartOptions


class StartFiles:
    def __init__(self, readers: Readers = SHARED) -> None:
        self._readers = readers
        self._known: dict[str, KeptAnswer[tuple[str, ...]]] = {}

    def options(self, path: str) -> tuple[str, ...]:
        """Return its lines as `domain/start_options` reads them; what cannot be read has none, and that is told."""
        kept = self._known.get(path)
        if kept is None:
            kept = self._known[path] = KeptAnswer(lambda: self._read(path), ())
        return kept.get(state_of([path]))

    def _read(self, path: str) -> tuple[str, ...]:
        with self._readers.telling(path):
            try:
                file = open_regular(Folders((os.path.dirname(path),)), path)
            except FileNotFoundError:
                return ()
            try:
                return self._readers.ask(ReadStartOptions(), Lines, path, {path: file}).lines
            finally:
                os.close(file)
