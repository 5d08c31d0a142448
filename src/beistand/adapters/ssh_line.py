"""How ssh reaches the other appliance, and what its complaints mean."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from beistand.adapters.commands import last_line, run
from beistand.adapters.keys import ACCOUNT, fingerprint
from beistand.domain.errors import BeistandError, CommandFailed, PeerError, PeerRefused, PeerUnreachable
from beistand.domain.message import message

CONNECT_SECONDS = 5
ALIVE_SECONDS = 5
"""Three lost answers, this far apart, end a connection."""
PERSIST_SECONDS = 60
"""How long an idle shared connection is kept."""

_SENT_FINGERPRINT = re.compile(r"(SHA256:[A-Za-z0-9+/]+)")
_LINK_TROUBLES = {
    "Connection refused": "peer-port-closed",
    "No route to host": "peer-no-route",
    "Network is unreachable": "peer-no-route",
    "timed out": "peer-silent",
    "not responding": "peer-silent",
    "Cannot assign requested address": "own-address-missing",
}


def options(own_ip: str, known_hosts: Path) -> list[str]:
    """Return what every ssh of ours is started with: no file of this machine, no agent, no forwarding."""
    settings = {
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "CheckHostIP": "no",
        "HashKnownHosts": "no",
        "HostKeyAlgorithms": "ssh-ed25519",  # the one kind that is pinned
        "ConnectTimeout": str(CONNECT_SECONDS),
        "ServerAliveInterval": str(ALIVE_SECONDS),
        "ServerAliveCountMax": "3",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "LogLevel": "ERROR",
    }
    pairs = [f"-o{name}={value}" for name, value in settings.items()]
    # Bound to the own address: neither breaks when the service address moves nor fails `from=`.
    return ["-F", "/dev/null", "-T", "-a", "-x", "-b", own_ip, *pairs]


@dataclass(frozen=True, kw_only=True)
class SshLine:
    """The way to the peer's account. One connection is shared by work and transfers; greetings have their own."""

    own_ip: str
    server: str
    private_key: Path
    known_hosts: Path
    run: Path = Path("/run/beistand")
    account: str = ACCOUNT
    port: int = 22

    @property
    def control(self) -> Path:
        return self.run / f"ssh-{self.server}-{self.port}"

    def program(self, *, shared: bool) -> list[str]:
        """Return ssh with all its options, without a destination."""
        settings = {
            "BatchMode": "yes",
            "PreferredAuthentications": "publickey",
            "IdentityFile": str(self.private_key),
            "HostKeyAlias": self.server,
            "Port": str(self.port),
            "ControlMaster": "auto" if shared else "no",
            "ControlPath": str(self.control) if shared else "none",
            "ControlPersist": str(PERSIST_SECONDS) if shared else "no",
        }
        pairs = [f"-o{name}={value}" for name, value in settings.items()]
        return ["ssh", *options(self.own_ip, self.known_hosts), *pairs]

    def command(self, *, shared: bool) -> list[str]:
        """Return the command line that reaches `beistand peer` on the other side."""
        return [*self.program(shared=shared), f"{self.account}@{self.server}", "beistand peer"]

    def remote_shell(self) -> str:
        """Return the shared connection as rsync's --rsh wants it."""
        return shlex.join(self.program(shared=True))

    def hang_up(self) -> None:
        """End the shared connection, with everything that runs over it."""
        if not self.control.exists():
            return
        # A connection that broke at this moment is as good as ended.
        try:
            run(
                ["ssh", "-F", "/dev/null", "-O", "exit", f"-oControlPath={self.control}", self.server],
                seconds=CONNECT_SECONDS,
                good=(0, 255),
            )
        except CommandFailed:
            self.control.unlink(missing_ok=True)

    def failure(self, complaint: str) -> BeistandError:
        """Return the error that ssh's own complaint means."""
        if "IDENTIFICATION HAS CHANGED" in complaint or "no matching host key type" in complaint:
            return host_key_changed(self.server, self.known_hosts, complaint)
        if "Host key verification failed" in complaint or "host key is known" in complaint:
            return PeerError("host-key-unknown", server=self.server)
        if "Permission denied" in complaint:
            return PeerRefused(message("peer-key-refused", server=self.server))
        return link_trouble(self.server, complaint)


def host_key_changed(server: str, known_hosts: Path, complaint: str) -> PeerError:
    """Return the hard stop with both fingerprints (F11)."""
    found = _SENT_FINGERPRINT.search(complaint)
    pinned = known_hosts.read_text().split(maxsplit=1)[1]
    return PeerError(
        "host-key-changed", server=server, expected=fingerprint(pinned), found=found[1] if found else "none"
    )


def link_trouble(server: str, complaint: str) -> PeerUnreachable:
    """Return why the other machine cannot be reached, as far as ssh could tell."""
    for words, code in _LINK_TROUBLES.items():
        if words in complaint:
            return PeerUnreachable(code, server=server)
    return PeerUnreachable("peer-line-lost", server=server, why=last_line(complaint))
