"""Where things are (DESIGN "Places and conventions")."""

from dataclasses import dataclass
from pathlib import Path

STAGING = ".beistand"
"""Folder at the root of each file system that holds a tree: staging and undo, 0700 root."""


@dataclass(frozen=True, kw_only=True)
class Places:
    etc: Path = Path("/etc/beistand")
    state: Path = Path("/var/lib/beistand")
    run: Path = Path("/run/beistand")
    log: Path = Path("/var/log/beistand")
    inbox: Path = Path("/var/lib/beistand-peer/inbox")
    web_certificate: Path = Path("/var/lib/beistand-web/tls/cert.pem")
    """Of the pages; the web process makes it."""

    @property
    def socket(self) -> Path:
        return self.run / "agent.sock"

    @property
    def gate(self) -> Path:
        return self.run / "may-serve"

    @property
    def guard_note(self) -> Path:
        """What the guard did at this boot."""
        return self.run / "guard.json"

    @property
    def kept_network_files(self) -> Path:
        """Network files as they were before the guard took the service address out, 0700 root."""
        return self.state / "held-network-files"

    @property
    def manifests(self) -> Path:
        """Manifests by digest: of what was sent, and of what is live."""
        return self.state / "manifests"

    @property
    def backups(self) -> Path:
        """Local backups, one file each, 0700 root."""
        return self.state / "backups"

    @property
    def upload(self) -> Path:
        """The export that is being uploaded, 0700 root; nothing of it outlives the agent."""
        return self.state / "upload"

    @property
    def dumps(self) -> Path:
        """Consistent copies of databases, made by a cycle on the active."""
        return self.state / "dumps"
