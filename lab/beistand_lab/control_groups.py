"""Every process of a lab lives in control groups of its own: so that none can outlive the lab.

A power cord can be pulled on a process tree that daemonises, only if something other than parentage
holds it together. Two hierarchies matter: the second version, which can kill a whole tree at once,
and systemd's own of the first version, in which systemd-nspawn leaves folders on hybrid machines.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import time
from pathlib import Path

from beistand_lab.errors import LabError


@functools.cache
def hierarchies() -> tuple[Path, ...]:
    """Mount points of the hierarchies that the lab uses, the second version first."""
    second: list[Path] = []
    named: list[Path] = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, target, kind, options, *_ = line.split()
        if kind == "cgroup2":
            second.append(Path(target))
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            named.append(Path(target))
    if not second:
        raise LabError("no cgroup2 file system is mounted", "mount -t cgroup2 none /sys/fs/cgroup")
    return (second[0], *named[:1])


def group_name(lab: str) -> str:
    return f"beistand-lab-{lab}"


def create(name: str) -> None:
    for hierarchy in hierarchies():
        (hierarchy / name).mkdir(parents=True, exist_ok=True)


def joining(name: str, argv: list[str]) -> list[str]:
    """The command line that moves itself into the group `name` and then becomes `argv`."""
    files = [str(hierarchy / name / "cgroup.procs") for hierarchy in hierarchies()]
    script = "".join(f'echo $$ > "${{{n}}}" || exit 125; ' for n in range(1, len(files) + 1))
    return ["/bin/sh", "-c", f'{script}shift {len(files)}; exec "$@"', "beistand-lab", *files, *argv]


def processes(name: str) -> set[int]:
    """Process ids in the group and below it."""
    found: set[int] = set()
    # Groups come and go while one looks; os.walk passes over what has gone, Path.glob raises.
    for folder, _, _ in os.walk(hierarchies()[0] / name):
        with contextlib.suppress(OSError):
            found.update(int(pid) for pid in Path(folder, "cgroup.procs").read_text().split())
    return found - {0}


def kill(name: str, seconds: float = 20) -> None:
    """Kills whatever is in the group, and takes the group away; nothing where there is none.

    Raises LabError when something stays alive for so long.
    """
    deadline = time.monotonic() + seconds
    while any((hierarchy / name).exists() for hierarchy in hierarchies()):
        _kill_once(name)
        for hierarchy in hierarchies():
            _remove_tree(hierarchy / name)
        if time.monotonic() > deadline:
            alive = " ".join(str(pid) for pid in sorted(processes(name)))
            raise LabError(f"processes of the lab do not end: {alive}", "look at them with ps")
        time.sleep(0.005)


def _kill_once(name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        (hierarchies()[0] / name / "cgroup.kill").write_text("1")
    for pid in processes(name):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _remove_tree(top: Path) -> None:
    for folder, _, _ in os.walk(top, topdown=False):
        # Busy while a dying process is still in it: the caller tries again.
        with contextlib.suppress(OSError):
            os.rmdir(folder)
