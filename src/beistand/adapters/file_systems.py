"""What the kernel says of the file systems that some folders lie on (port `FileSystems`)."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from beistand.domain.room import FileSystem

STOPPED = {"ro", "emergency_ro", "shutdown"}


class LocalFileSystems:
    def look(self, folders: Iterable[Path]) -> tuple[FileSystem, ...]:
        found: dict[int, FileSystem] = {}
        for folder in folders:
            with suppress(OSError):  # what cannot even be looked at is told by whoever wants to use it
                there = _existing(folder)
                device = there.stat().st_dev
                if device not in found:
                    found[device] = _described(there, device)
        return tuple(found.values())


def _described(there: Path, device: int) -> FileSystem:
    figures = os.statvfs(there)
    return FileSystem(
        mount=str(_mount(there, device)),
        size=figures.f_blocks * figures.f_frsize,
        free=figures.f_bavail * figures.f_frsize,
        is_read_only=bool(figures.f_flag & os.ST_RDONLY) or _is_stopped(device),
    )


def _is_stopped(device: int) -> bool:
    """Tell whether the kernel lets nobody write after an error; statvfs(3) says nothing of it since Linux 6.14."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return False
    # Field three is the device, the last one the options of the file system itself (proc_pid_mountinfo(5)).
    options = {each for line in lines if line.split()[2] == wanted for each in line.split()[-1].split(",")}
    return bool(options & STOPPED)


def _existing(folder: Path) -> Path:
    """Return the folder, or the one above it that will hold it."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.resolve()


def _mount(there: Path, device: int) -> Path:
    while there != there.parent and there.parent.stat().st_dev == device:
        there = there.parent
    return there
