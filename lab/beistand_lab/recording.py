"""Follow a process as `beistand_lab.tracer` does, and write down all that a power cut would need to know.

Prints `did JSON` after each call that changed something: thread, name, paths, flags, which bytes of a file, and
what was replaced: so that what was not synced yet can be taken back afterwards.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

from beistand_lab.system_calls import in_words, seen
from beistand_lab.tracer import Tracer, arguments, say

_LARGEST = 1 << 20
"""Bytes of a replaced file that are kept; what is replaced in an operation is small."""
_HIGHEST = 1 << 63
"""From here on a result is a number below 0: the call failed."""
_NAMES = ("rename", "renameat", "renameat2", "open", "openat", "creat")
_REMOVES = ("unlink", "unlinkat", "rmdir")


class Recording(Tracer):
    """Writes down every call that changed something."""

    def __init__(self, pid: int, given: argparse.Namespace) -> None:
        super().__init__(pid, given)
        self._under_way: dict[int, dict[str, Any]] = {}

    def enters(self, thread: int, number: int, arguments: tuple[int, ...]) -> bool:
        call = seen(thread, number, arguments)
        stays = super().enters(thread, number, arguments)
        if call is not None and not stays:
            known: dict[str, Any] = {"thread": thread, "name": call.name, "paths": call.paths}
            known["flags"] = [name for name in ("O_CREAT", "O_TRUNC") if call.flags & getattr(os, name)]
            known["extent"] = [arguments[3], arguments[2]] if call.name == "pwrite64" else []
            known["replaced"] = self._before(call.name, call.paths[-1] if call.paths else "")
            known["words"] = in_words(call)
            self._under_way[thread] = known
        return stays

    def leaves(self, thread: int) -> None:
        known = self._under_way.pop(thread, None)
        if known is not None and self.at(thread)[1] < _HIGHEST:
            say(f"did {json.dumps(known)}")

    def _before(self, name: str, path: str) -> dict[str, Any] | None:
        """Return what stands there and is replaced or removed, None for what cannot be put back."""
        if name in _NAMES:
            return self._replaced(path)
        found = self._replaced(path) if name in _REMOVES else None
        return found if found is not None and (found["is_folder"] or found["is_whole"]) else None

    def _replaced(self, path: str) -> dict[str, Any] | None:
        file = Path(f"/proc/{self.pid}/root{path}")
        try:
            found = file.lstat()
            is_small = file.is_file() and found.st_size <= _LARGEST
            body = file.read_bytes() if is_small else b""
        except OSError:
            return None
        return {
            "is_folder": stat.S_ISDIR(found.st_mode),
            "is_whole": stat.S_ISREG(found.st_mode) and is_small,
            "body": base64.b64encode(body).decode(),
            "mode": found.st_mode & 0o7777,
            "owner": [found.st_uid, found.st_gid],
            "times": [found.st_atime_ns, found.st_mtime_ns],
        }


if __name__ == "__main__":
    given = arguments()
    Recording(given.pid, given).run()
