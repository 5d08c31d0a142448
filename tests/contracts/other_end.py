"""The other end of a pair's channel: a real sshd with accounts of its own, and a socket in the agent's place.

sshd runs in a mount namespace where /etc/passwd and its like are copies with two more accounts, so that
nothing stays on this machine; it listens on a loopback address that nobody else uses.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import msgspec

from beistand import __version__
from beistand.adapters.keys import SshKeys
from beistand.adapters.ssh import SshPeer
from beistand.adapters.ssh_line import SshLine
from beistand.domain.message import Message
from beistand.domain.pair import PROTOCOL_VERSION
from beistand.domain.value import Value
from beistand.ports.places import Places
from beistand.protocol import Answer, Hello, PeerRequest, Welcome, frame, read_frame

PROJECT = Path(__file__).parents[2]
OWN_IP = "127.0.0.1"
SERVER = "127.7.7.2"
PAIR = "0123456789abcdef" * 2
PASSWORD = 'correct horse "battery" $taple'
_PASSWORD_HASH = (
    "$6$beistand$N5YFA.D1tJiphDPPr18TTBIxPpR5IkUprzW5dtwoJ1oXSwRb3Vwwf2T5.ozk2iKHIp/D135N5cOcuT6cZLF16."
)
_UID, _GID = 64321, 65534

_NAMESPACE = """
set -e
mount --make-rprivate /
for name in passwd group shadow; do mount --bind "$1/$name" "/etc/$name"; done
mkdir -p "$1/empty" "$1/project"
# The account must reach our Python, also in a clone below a closed home folder.
mount --bind "$2" "$1/project"
[ -d /run/sshd ] || { mount -t tmpfs tmpfs /run && mkdir /run/sshd; }
exec /usr/sbin/sshd -D -e -f "$1/sshd_config"
"""

_PEER_SCRIPT = """#!{python} -I
import os, sys
from pathlib import Path
sys.path[:0] = {path!r}
from beistand.agent.peer_command import peer_command
from beistand.ports.places import Places
places = Places(run=Path({run!r}), inbox=Path({inbox!r}))
sys.exit(peer_command(os.environ.get("SSH_ORIGINAL_COMMAND", ""), places))
"""

SAY = Message(code="nothing-to-say")
Reply = Callable[[Value], Value | Message | None]
"""What the agent says to a request: an answer, an error, or nothing for ever."""


class OtherEnd:
    """The machine at SERVER; `reply` may be set by a test."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.home = folder / "home"
        self.places = Places(run=folder / "run", inbox=self.home / "inbox")
        self.requests: list[Value] = []
        self.reply: Reply = nothing_to_say
        self.host_key = folder / "host_key"
        self.near = folder / "near"
        self.keys = SshKeys(
            folder=self.near / "keys",
            authorised=self.home / ".ssh/authorized_keys",
            account="nobody",
            host_key=folder / "host_key.pub",
            forced_command=str(folder / "peer"),
        )
        self._sshd: subprocess.Popen[bytes] | None = None

    @property
    def inbox(self) -> Path:
        return self.places.inbox

    @property
    def log(self) -> str:
        return (self.folder / "sshd.log").read_text()

    def line(self, *, port: int | None = None, own_ip: str = OWN_IP) -> SshLine:
        return SshLine(
            own_ip=own_ip,
            server=SERVER,
            private_key=self.keys.private_key,
            known_hosts=self.keys.known_hosts,
            run=self.near,
            port=port or self.port,
        )

    def peer(self, *, port: int | None = None, own_ip: str = OWN_IP) -> SshPeer:
        return SshPeer(self.line(port=port, own_ip=own_ip), PAIR)

    def pair_up(self) -> None:
        """Keys on both sides, as after a pairing."""
        self.keys.authorise(self.keys.public_key(), OWN_IP)
        self.keys.trust(SERVER, self.keys.own_host_key())

    def lay_out(self) -> None:
        for each in (self.home, self.home / ".ssh", self.near, self.places.run):
            each.mkdir(mode=0o755)
        self.inbox.mkdir(mode=0o700)
        os.chown(self.inbox, _UID, _GID)
        self._accounts()
        make_key(self.host_key)
        peer = self.folder / "peer"
        path = [self._reachable(each) for each in sys.path if each]
        python = self._reachable(sys.executable)
        peer.write_text(
            _PEER_SCRIPT.format(python=python, path=path, run=str(self.places.run), inbox=str(self.inbox))
        )
        peer.chmod(0o755)
        (self.folder / "sshd_config").write_text(
            f"ListenAddress {SERVER}:{self.port}\nHostKey {self.host_key}\nPidFile none\nUsePAM no\n"
            "PermitRootLogin yes\nPasswordAuthentication yes\nMaxAuthTries 6\nPrintMotd no\n"
        )

    def start(self) -> None:
        self._listen()
        with (self.folder / "sshd.log").open("ab") as log:
            self._sshd = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", _NAMESPACE, "sh", str(self.folder), str(PROJECT)],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: accepts(SERVER, self.port), "sshd listens")

    def stop(self) -> None:
        assert self._sshd is not None
        self._sshd.kill()
        self._sshd.wait()

    def in_namespace(self, *arguments: str) -> None:
        assert self._sshd is not None
        subprocess.run(["nsenter", "-t", str(self._sshd.pid), "-m", "-r", *arguments], check=True)

    def _reachable(self, path: str) -> str:
        """Where a path of the project is seen in the namespace."""
        inside = Path(path).is_relative_to(PROJECT)
        return str(self.folder / "project" / Path(path).relative_to(PROJECT)) if inside else path

    def _accounts(self) -> None:
        lines = {
            "passwd": f"beistand-peer:x:{_UID}:{_GID}::{self.home}:/bin/sh\n",
            "group": "",
            "shadow": "beistand-peer:*:19000:0:99999:7:::\n",
        }
        for name, line in lines.items():
            here = Path("/etc", name).read_text().splitlines(keepends=True)
            if name == "shadow":
                here = [f"root:{_PASSWORD_HASH}:19000:0:99999:7:::\n", *here[1:]]
            kept = [each for each in here if not each.startswith("beistand-peer:")]
            (self.folder / name).write_text("".join(kept) + line)
            (self.folder / name).chmod(0o644)

    def _listen(self) -> None:
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(str(self.places.socket))
        self.places.socket.chmod(0o666)
        server.listen()
        Thread(target=self._serve, args=(server,), daemon=True).start()

    def _serve(self, server: socket.socket) -> None:
        while True:
            connection, _ = server.accept()
            Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream, suppress(OSError):
            while body := read_frame(stream.read):
                request = msgspec.json.decode(body, type=PeerRequest)
                self.requests.append(request)
                answer = self.reply(request)
                if isinstance(request, Hello) and isinstance(answer, Message):
                    answer = self._welcome(request, answer)
                if answer is None:
                    Event().wait(60)
                elif isinstance(answer, Message):
                    connection.sendall(frame(Answer(error=answer)))
                else:
                    connection.sendall(frame(Answer(body=msgspec.Raw(msgspec.json.encode(answer)))))

    @staticmethod
    def _welcome(request: Hello, answer: Message) -> Value | Message:
        if answer == SAY:
            return Welcome(protocol=PROTOCOL_VERSION, version=__version__)
        return answer


