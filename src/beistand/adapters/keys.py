"""SSH keys of the pair's channel: ours, the one we let in, and the host key we pinned."""

import base64
import grp
import hashlib
import os
import pwd
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from beistand.adapters.commands import run
from beistand.adapters.durable_file import (
    make_folders,
    opened_durably,
    publish,
    remove_durably,
    sync_file,
)
from beistand.domain.errors import Failed, Refused

ACCOUNT = "beistand-peer"
FORCED_COMMAND = "/usr/bin/beistand peer"
_KEY = re.compile(r"(ssh-ed25519) ([A-Za-z0-9+/]{60,100}={0,2})(?: .*)?")
_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class SshKeys:
    """Implements the port Keys with files that OpenSSH reads."""

    folder: Path = Path("/var/lib/beistand/keys")
    authorised: Path = Path("/var/lib/beistand-peer/.ssh/authorized_keys")
    account: str = ACCOUNT
    host_key: Path = Path("/etc/ssh/ssh_host_ed25519_key.pub")
    forced_command: str = FORCED_COMMAND

    @property
    def private_key(self) -> Path:
        return self.folder / "id_ed25519"

    @property
    def public_half(self) -> Path:
        return self.folder / "id_ed25519.pub"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def public_key(self) -> str:
        """Return the own public key line, without a comment; made at the first call."""
        if not (self.private_key.exists() and self.public_half.exists()):
            self._make()
        return plain_key(self.public_half.read_text())

    def own_host_key(self) -> str:
        """Return this machine's SSH host key. Raises Failed `own-host-key-missing`."""
        try:
            return plain_key(self.host_key.read_text())
        except FileNotFoundError:
            raise Failed("own-host-key-missing", path=str(self.host_key)) from None

    def authorise(self, public_key: str, from_address: str) -> None:
        """Let this key, from this address only, run the forced command, and nothing else."""
        limits = f'restrict,from="{IPv4Address(from_address)}",command="{self.forced_command}"'
        self._write_authorised(f"{limits} {plain_key(public_key)}\n".encode())

    def trust(self, address: str, host_key: str) -> None:
        """Pin the host key of the one machine we connect to."""
        self._make_folder()
        _replace(self.known_hosts, f"{IPv4Address(address)} {plain_key(host_key)}\n".encode(), 0o600, 0)

    def forget(self, *, own: bool) -> None:
        for each in (
            self.authorised,
            self.known_hosts,
            *((self.private_key, self.public_half) if own else ()),
        ):
            if each.parent.is_dir():
                remove_durably(each)

    def undo_point(self) -> Callable[[], None]:
        """Return what puts the authorised key and the pinned host key back as they are now."""
        authorised, pinned = _content(self.authorised), _content(self.known_hosts)

        def put_back() -> None:
            if authorised is None:
                remove_durably(self.authorised)
            else:
                self._write_authorised(authorised)
            if pinned is None:
                remove_durably(self.known_hosts)
            else:
                _replace(self.known_hosts, pinned, 0o600, 0)

        return put_back

    def _write_authorised(self, content: bytes) -> None:
        # Root owns the file and its folder, the account's group reads it: sshd reads it as the account
        # (StrictModes allows root as owner), and a broken-in account cannot widen its own key.
        group = grp.getgrgid(pwd.getpwnam(self.account).pw_gid).gr_gid
        make_folders(self.authorised.parent, mode=0o755)
        _replace(self.authorised, content, 0o640, group)

    def _make_folder(self) -> None:
        make_folders(self.folder, mode=0o700)

    def _make(self) -> None:
        self._make_folder()
        # Beside, because ssh-keygen syncs nothing: a key without its public half was cut short, and nobody knows it.
        draft = self.folder / ".id_ed25519"
        public = self.folder / ".id_ed25519.pub"
        for each in (draft, public):
            each.unlink(missing_ok=True)
        run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "beistand", "-f", str(draft)],
            seconds=_SECONDS,
        )
        sync_file(draft)
        sync_file(public)
        publish(draft, self.private_key)
        publish(public, self.public_half)


def plain_key(line: str) -> str:
    """Return `ssh-ed25519 BASE64` of a public key line, its comment dropped.

    Raises Refused `bad-ssh-key` for anything else: the line goes into files that sshd believes.
    """
    match = _KEY.fullmatch(line.strip())
    if match is None:
        raise Refused("bad-ssh-key", start=line.strip()[:20])
    return f"{match[1]} {match[2]}"


def fingerprint(key: str) -> str:
    """Return `SHA256:…` of a public key line, as `ssh-keygen -l` prints it."""
    digest = hashlib.sha256(base64.b64decode(plain_key(key).split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _replace(path: Path, content: bytes, mode: int, group: int) -> None:
    with opened_durably(path, mode) as file:
        os.fchown(file.fileno(), 0, group)
        file.write(content)
