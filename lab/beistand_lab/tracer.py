"""Follow a process from outside by ptrace(2): list its calls, or kill or stop it right before one of them.

`python -m beistand_lab.tracer PID [--kill CALL NUMBER | --stop CALL NUMBER] [--everything] [--go-on]`
prints `following`, then the calls one a line (with neither), then `met CALL` if the point was met, and
`gone` when the process has ended. strace(1) can do nearly the same; but it counts the calls of each
thread for itself, and which thread of the agent writes first is another one in every run.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import struct
import sys
from collections import Counter
from contextlib import suppress

from beistand_lab.system_calls import described

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.ptrace.restype = ctypes.c_long
_LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_SYSCALL, _SEIZE, _INTERRUPT, _LISTEN, _SYSCALL_INFO = 24, 0x4206, 0x4207, 0x4208, 0x420E
_DETACH = 17
_OPTIONS = 0x1 | 0x8  # stops of system calls are marked; new threads (not processes) are followed
_EVENT_STOP = 128
_SYSCALL_STOP = signal.SIGTRAP | 0x80
_ENTRY = 1
_INFO = struct.Struct("=B3xIQQ7Q")
"""struct ptrace_syscall_info: kind, architecture, instruction and stack pointer, number, six arguments."""
_WALL = 0x40000000
_GROUP_STOPS = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


class Tracer:
    """Follows every thread of one process until it has gone."""

    def __init__(self, pid: int, given: argparse.Namespace) -> None:
        self.pid = pid
        self._given = given
        self.seen: Counter[str] = Counter()
        point = given.kill or given.stop
        self._point = (point[0], int(point[1])) if point else None
        self._threads: set[int] = set()
        self._begun: set[int] = set()

    def run(self) -> None:
        self._seize()
        say("following")
        if self._given.go_on:
            os.kill(self.pid, signal.SIGCONT)
        while self._threads:
            try:
                thread, status = os.waitpid(-1, _WALL)
            except ChildProcessError:
                break
            self._threads.add(thread)
            if os.WIFSTOPPED(status):
                self._stopped(thread, status)
            else:
                self._threads.discard(thread)
        say("gone")

    def _seize(self) -> None:
        while new := {int(each) for each in os.listdir(f"/proc/{self.pid}/task")} - self._threads:
            for thread in new:
                if self.ask(_SEIZE, thread, 0, _OPTIONS) == 0:
                    self.ask(_INTERRUPT, thread, 0, 0)
                self._threads.add(thread)

    def _stopped(self, thread: int, status: int) -> None:
        number, event = (status >> 8) & 0xFF, status >> 16
        if number == _SYSCALL_STOP:
            if not self._looked_at(thread):
                self.ask(_SYSCALL, thread, 0, 0)
        elif event == _EVENT_STOP and number in _GROUP_STOPS:
            self.ask(_LISTEN, thread, 0, 0)
        else:
            self.ask(_SYSCALL, thread, 0, 0 if event else number)

    def _looked_at(self, thread: int) -> bool:
        kind, number, arguments = self.at(thread)
        if kind == _ENTRY:
            return self.enters(thread, number, arguments)
        if kind:
            self.leaves(thread)
        return False

    def at(self, thread: int) -> tuple[int, int, tuple[int, ...]]:
        """Where a stopped thread is: 1, number and arguments of a call; or 2 and its result; 0: it has gone."""
        body = ctypes.create_string_buffer(_INFO.size)
        if self.ask(_SYSCALL_INFO, thread, _INFO.size, ctypes.addressof(body)) < 0:
            return 0, 0, ()
        kind, _, _, _, number, *arguments = _INFO.unpack(body.raw)
        return kind, number, tuple(arguments)

    def enters(self, thread: int, number: int, arguments: tuple[int, ...]) -> bool:
        """Act before a call; tell whether the thread is to stay there."""
        # Of the thread, not of the process: a thread may have descriptors of its own.
        call = described(thread, number, arguments, everything=self._given.everything)
        if not call:
            return False
        self.seen[call] += 1
        if self._point is None:
            say(f"call {call}")
        if (call, self.seen[call]) != self._point:
            return False
        if self._given.kill:
            os.kill(self.pid, signal.SIGKILL)
        say(f"met {call}")
        return bool(self._given.stop)

    def leaves(self, thread: int) -> None:
        """Act after a call, before its result is seen."""

    def ask(self, request: int, thread: int, address: int, data: int) -> int:
        """Make a request of ptrace(2); -1 where it failed."""
        # A thread that was killed meanwhile is no error: its end is reported to waitpid.
        return int(_LIBC.ptrace(request, thread, address, data))


def say(line: str) -> None:
    """Tell whoever started this."""
    # Whoever asked may have heard enough.
    with suppress(BrokenPipeError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="beistand_lab.tracer")
    parser.add_argument("pid", type=int)
    parser.add_argument("--kill", nargs=2, metavar=("CALL", "NUMBER"))
    parser.add_argument("--stop", nargs=2, metavar=("CALL", "NUMBER"))
    parser.add_argument("--everything", action="store_true", help="every call, not only those that change")
    parser.add_argument("--go-on", action="store_true", help="wake up a process that stopped itself")
    return parser.parse_args()


if __name__ == "__main__":
    given = arguments()
    Tracer(given.pid, given).run()
