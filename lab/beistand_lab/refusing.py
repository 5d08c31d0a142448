"""A process whose disk refuses: one call of it gets an error, or all calls of its kind from one on.

`python -m beistand_lab.refusing PID CALL NUMBER ERROR [--on] [--go-on]` prints what `beistand_lab.tracer`
does, and `refused CALL` for each call that got the error instead of being made. ERROR is a name of errno(3),
CALL may have `*` in it.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import platform
import sys
from fnmatch import fnmatchcase

from beistand_lab.system_calls import described
from beistand_lab.tracer import Tracer, say

_POKE_USER = 6
# Offsets in struct user of x86-64 (sys/user.h): the number of the call at its entry, its result at its exit.
_NUMBER, _RESULT = 15 * 8, 10 * 8
_NO_CALL = (1 << 64) - 1
ROOM = {
    *("write", "pwrite64", "writev", "pwritev", "fallocate", "copy_file_range", "sendfile"),
    *("mkdir", "mkdirat", "open", "openat", "symlink", "symlinkat", "link", "linkat"),
}
"""Calls that need room on a disk."""
CHANGES = {
    *ROOM,
    *("ftruncate", "truncate", "fsync", "fdatasync", "syncfs", "rename", "renameat", "renameat2", "unlink"),
    *("unlinkat", "rmdir", "fchown", "fchownat", "fchmod", "fchmodat", "utimensat"),
}
"""Calls that a disk which fails may refuse."""
ELSEWHERE = ("/dev/", "/proc/", "/sys/", "/run/", "/tmp/")
"""Not on a disk."""
BY_ERROR = {"ENOSPC": ROOM, "EDQUOT": ROOM, "EIO": CHANGES, "EROFS": CHANGES}


def refusable(call: str, error: str) -> bool:
    """Tell whether a disk can answer this call with this error."""
    name, _, paths = call.partition(" ")
    places = paths.split(" ")
    return name in BY_ERROR[error] and all(
        each.startswith("/") and not each.startswith(ELSEWHERE) and not each.startswith("/memfd:")
        for each in places
    )


class Refusing(Tracer):
    """Lets every call pass but those that are to be refused."""

    def __init__(self, pid: int, given: argparse.Namespace) -> None:
        super().__init__(pid, given)
        self._error: int = getattr(errno, given.error)
        self._met = False
        self._refused: set[int] = set()

    def enters(self, thread: int, number: int, arguments: tuple[int, ...]) -> bool:
        call = described(thread, number, arguments)
        if call and self._is_refused(call):
            self.ask(_POKE_USER, thread, _NUMBER, _NO_CALL)
            self._refused.add(thread)
            say(f"refused {call}")
        return False

    def leaves(self, thread: int) -> None:
        if thread in self._refused:
            self._refused.discard(thread)
            self.ask(_POKE_USER, thread, _RESULT, ctypes.c_ulong(-self._error).value)

    def _is_refused(self, call: str) -> bool:
        is_it = fnmatchcase(call, self._given.call)
        self.seen[self._given.call] += is_it
        goes_on = self._met and self._given.on
        if not self._met and is_it and self.seen[self._given.call] == self._given.number:
            self._met = True
            return True
        return goes_on and refusable(call, self._given.error)


def main() -> None:
    if platform.machine() != "x86_64":
        sys.exit("calls can be refused on x86-64 only")
    parser = argparse.ArgumentParser(prog="beistand_lab.refusing")
    parser.add_argument("pid", type=int)
    parser.add_argument("call")
    parser.add_argument("number", type=int)
    parser.add_argument("error", choices=BY_ERROR)
    parser.add_argument(
        "--on", action="store_true", help="and every other one that a disk can refuse, from there on"
    )
    parser.add_argument("--go-on", action="store_true", help="wake up a process that stopped itself")
    given = parser.parse_args()
    given.kill = given.stop = None
    Refusing(given.pid, given).run()


if __name__ == "__main__":
    main()
