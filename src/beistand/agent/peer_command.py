"""`beistand peer`: all that the other appliance's key can do here. Runs as beistand-peer, never as root.

sshd starts it for every session of that key, whatever was asked for; what was asked for comes in
SSH_ORIGINAL_COMMAND. It is matched whole against the two things the peer needs, never given to a shell.
"""

import os
import select
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from beistand.adapters.older_transfers import end_older
from beistand.adapters.rsync_options import server_request
from beistand.domain.errors import Refused
from beistand.domain.message import message, printable
from beistand.ports.places import Places
from beistand.protocol import Answer, PeerRequest, frame, read_frame
from beistand.protocol.framing import UNREADABLE

RSYNC = "/usr/bin/rsync"
IDLE_SECONDS = 900.0
"""A peer that asks nothing for so long may be gone without a word; it opens a new session when it is not."""
AGENT_SECONDS = 180.0


class _Ended(Exception):
    """The other end of a stream went away in the middle of a frame."""


def peer_command(original_command: str, places: Places) -> int:
    """Do what the peer asked for and return the exit code; does not return where rsync takes over."""
    if original_command in ("", "beistand peer"):
        return _relay(places)
    request = server_request(original_command)
    if request is None:
        return _refuse("command-refused")
    arguments, folder = request
    return _receive_files(arguments, places.inbox / folder)


def _receive_files(arguments: list[str], folder: Path) -> int:
    os.umask(0o077)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        end_older(folder)
        if folder.name == "databases":
            _drop_leftovers(folder)
    except OSError as error:
        return _refuse(f"inbox-unusable {error.strerror}")
    # No shell: the list is built here, from words that were matched one by one.
    os.execv(RSYNC, ["rsync", *arguments, ".", f"{folder}/"])  # noqa: S606


def _drop_leftovers(folder: Path) -> None:
    """Remove what a killed transfer was building beside the dumps (rsync names it `.NAME.XXXXXX`)."""
    for leftover in folder.glob(".*.??????"):
        leftover.unlink()


def _relay(places: Places) -> int:
    agent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    agent.settimeout(AGENT_SECONDS)
    with agent:
        try:
            agent.connect(str(places.socket))
            while body := read_frame(_exactly(lambda size: _read_input(size, agent))):
                _write(_answer(body, agent))
        except (OSError, Refused, _Ended) as error:
            return _refuse(f"agent-unreachable {error}")
    return 0


def _answer(body: bytes, agent: socket.socket) -> bytes:
    """Hand a request of the peer to the agent and return its answer; anything else never reaches it."""
    try:
        request = msgspec.json.decode(body, type=PeerRequest)
    except UNREADABLE as error:
        return frame(Answer(error=message("bad-request", why=str(error))))
    agent.sendall(frame(request))
    answer = read_frame(_exactly(agent.recv))
    if not answer:
        raise _Ended
    return len(answer).to_bytes(4, "big") + answer


def _read_input(size: int, agent: socket.socket) -> bytes:
    ready, _, _ = select.select([0, agent.fileno()], [], [], IDLE_SECONDS)
    if agent.fileno() in ready:
        # It never speaks first: it ended. Said at once, so that nobody asks over this session any more.
        raise _Ended
    return os.read(0, size) if ready else b""


def _exactly(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    def read_exactly(size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = read(size - len(data))
            if not chunk and not data:
                return b""
            if not chunk:
                raise _Ended
            data += chunk
        return data

    return read_exactly


def _write(data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(1, rest) :]


def _refuse(why: str) -> int:
    sys.stderr.write(f"beistand peer: {printable(why)}\n")
    return 1
