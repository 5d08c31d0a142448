"""The command line of a running Asterisk, by its control socket (port `PbxConsole`).

The protocol is that of `asterisk -rx` (main/asterisk.c, `netconsole`): a greeting line, then a command that ends
with a NUL; after `cli quit after ` the PBX closes the connection once the commands are done.
"""

import os
import socket
import struct
from collections.abc import Sequence
from contextlib import closing
from time import monotonic

from beistand.domain.errors import Failed

MOST_BYTES = 1 << 20
"""More than a thousand lines and their settings; whatever is longer is no answer to a question of ours."""
QUIT = b"cli quit after "
MOST_AT_ONCE = 480
"""The PBX reads a command into 512 bytes, `QUIT` included, and drops what does not fit."""


class SocketConsole:
    def ask(self, socket: str, commands: Sequence[str], seconds: float) -> str:
        end = monotonic() + seconds
        try:
            said = [_asked(socket, each, end) for each in _grouped(commands)]
        except (TimeoutError, BlockingIOError) as error:
            raise Failed("pbx-not-asked", path=socket, why="timeout") from error
        except OSError as error:
            raise Failed("pbx-not-asked", path=socket, why=error.strerror or str(error)) from error
        return b"".join(said).decode(errors="replace")


def _grouped(commands: Sequence[str]) -> list[bytes]:
    """Return the commands as the messages that carry them. Raises OSError for one that no message takes."""
    groups = [b""]
    for command in (each.encode() + b"\0" for each in commands):
        if len(command) > MOST_AT_ONCE:
            raise OSError(0, "the command is too long")
        if len(groups[-1]) + len(command) > MOST_AT_ONCE:
            groups.append(b"")
        groups[-1] += command
    return groups


def _asked(path: str, commands: bytes, end: float) -> bytes:
    """Return what comes behind the greeting line. Raises OSError, TimeoutError at the end of the time."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as line:
        # A queue without room is waited for by the kernel alone, and for so long (unix(7)). A socket of
        # `settimeout` fails at once instead: to whoever asks, a PBX that hangs would be two different troubles.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(_left(end)))
        # By descriptor: the folder belongs to the PBX, and no link in it leads anywhere else.
        place = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            line.connect(f"/proc/self/fd/{place}")
        finally:
            os.close(place)
        line.settimeout(_left(end))
        line.sendall(QUIT + commands)
        answer = b""
        while True:
            line.settimeout(_left(end))
            piece = line.recv(65536)
            if not piece:
                return answer.partition(b"\n")[2]
            answer += piece
            if len(answer) > MOST_BYTES:
                raise OSError(0, "endless answer")


def _timeval(seconds: float) -> bytes:
    """Return the time as a `struct timeval`. One of zero would mean: for ever."""
    return struct.pack("ll", int(seconds), max(1, int(seconds % 1 * 1_000_000)))


def _left(end: float) -> float:
    left = end - monotonic()
    if left <= 0:
        raise TimeoutError
    return left
