"""The first contact with a machine that is not our peer yet: its host key, then one login by password."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

import msgspec

from beistand.adapters.askpass import PIPE
from beistand.adapters.commands import Output, last_line, run
from beistand.adapters.keys import fingerprint, plain_key
from beistand.adapters.ssh_line import host_key_changed, link_trouble, options
from beistand.domain.errors import (
    BeistandError,
    CommandFailed,
    Failed,
    PeerRefused,
    PeerUnreachable,
    Refused,
)
from beistand.domain.message import Message
from beistand.protocol import Accepted, AcceptPair, HostKey

FETCH_SECONDS = 10.0
ACCEPT_SECONDS = 60.0
"""The standby's agent looks at itself before it accepts; its PBX may be slow to tell its version."""
QUESTIONS = 4
"""How often ssh may ask: once a method, and a PAM stack may ask twice."""


@dataclass(frozen=True, kw_only=True)
class SshIntroduction:
    """Implements the port Introduction."""

    run: Path = Path("/run/beistand")
    port: int = 22
    program: str = "/usr/bin/beistand"
    askpass: Path = Path(sys.executable).parent / "beistand-askpass"

    def host_key(self, own_ip: str, server: str) -> HostKey:
        """Fetch its ed25519 host key. Raises PeerUnreachable, Refused `host-key-missing`."""
        with tempfile.TemporaryDirectory(dir=self.run) as name:
            known_hosts = Path(name) / "known_hosts"
            # ssh-keyscan cannot be bound to an address; a login that offers nothing fetches the key as well.
            settings = [
                "-oStrictHostKeyChecking=accept-new",
                "-oPreferredAuthentications=none",
                "-oBatchMode=yes",
            ]
            complaint = _ssh(
                server,
                [*settings, *self._options(own_ip, server, known_hosts), *_whom("beistand", server), "true"],
                seconds=FETCH_SECONDS,
            ).stderr
            if not known_hosts.exists():
                if "no matching host key type" in complaint:
                    raise Refused("host-key-missing", server=server)
                raise link_trouble(server, complaint)
            line = plain_key(known_hosts.read_text().split(maxsplit=1)[1])
        return HostKey(line=line, fingerprint=fingerprint(line))

    def accept_pair(
        self, server: str, user: str, password: str, host_key: str, request: AcceptPair
    ) -> Accepted:
        """Log in with the password, once, and hand the request to the agent there.

        Raises Refused `wrong-password`, `password-login-off`, `beistand-missing-there`, `sudo-refused`,
        `standby-not-initialised`; PeerError `host-key-changed`; PeerUnreachable; PeerRefused.
        """
        remote = f"{self.program} accept-pair"
        if user != "root":
            remote = f"sudo -n {remote}"
        with tempfile.TemporaryDirectory(dir=self.run) as name, _pipe(Path(name), password) as pipe:
            known_hosts = Path(name) / "known_hosts"
            known_hosts.write_text(f"{server} {plain_key(host_key)}\n")
            settings = [
                "-oPreferredAuthentications=password,keyboard-interactive",
                "-oPubkeyAuthentication=no",
                "-oNumberOfPasswordPrompts=1",
            ]
            own_ip = str(IPv4Interface(request.active.own_address).ip)
            output = _ssh(
                server,
                [*settings, *self._options(own_ip, server, known_hosts), *_whom(user, server), remote],
                seconds=ACCEPT_SECONDS,
                stdin=msgspec.json.encode(request).decode(),
                environment={
                    "SSH_ASKPASS": str(self.askpass),
                    "SSH_ASKPASS_REQUIRE": "force",
                    PIPE: str(pipe),
                },
            )
            if output.code == 255:
                raise _login_failure(server, known_hosts, output.stderr)
        return _accepted(server, output)

    def _options(self, own_ip: str, server: str, known_hosts: Path) -> list[str]:
        return [*options(own_ip, known_hosts), f"-oPort={self.port}", f"-oHostKeyAlias={server}"]


def _whom(user: str, server: str) -> list[str]:
    """Return the arguments that say where to log in; whatever they hold, ssh takes neither for an option."""
    return ["-l", user, "--", server]


def _ssh(
    server: str,
    arguments: list[str],
    *,
    seconds: float,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
) -> Output:
    # The first value of an option counts for ssh: what a caller adds stands before what is common.
    try:
        return run(
            ["ssh", *arguments],
            seconds=seconds,
            stdin=stdin,
            environment=environment,
            good=tuple(range(256)),
        )
    except CommandFailed as error:
        if error.message.code == "command-timeout":
            raise PeerUnreachable("peer-silent", server=server) from None
        raise


@contextlib.contextmanager
def _pipe(folder: Path, password: str) -> Iterator[Path]:
    """Hold the password in a named pipe's buffer: in memory, and gone with the last descriptor."""
    if "\n" in password or len(password) > 512:
        raise Refused("password-unusable")
    path = folder / "password"
    os.mkfifo(path, 0o600)
    pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(pipe, f"{password}\n".encode() * QUESTIONS)
        yield path
    finally:
        os.close(pipe)


def _login_failure(server: str, known_hosts: Path, complaint: str) -> BeistandError:
    if "IDENTIFICATION HAS CHANGED" in complaint or "no matching host key type" in complaint:
        return host_key_changed(server, known_hosts, complaint)
    if "Permission denied" in complaint:
        # In brackets stand the methods that the server would take.
        takes = complaint.rpartition("Permission denied")[2]
        is_off = "(" in takes and "password" not in takes and "keyboard-interactive" not in takes
        return Refused("password-login-off" if is_off else "wrong-password", server=server)
    if "Too many authentication failures" in complaint:
        return Refused("wrong-password", server=server)
    return link_trouble(server, complaint)


def _accepted(server: str, output: Output) -> Accepted:
    """Return what the agent there answered, as `beistand accept-pair` printed it."""
    answer = last_line(output.stdout)
    try:
        if output.code == 0:
            return msgspec.json.decode(answer, type=Accepted)
        told = msgspec.json.decode(answer, type=Message)
    except msgspec.DecodeError:
        raise _no_answer(server, output) from None
    if told.code == "not-initialised":
        raise Refused("standby-not-initialised", server=server)
    raise PeerRefused(told)


def _no_answer(server: str, output: Output) -> BeistandError:
    """Return why something else than Beistand spoke. Only now: sudo also warns where all is well."""
    if output.code == 127 or "not found" in output.stderr:
        return Refused("beistand-missing-there", server=server)
    if "sudo:" in output.stderr:
        return Refused("sudo-refused", server=server, why=last_line(output.stderr))
    why = last_line(output.stderr) or last_line(output.stdout)[:200]
    return Failed("pairing-unreadable", server=server, status=output.code, why=why)
