"""Manifests on disk, by digest (port `Manifests`)."""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from beistand.adapters.durable_stream import DurableStream, told_as_failure
from beistand.ports.places import Places

_DIGEST = re.compile(r"[0-9a-f]{64}")
OUTGOING = "current.jsonl"
"""The name that the receiving side looks for in its inbox."""


class ManifestDraft:
    def __init__(self, stream: DurableStream, folder: Path) -> None:
        self._stream = stream
        self._folder = folder
        self._digest = hashlib.sha256()

    def add(self, lines: bytes) -> None:
        self._stream.write(lines)
        self._digest.update(lines)

    def keep(self) -> str:
        digest = self._digest.hexdigest()
        path = self._folder / f"{digest}.jsonl"
        if not path.exists():  # what has a name was on disk before it had it
            self._stream.keep(path)
        return digest


class ManifestFolder:
    def __init__(self, places: Places) -> None:
        self._folder = places.manifests
        self._outgoing = places.state / "outgoing"

    @contextmanager
    def draft(self) -> Iterator[ManifestDraft]:
        with DurableStream(self._folder / ".draft") as stream:
            yield ManifestDraft(stream, self._folder)

    def has(self, digest: str) -> bool:
        return _DIGEST.fullmatch(digest) is not None and self.path(digest).exists()

    def path(self, digest: str) -> Path:
        return self._folder / f"{digest}.jsonl"

    def lines(self, digest: str) -> Iterator[bytes]:
        if digest:
            with self.path(digest).open("rb") as file:
                yield from file

    def outgoing(self, lines: Iterable[bytes]) -> Path:
        with DurableStream(self._outgoing / ".draft", mode=0o600) as stream:
            for line in lines:
                stream.write(line)
            stream.keep(self._outgoing / OUTGOING)
        return self._outgoing / OUTGOING

    def prune(self, keep: Collection[str]) -> None:
        with told_as_failure(self._folder):
            for path in self._folder.glob("*.jsonl"):
                if path.stem not in keep:
                    path.unlink(missing_ok=True)
