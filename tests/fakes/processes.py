"""The processes of a machine in memory (port `Processes`)."""

from collections.abc import Collection
from dataclasses import dataclass, field

from beistand.domain.strays import Process


@dataclass
class FakeProcesses:
    """`deaf` ones do not end when they are asked."""

    now: list[Process] = field(default_factory=list)
    deaf: set[int] = field(default_factory=set)
    ended: list[tuple[int, bool]] = field(default_factory=list)
    """(pid, by force) of each signal."""

    def running(self, programs: Collection[str], console: str) -> tuple[Process, ...]:
        return tuple(each for each in self.now if each.program in programs or each.has_console)

    def end(self, process: Process, *, by_force: bool) -> bool:
        self.ended.append((process.pid, by_force))
        if process not in self.now:
            return False
        if by_force or process.pid not in self.deaf:
            self.now.remove(process)
        return True
