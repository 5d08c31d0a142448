"""An observer in an appliance's network: has it the service address, and do its packets carry it?

Runs as a process of its own: `python -m beistand_lab.source_watch ADDRESS NEAR FAR FILE`, every millisecond. It
asks the kernel as any program would: bind() finds out whether the address is there, connect() of a datagram
socket which source a packet would have, to a NEAR host of the subnet and to a FAR one behind the gateway.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import socket
import struct
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from beistand_lab import commands, control_groups, network
from beistand_lab.commands import wait_for
from beistand_lab.settings import Settings

PERIOD = 0.001
FAR = "192.0.2.77"
_SIOCGIFFLAGS, _IFF_RUNNING = 0x8913, 0x40
_PORT = 9  # discard: connect() of a datagram socket sends nothing


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gap:
    """So long the interface had carrier, and the address or one of the sources was not right."""

    begin: float
    seconds: float
    what: str
    """What was wrong at its beginning: `address`, `near` or `far`, several with + between."""


class SourceWatch:
    """Looks from its making on until `stop`."""

    def __init__(self, settings: Settings, host: str) -> None:
        number = len(list(settings.folder.glob("source-*.jsonl")))
        self._file = settings.folder / f"source-{number}.jsonl"
        self._file.touch()
        own = [sys.executable, "-m", "beistand_lab.source_watch", settings.service_address]
        argv = [*own, settings.phone_address(101), FAR, str(self._file)]
        self._group = f"{control_groups.group_name(settings.name)}/{self._file.stem}"
        control_groups.create(self._group)
        line = network.inside(settings, host, argv)
        commands.start(line, group=self._group, log=settings.folder / "source-watch.log")
        wait_for(lambda: self._file.stat().st_size > 0, 60, "the observer of sources to begin")

    def gaps(self, begin: float = 0, end: float = 9e9) -> list[Gap]:
        """What began between two times and has ended."""
        lines = self._file.read_text().splitlines()
        rows = [json.loads(line) for line in lines if line.endswith("]")]
        found = []
        since: tuple[float, str] | None = None
        for at, wrong in rows:
            if wrong == "carrier":
                since = None  # what is wrong now counts from the carrier's return
            elif wrong:
                since = since or (at, wrong)
            elif since is not None:
                found.append(Gap(begin=since[0], seconds=at - since[0], what=since[1]))
                since = None
        return [each for each in found if begin <= each.begin <= end]

    def is_right(self) -> bool:
        """Whether everything was right when something last changed."""
        lines = [line for line in self._file.read_text().splitlines() if line.endswith("]")]
        return not json.loads(lines[-1])[1]

    def stop(self) -> None:
        control_groups.kill(self._group)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def main() -> None:
    """Looks for ever; one JSON line [time, what is wrong] at the begin and for each change."""
    address, near, far, file = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
    os.nice(-15)  # it must not be late itself
    before: str | None = None
    with file.open("a", buffering=1) as out:
        while True:
            wrong = _wrong(address, near, far)
            if wrong != before:
                out.write(json.dumps([time.time(), wrong]) + "\n")
                before = wrong
            time.sleep(PERIOD)


def _wrong(address: str, near: str, far: str) -> str:
    """Empty when all is right, `carrier` without one, else what is not."""
    if not _has_carrier("eth0"):
        return "carrier"
    found = [name for name, target in (("near", near), ("far", far)) if _source(target) != address]
    return "+".join([*([] if _is_here(address) else ["address"]), *found])


def _has_carrier(interface: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", interface.encode(), 0)
        flags = struct.unpack_from("H", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request), 16)[0]
        return bool(flags & _IFF_RUNNING)


def _is_here(address: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as local:
        try:
            local.bind((address, 0))
        except OSError:
            return False
        return True


def _source(target: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as local:
        try:
            local.connect((target, _PORT))
        except OSError:
            return ""
        return str(local.getsockname()[0])


if __name__ == "__main__":
    main()
