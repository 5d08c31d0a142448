"""The module's own log (S8): JSON lines in two files of bounded size. It never disturbs who writes."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from threading import Lock

import msgspec

from beistand.domain.message import Message
from beistand.domain.value import Value

FILE = "module.log"
LARGEST = 2 << 20
"""Bytes of each of the two files."""
LONGEST_LINE = 8192


class KeptLine(Value, frozen=True, kw_only=True):
    at: datetime
    level: str
    code: str
    fields: dict[str, str | int | float | bool] = {}


class ModuleLog:
    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        """`folder` is /var/log/beistand; made 0750 when it is missing."""
        self._folder, self._file, self._largest = folder, folder / FILE, largest
        self._lock = Lock()
        self._is_failing = False

    def keep(self, level: str, message: Message) -> None:
        """Append one line. A disk that takes none is told to the journal once, until it takes one again."""
        line = KeptLine(at=datetime.now(UTC), level=level, code=message.code, fields=message.fields)
        body = msgspec.json.encode(line) + b"\n"
        if len(body) > LONGEST_LINE:
            body = msgspec.json.encode(msgspec.structs.replace(line, fields={})) + b"\n"
        with self._lock:
            try:
                self._append(body)
            except OSError as error:
                if not self._is_failing:
                    why = str(error.strerror).replace('"', "'")
                    sys.stderr.write(f'<4>module-log-not-written path={self._file} why="{why}"\n')
                    sys.stderr.flush()
                self._is_failing = True
            else:
                self._is_failing = False

    def lines(self) -> Iterator[tuple[str, KeptLine]]:
        """Yield what was kept with its place, newest first; a line that a power cut broke is left out.

        A place names its line as long as that is kept, and never another one.
        """
        for body in self._bodies():
            # The first line of a file, with its moment, is what tells it from every other, also once it is the older.
            name = blake2b(body.partition(b"\n")[0], digest_size=8).hexdigest()
            begin = len(body) + 1
            for line in reversed(body.split(b"\n")):
                begin -= len(line) + 1
                try:
                    yield f"{name}-{begin}", msgspec.json.decode(line, type=KeptLine)
                except msgspec.MsgspecError:
                    continue

    def _bodies(self) -> list[bytes]:
        """Read both files at one moment: one that becomes the older in between would be read twice."""
        bodies = []
        with self._lock:
            for file in (self._file, self._older):
                with suppress(OSError):
                    bodies.append(file.read_bytes())
        return bodies

    @property
    def _older(self) -> Path:
        return self._file.with_name(f"{FILE}.1")

    def _append(self, body: bytes) -> None:
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        file = os.open(self._file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        try:
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":
                body = b"\n" + body  # a power cut broke the line before
            if size + len(body) <= self._largest:
                # One write: a line stands there whole or, on a full disk, is cut and left out by the reader.
                if os.write(file, body) != len(body):
                    os.ftruncate(file, size)
                    raise OSError(28, "No space left on device")
                return
        finally:
            os.close(file)
        self._file.rename(self._older)
        self._append(body)
