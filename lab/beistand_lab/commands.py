"""The one place that starts processes for the lab."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from beistand_lab import control_groups
from beistand_lab.errors import ConditionNotMet, LabError

T = TypeVar("T")

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/root",
    "TERM": os.environ.get("TERM", "dumb"),
}


def run(
    argv: Sequence[str],
    *,
    group: str = "",
    input: str | None = None,  # noqa: A002  # as in subprocess.run
    timeout: float = 60,
    check: bool = True,
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, in a control group where one is named; output is text.

    Raises LabError when it takes longer than `timeout` seconds (it is then killed with its children),
    cannot be started, or, with `check`, exits with something other than 0.
    """
    process = popen(argv, group=group, environment=environment, feed=input is not None)
    try:
        out, err = process.communicate(input, timeout)
    except subprocess.TimeoutExpired:
        raise LabError(f"not done after {timeout:g} s: {_shown(argv)}") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if check and process.returncode != 0:
        said = (err.strip() or out.strip()).splitlines()
        raise LabError(f"exit {process.returncode} of {_shown(argv)}: {' | '.join(said[-3:])}")
    return subprocess.CompletedProcess(list(argv), process.returncode, out, err)


def popen(
    argv: Sequence[str], *, group: str = "", environment: dict[str, str] | None = None, feed: bool = True
) -> subprocess.Popen[str]:
    """A running command with pipes for its input (with `feed`), output and errors, in a session of its own."""
    line = control_groups.joining(group, list(argv)) if group else list(argv)
    try:
        return subprocess.Popen(
            line,
            stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="surrogateescape",
            env=ENVIRONMENT if environment is None else environment,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise LabError(f"{error.filename} is missing", "make setup installs what the lab needs") from None


def start(argv: Sequence[str], *, group: str, log: Path) -> None:
    """Starts a process that stays when this one ends, in a control group; what it prints goes to `log`.

    Its control group says whether it runs, and ends it: it is nobody's child here.
    """
    line = control_groups.joining(group, ["setsid", "--fork", *argv])
    with log.open("ab") as file:
        done = subprocess.run(
            line, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=ENVIRONMENT, check=False
        )
    if done.returncode != 0:
        raise LabError(f"cannot start {_shown(argv)}", f"see {log}")


def wait_for(condition: Callable[[], T], seconds: float, what: str) -> T:
    """Asks until the answer is true, and returns it; ConditionNotMet after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise ConditionNotMet(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.02)
    return answer


def open_door(server: socket.socket, door: Path) -> None:
    """Lets a Unix socket listen at this path; whoever sees the path is let in, also in that very moment."""
    beside = door.with_name(f".{door.name}")
    for each in (door, beside):
        each.unlink(missing_ok=True)
    server.bind(str(beside))
    server.listen()
    beside.rename(door)


def _shown(argv: Sequence[str]) -> str:
    text = " ".join(argv)
    return text if len(text) < 200 else text[:200] + " …"
