"""What brings a tree from appliance a into a live tree of appliance b: Beistand and its peers.

Each peer does what an administrator would script with it, in its cheapest sensible form, and keeps its ssh
connection up as Beistand does. `run` is one whole cycle, import included.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab
from bench.pair import cycle

TREE = "/var/spool/asterisk/monitor/bench"
PEERS = "/srv/peers"
SECONDS = 900
_SSH = """\
Host b
  HostName {address}
  User root
  StrictHostKeyChecking no
  LogLevel ERROR
  ControlMaster auto
  ControlPersist 600
  ControlPath /root/.ssh/control-%C
"""


class Engine(ABC):
    """One way to keep a copy up to date."""

    name: str
    live: str
    """Where the copy of TREE stands on b."""

    @abstractmethod
    def run(self) -> None:
        """Do one cycle; the first one brings everything. Raises LabError."""

    def tidy(self) -> None:
        """Remove what a run left for later; not measured."""


class Beistand(Engine):
    name = "beistand"
    live = TREE

    def __init__(self, administrator: Administrator) -> None:
        self._administrator = administrator

    def run(self) -> None:
        cycle(self._administrator)


class _Peer(Engine):
    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._count = 0
        self.home = f"{PEERS}/{self.name}"
        self.live = f"{self.home}/live{TREE}"
        self._lab.sh("b", ["mkdir", "-p", self.home])

    def _on_a(self, script: str) -> None:
        self._lab.sh("a", ["sh", "-ec", script], timeout=SECONDS)

    def tidy(self) -> None:
        self._lab.sh("b", ["rm", "-rf", f"{self.home}/old"])


class RsyncLinkDest(_Peer):
    """A forest of hard links, and from its newest tree into the live one."""

    name = "rsync -az --link-dest"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.home = f"{PEERS}/rsync"
        self.live = f"{self.home}/live"

    def run(self) -> None:
        self._count += 1
        there = f"{self.home}/{self._count}"
        linked = f"--link-dest={self.home}/{self._count - 1}" if self._count > 1 else ""
        self._on_a(
            f"rsync -az --delete --mkpath {linked} {TREE}/ b:{there}/; "
            f"ssh b 'mkdir -p {self.live} && rsync -a --delete {there}/ {self.live}/'"
        )

    def tidy(self) -> None:
        self._lab.sh("b", ["rm", "-rf", f"{self.home}/{self._count - 1}"])


class Borg(_Peer):
    """An archive by ssh, extracted beside the live tree and swapped with it."""

    name = "borg"

    def run(self) -> None:
        self._count += 1
        repository = f"{self.home}/repository"
        quiet = "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes"
        first = f"borg init --encryption none ssh://b{repository}; " if self._count == 1 else ""
        self._on_a(
            f"export {quiet}; {first}borg create ssh://b{repository}::{self._count} {TREE}; "
            f"ssh b 'mkdir {self.home}/new && cd {self.home}/new && "
            f"{quiet} borg extract {repository}::{self._count} && {_swap(self.home)}'"
        )


class Restic(_Peer):
    """A snapshot by sftp, restored beside the live tree and swapped with it."""

    name = "restic"

    def run(self) -> None:
        self._count += 1
        repository = f"{self.home}/repository"
        setting = "export RESTIC_PASSWORD=bench HOME=/root"
        first = f"restic -q -r sftp:b:{repository} init; " if self._count == 1 else ""
        self._on_a(
            f"{setting}; {first}restic -q -r sftp:b:{repository} backup {TREE}; "
            f"ssh b '{setting}; restic -q -r {repository} restore latest --target {self.home}/new && "
            f"{_swap(self.home)}'"
        )


class ChangedFilesOnly(_Peer):
    """No engine: rsync told by an oracle which files changed. The least that has to travel."""

    name = "rsync -z of the changed files only"
    LIST = "/root/changed"

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.home = f"{PEERS}/oracle"

    def run(self) -> None:
        self._count += 1
        self._on_a(f"rsync -az --mkpath --files-from={self.LIST} / b:{self.home}/{self._count}/")

    def tidy(self) -> None:
        self._lab.sh("b", ["rm", "-rf", self.home])


def let_in(lab: Lab) -> None:
    """Root of a may log in on b by key, over one connection that stays up."""
    lab.sh(
        "a",
        ["sh", "-c", "mkdir -p -m 700 /root/.ssh && ssh-keygen -qt ed25519 -N '' -f /root/.ssh/id_ed25519"],
    )
    key = lab.read("a", "/root/.ssh/id_ed25519.pub")
    lab.sh("b", ["mkdir", "-p", "-m", "700", "/root/.ssh", PEERS])
    lab.copy_in("b", "/root/.ssh/authorized_keys", key)
    lab.copy_in("a", "/root/.ssh/config", _SSH.format(address=lab.settings.address("b")))
    lab.sh("a", ["chmod", "600", "/root/.ssh/config"])
    lab.sh("a", ["sh", "-c", "ssh b true </dev/null >/dev/null 2>&1"])


def _swap(home: str) -> str:
    return f"( mv {home}/live {home}/old 2>/dev/null || true ) && mv {home}/new {home}/live"
