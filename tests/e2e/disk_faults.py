"""One operation after the other while a disk refuses calls of it; then what was told, and what is there (F2, F3)."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass

import msgspec

from beistand.domain.config import ModuleConfig
from beistand.domain.errors import BeistandError
from beistand.protocol import CreateBackup, GetConfig, SetConfig
from beistand_lab.errors import LabError
from beistand_lab.following import Following, How, agent_process
from beistand_lab.lab import Lab, wait_for
from beistand_lab.refusing import refusable
from beistand_lab.system_calls import Point
from e2e.asking import SERVING, SOON_SECONDS, ask, followed, status, wait_for_state, wait_until_connected
from e2e.killing import Boot, Killing, Release, Takeover
from e2e.killing_cycles import Backup, Import
from e2e.outside import View, look

LATE_SECONDS = 3.0
ERRORS = (("ENOSPC", True), ("EIO", False), ("EIO", True))
"""A disk that stays full, a single failed write, and a disk that stays broken until somebody comes."""


@dataclass(frozen=True)
class Refusal:
    """An error for one call of an operation; `stays`: for every one that the disk could refuse from there on."""

    point: Point
    error: str
    stays: bool

    def __str__(self) -> str:
        return f"{self.error}{' from here on' if self.stays else ''} at {self.point}"


class Refused(Following):
    """The agent of a host, while calls of it are refused."""

    def __init__(self, lab: Lab, host: str, refusal: Refusal, *, stopped_itself: bool) -> None:
        super().__init__(lab, host, How())
        self.refused: list[str] = []
        point = refusal.point
        self._argv = [sys.executable, "-m", "beistand_lab.refusing", str(self.pid), point.call]
        self._argv += [str(point.number), refusal.error]
        self._argv += ["--on"] if refusal.stays else []
        self._argv += ["--go-on"] if stopped_itself else []

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "refused":
                self.refused.append(rest)
            elif word == "following":
                self._begun.set()


class ConfigSet(Killing):
    """An administrator saves the module configuration."""

    name = "config"
    victim = "a"

    def prepare(self) -> None:
        wait_until_connected(self.lab)
        config = self._config()
        self._changed = msgspec.structs.replace(config, attempts=config.attempts % 9 + 1)
        self._whole = (config.attempts, self._changed.attempts)

    def _config(self) -> ModuleConfig:
        config = ask(self.lab, "a", GetConfig(), ModuleConfig)
        assert isinstance(config, ModuleConfig)
        return config

    def act(self) -> bool:
        ask(self.lab, "a", SetConfig(config=self._changed), ModuleConfig)
        return True

    def wait_until_settled(self) -> None:
        wait_for_state(self.lab, "a", *SERVING)
        wait_until_connected(self.lab)

    def check(self, view: View) -> None:
        assert self._config().attempts in self._whole
        assert view.serves


class LocalBackup(Killing):
    """A backup of the active into a file of its own."""

    name = "local-backup"
    victim = "a"

    def prepare(self) -> None:
        wait_until_connected(self.lab)
        self._pbx = look(self.lab, "a").pbx

    def act(self) -> bool:
        return followed(self.lab, "a", CreateBackup())

    def wait_until_settled(self) -> None:
        wait_for_state(self.lab, "a", *SERVING)
        wait_until_connected(self.lab)

    def check(self, view: View) -> None:
        assert view.serves
        assert view.pbx == self._pbx, "the PBX was started anew"
        for shown in self._listed():
            file = f"/var/lib/beistand/backups/{shown['id']}.beistand"
            digest = self.lab.sh("a", ["sha256sum", file]).stdout.split()[0]
            assert digest == shown["digest"], f"{file} is not what is listed"

    def _listed(self) -> list[dict[str, str]]:
        done = self.lab.sh("a", ["beistand", "backup", "list", "--json"])
        backups: list[dict[str, str]] = msgspec.json.decode(done.stdout)["backups"]
        return backups


OPERATIONS: tuple[type[Killing], ...] = (Import, Backup, ConfigSet, LocalBackup, Boot, Takeover, Release)
"""Those that swap the roles come last: the others need the first one to serve."""


def points(operation: Killing, error: str) -> list[Point]:
    """Do what is prepared; return its calls that a disk can answer with this error, in their order."""
    return [each for each in operation.listed() if refusable(each.call, error)]


def refuse(operation: Killing, refusal: Refusal) -> int:
    """Do what is prepared on such a disk, let the disk be well again, recover twice, and look each time.

    Return how many calls were refused; 0 where this run did not come by the point. What is asked of the pair:
    the agent lives and tells no bug, the data is old or new, and when the disk is well again the pair is, too,
    before anybody starts anything anew.
    """
    lab, host, begin = operation.lab, operation.victim, time.time()
    with Refused(lab, host, refusal, stopped_itself=isinstance(operation, Boot)) as disk:
        with contextlib.suppress(BeistandError):  # told to whoever asked; what it did is looked at below
            _begin(operation)
        with contextlib.suppress(LabError):
            wait_for(lambda: bool(disk.refused), LATE_SECONDS, "a refusal")
        count = len(disk.refused)
        assert agent_process(lab, host) == disk.pid, "the agent ended"
    operation.wait_until_settled()
    view = look(lab, host)
    assert view.problem == "", view.problem
    operation.check(view)
    assert_no_bug(lab, host, begin)
    if count:
        operation.recovered()
    return count


def _begin(operation: Killing) -> None:
    if not isinstance(operation, Boot):
        operation.act()
        return

    def is_told() -> bool:
        found = status(operation.lab, operation.victim)
        return found is not None and found.state in (*SERVING, "out-of-order")

    wait_for(is_told, SOON_SECONDS, "the agent to serve, or to say why not")


def assert_no_bug(lab: Lab, host: str, begin: float) -> None:
    """Whatever was refused, it was told in words and not as a traceback."""
    ask_journal = [
        "journalctl",
        "--unit=beistand-agent",
        f"--since=@{begin:.6f}",
        "--output=cat",
        "--no-pager",
    ]
    bugs = [line for line in lab.sh(host, ask_journal).stdout.splitlines() if "internal-error" in line]
    assert bugs == [], "\n".join(bugs)
