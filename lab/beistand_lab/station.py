"""A process of the lab that tells what happens to it and takes commands; all of its state is in its folder."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

from beistand_lab import commands, control_groups, network
from beistand_lab.commands import wait_for
from beistand_lab.errors import LabError
from beistand_lab.settings import Settings

_LONGEST_ANSWER = 1 << 20


class Station:
    """One such process. Whoever names it sees the same, from whichever process; it ends with the lab."""

    def __init__(self, settings: Settings, name: str, host: str) -> None:
        self.name = name
        self._settings, self._host = settings, host
        self.folder = settings.folder / "stations" / name
        self._group = f"{control_groups.group_name(settings.name)}/{name}"

    def is_running(self) -> bool:
        return bool(control_groups.processes(self._group))

    def stop(self) -> None:
        """Takes its power away; what it told stays readable."""
        control_groups.kill(self._group)
        self._door.unlink(missing_ok=True)

    def events(self, after: float = 0, what: str | None = None) -> list[dict[str, Any]]:
        """What it told since a time, of one kind or of all: dictionaries with `time`, `what` and more."""
        try:
            lines = (self.folder / "events.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        rows = [json.loads(line) for line in lines if line.endswith("}")]
        return [row for row in rows if row["time"] >= after and what in {None, row["what"]}]

    def wait_for_event(self, what: str, after: float, seconds: float, **fields: Any) -> dict[str, Any]:
        """The first event of a kind since a time that has these fields; waits so long for it, else ConditionNotMet."""

        def seen() -> dict[str, Any]:
            return next((row for row in self.events(after, what) if fields.items() <= row.items()), {})

        return wait_for(seen, seconds, f"{what} of {self.name} {fields or ''}")

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Tells it a command and returns what it answers; LabError where it refuses or does not run."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
                connection.settimeout(10)
                connection.connect(str(self._door))
                connection.send(json.dumps({"do": do, **fields}).encode())
                answer: dict[str, Any] = json.loads(connection.recv(_LONGEST_ANSWER))
        except (OSError, ValueError):
            raise LabError(f"{self.name} does not answer", f"see {self.folder}") from None
        if "error" in answer:
            raise LabError(f"{self.name}: {answer['error']}")
        return answer

    @property
    def _door(self) -> Path:
        return self.folder / "control"

    def _start(self, module: str, *words: object) -> None:
        """Starts `python -m module FOLDER words…` on the host, after the end of an earlier one."""
        self.stop()
        self.folder.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", module, str(self.folder), *map(str, words)]
        control_groups.create(self._group)
        log = self.folder / "log"
        commands.start(network.inside(self._settings, self._host, argv), group=self._group, log=log)

        def is_ready() -> bool:
            if not self.is_running():
                raise LabError(f"{self.name} died at once", f"see {log}")
            return self._door.exists()

        wait_for(is_ready, 20, f"{self.name}; see {log}")
