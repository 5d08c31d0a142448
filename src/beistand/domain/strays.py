"""A telephone system that runs where it must not: recognised, and named with who started it (F34)."""

import re
from collections.abc import Iterable

from beistand.domain.message import Field
from beistand.domain.profile import Profile
from beistand.domain.value import Value

LONGEST_TOLD = 120
"""Characters of a command line that people are shown."""
LONGEST_ARGUMENT = 200


class Process(Value, frozen=True, kw_only=True):
    """One process of this machine, in our own process and network namespaces."""

    pid: int
    began: str
    """When, as the kernel counts: with the pid it names one process for good."""
    program: str
    """Path of what it executes."""
    seconds: float = 0.0
    """Since it began."""
    command: tuple[str, ...] = ()
    user: str = ""
    login: str = ""
    """Who had logged in; empty: nobody (proc_pid_loginuid(5))."""
    unit: str = ""
    """Unit, session or scope of the service manager that it belongs to."""
    parents: tuple[str, ...] = ()
    """Names of the processes above it, the nearest first."""
    listens: bool = False
    """It waits for others on a socket."""
    has_console: bool = False
    """It is the one behind the control socket of the profile."""

    @property
    def key(self) -> tuple[int, str]:
        return self.pid, self.began


def programs(profile: Profile) -> tuple[str, ...]:
    """Return the paths of the telephone system's own programs."""
    return tuple(dict.fromkeys(profile.detect.version_command[:1]))


def is_stray(process: Process, profile: Profile) -> bool:
    """Tell whether this process is the telephone system itself, and not one that only asks it something.

    Where the profile does not say what a question looks like, only who listens is.
    """
    if process.listens or process.has_console:
        return True
    pattern = profile.detect.asks
    return bool(pattern) and not any(
        re.fullmatch(pattern, each[:LONGEST_ARGUMENT]) for each in process.command[1:]
    )


def unit_of(process: Process, profile: Profile) -> str:
    """Return the unit of the profile that the process belongs to; empty: none of them."""
    names = {
        each.unit if "." in each.unit else f"{each.unit}.service": each.unit for each in profile.services
    }
    return names.get(process.unit, "")


def told(process: Process) -> dict[str, Field]:
    """Return what people are told of it."""
    return {
        "pid": process.pid,
        "command": shown(process.command)[:LONGEST_TOLD] or process.program,
        "user": process.user or "-",
        "login": process.login or "-",
        "unit": process.unit or "-",
        "parents": ", ".join(shown([each]) for each in process.parents) or "-",
    }


def shown(words: Iterable[str]) -> str:
    """Return words as one line; what is not printable is a question mark: nobody writes into root's terminal."""
    text = " ".join(words)[: LONGEST_TOLD * 2]
    return "".join(each if each.isprintable() else "?" for each in text)