@contextmanager
def other_end() -> Iterator[OtherEnd]:
    """A running other end with keys on both sides; leaves nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="beistand-", dir="/tmp"))  # short: a socket's path has 108 bytes
    folder.chmod(0o755)
    end = OtherEnd(folder, free_port())
    try:
        end.lay_out()
        end.start()
        end.pair_up()
        yield end
    finally:
        end.stop()
        shutil.rmtree(folder)


class Wire:
    """A TCP connection's way to the other end that can be cut without a word: half open, silent."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._frozen, self._forgotten, self._closed = Event(), Event(), Event()
        self._server = socket.create_server((SERVER, 0))
        self.port: int = self._server.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        self._frozen.set()

    def heal(self) -> None:
        """New connections get through again; the old ones stay silent."""
        self._frozen = Event()

    def reboot(self) -> None:
        """The other machine was off for a moment: it knows nothing of the old connections and resets them."""
        self._forgotten.set()
        self._forgotten = Event()

    def close(self) -> None:
        self._frozen.set()
        self._closed.set()
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                line = (near, self._frozen, self._forgotten)
                Thread(target=self._carry, args=line, daemon=True).start()

    def _carry(self, near: socket.socket, frozen: Event, forgotten: Event) -> None:
        """Both ways of one connection; its sockets are closed when both have ended."""
        with suppress(OSError), near, socket.create_connection((SERVER, self._to)) as far:
            ways = [
                Thread(target=self._pass_on, args=(one, other, frozen, forgotten), daemon=True)
                for one, other in ((near, far), (far, near))
            ]
            for each in ways:
                each.start()
            for each in ways:
                each.join()

    def _pass_on(self, one: socket.socket, other: socket.socket, frozen: Event, forgotten: Event) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                if forgotten.is_set():
                    _reset(one, other)
                    return
                if frozen.is_set():
                    self._closed.wait()
                    _reset(one, other)
                    return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


def _reset(*ends: socket.socket) -> None:
    for each in ends:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def nothing_to_say(request: Value) -> Message:
    """Say hello, and no to everything else."""
    return SAY


def make_key(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def fingerprint_of(path: Path) -> str:
    """What ssh-keygen itself says."""
    told = subprocess.run(["ssh-keygen", "-lf", str(path)], check=True, capture_output=True, text=True)
    return told.stdout.split()[1]


def free_port() -> int:
    with socket.create_server((SERVER, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def accepts(address: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((address, port), 1):
        return True
    return False


def until(is_so: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Wait for a condition, never longer than its limit."""
    limit = monotonic() + seconds
    pause = Event()
    while not is_so():
        assert monotonic() < limit, f"not in {seconds} s: {what}"
        pause.wait(0.02)
