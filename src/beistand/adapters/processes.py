"""Processes by /proc (port `Processes`): one look costs a readlink for each process of the machine."""

import os
import pwd
import signal
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from beistand.domain.strays import Process

NOBODY_LOGGED_IN = (1 << 32) - 1
MOST_PARENTS = 6
LONGEST_FILE = 1 << 22
"""Bytes read of one file of /proc; lists of sockets are the longest."""
LISTENING_TCP, LISTENING_UNIX = "0A", 0x10000
SPACES = ("pid", "net")
GONE = " (deleted)"
UNDECIDED_SECONDS = 1.0
"""A command line is empty for a moment in execve(2), and once a process has ended: the next look tells what it is."""


class ProcProcesses:
    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc

    def running(self, programs: Collection[str], console: str) -> tuple[Process, ...]:
        wanted = {os.path.realpath(each) for each in programs} | set(programs)
        ours = self._spaces("self")
        found = {pid: program for pid, program in self._programs() if program in wanted}
        behind = self._inodes_of(console) if console else set[str]()
        if behind and not any(self._sockets(pid) & behind for pid in found):
            # Another program than the profile's stands behind the control socket: look at every process once.
            found |= {pid: program for pid, program in self._programs() if self._sockets(pid) & behind}
        each = (
            self._described(pid, program, behind)
            for pid, program in found.items()
            if self._spaces(pid) == ours
        )
        return tuple(one for one in each if one is not None)

    def end(self, process: Process, *, by_force: bool) -> bool:
        try:
            handle = os.pidfd_open(process.pid)
        except OSError:
            return False
        try:
            if self._began(str(process.pid)) != process.began:
                return False  # another one has its number now
            signal.pidfd_send_signal(handle, signal.SIGKILL if by_force else signal.SIGTERM)
        except OSError:
            return False
        finally:
            os.close(handle)
        return True

    def _programs(self) -> Iterator[tuple[str, str]]:
        for name in os.listdir(self._proc):
            if name.isdigit() and int(name) != os.getpid():
                with suppress(OSError):  # a thread of the kernel, or one that has ended
                    yield name, os.readlink(self._proc / name / "exe").removesuffix(GONE)

    def _spaces(self, pid: str) -> tuple[str, ...]:
        try:
            return tuple(os.readlink(self._proc / pid / "ns" / each) for each in SPACES)
        except OSError:
            return ()

    def _described(self, pid: str, program: str, behind: set[str]) -> Process | None:
        try:
            command = self._read(f"{pid}/cmdline").rstrip("\0").split("\0")
            uid = (self._proc / pid).stat().st_uid
        except OSError:
            return None
        seconds, sockets = self._seconds(pid), self._sockets(pid)
        if not any(command) and seconds < UNDECIDED_SECONDS:
            return None
        return Process(
            pid=int(pid),
            began=self._began(pid),
            program=program,
            seconds=seconds,
            command=tuple(command),
            user=_name(uid),
            login=self._login(pid),
            unit=self._unit(pid),
            parents=tuple(self._parents(pid)),
            listens=bool(sockets & self._listening()),
            has_console=bool(sockets & behind),
        )

    def _began(self, pid: str) -> str:
        return "".join(self._stat(pid)[19:20])

    def _seconds(self, pid: str) -> float:
        began = self._began(pid)
        try:
            now = float(self._read("uptime").split()[0])
        except (OSError, ValueError, IndexError):
            return 0.0
        return max(0.0, now - int(began) / os.sysconf("SC_CLK_TCK")) if began else 0.0

    def _stat(self, pid: str) -> list[str]:
        """Return the fields after the name, which may hold blanks and brackets (proc_pid_stat(5))."""
        try:
            return self._read(f"{pid}/stat").rpartition(")")[2].split()
        except OSError:
            return []

    def _login(self, pid: str) -> str:
        try:
            number = int(self._read(f"{pid}/loginuid") or NOBODY_LOGGED_IN)
        except (OSError, ValueError):
            return ""
        return "" if number == NOBODY_LOGGED_IN else _name(number)

    def _unit(self, pid: str) -> str:
        try:
            lines = self._read(f"{pid}/cgroup").splitlines()
        except OSError:
            return ""
        # The systemd hierarchy of the first version, else the only one of the second.
        paths = [line.split(":", 2)[2] for line in lines if line.count(":") >= 2]
        named = (line.split(":", 2)[2] for line in lines if ":name=systemd:" in line)
        path = next(named, paths[-1] if paths else "")
        parts = [each for each in path.split("/") if each.endswith((".service", ".scope"))]
        return parts[-1] if parts else ""

    def _parents(self, pid: str) -> Iterator[str]:
        for _ in range(MOST_PARENTS):
            above = self._stat(pid)[1:2]
            if not above or above[0] in ("0", "1"):
                return
            pid = above[0]
            with suppress(OSError):
                yield self._read(f"{pid}/comm").strip()

    def _sockets(self, pid: str) -> set[str]:
        found: set[str] = set()
        with suppress(OSError):
            for name in os.listdir(self._proc / pid / "fd"):
                with suppress(OSError):
                    target = os.readlink(self._proc / pid / "fd" / name)
                    if target.startswith("socket:["):
                        found.add(target[8:-1])
        return found

    def _listening(self) -> set[str]:
        """Return the inodes of all sockets of our network that wait for somebody."""
        found = {
            row[6] for row in self._rows("net/unix") if len(row) > 6 and int(row[3], 16) & LISTENING_UNIX
        }
        for name in ("tcp", "tcp6"):
            found |= {row[9] for row in self._rows(f"net/{name}") if len(row) > 9 and row[3] == LISTENING_TCP}
        for name in ("udp", "udp6"):
            found |= {row[9] for row in self._rows(f"net/{name}") if len(row) > 9}
        return found

    def _inodes_of(self, console: str) -> set[str]:
        # The name as it was bound: /var/run leads to /run.
        name, path = os.path.basename(console), os.path.realpath(console)
        return {
            row[6]
            for row in self._rows("net/unix")
            if len(row) > 7
            and int(row[3], 16) & LISTENING_UNIX
            and os.path.basename(row[7]) == name
            and os.path.realpath(row[7]) == path
        }

    def _rows(self, name: str) -> list[list[str]]:
        try:
            return [line.split() for line in self._read(f"self/{name}").splitlines()[1:]]
        except OSError:
            return []

    def _read(self, name: str) -> str:
        with (self._proc / name).open("rb") as file:
            return file.read(LONGEST_FILE).decode(errors="replace")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
