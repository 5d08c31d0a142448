"""The Unix socket: frames in, frames out, a thread a connection; who may ask what is decided in access.py."""

import os
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread

import msgspec

from beistand import __version__
from beistand.agent.caller import GROUP, Admitted, Caller, caller_of, group_id
from beistand.agent.log import log, log_bug
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.pair import PROTOCOL_VERSION
from beistand.domain.value import Value
from beistand.protocol import (
    TIMELESS,
    Answer,
    Authenticate,
    Hello,
    PeerRequest,
    PersonRequest,
    Welcome,
    frame,
    read_frame,
)
from beistand.protocol.framing import UNREADABLE

MOST_CONNECTIONS = 64
BACKLOG = 128
"""Where it is full, connect(2) fails at once for a client with a time limit (unix(7): EAGAIN)."""

Handle = Callable[[Value, Caller], Value]


class Server:
    """Accepts connections until stopped."""

    def __init__(self, path: Path, handle: Handle) -> None:
        self._path = path
        self._handle = handle
        self._places = _Places()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def open(self) -> None:
        """Listen, mode 0660, group beistand."""
        self._path.unlink(missing_ok=True)
        mask = os.umask(0o117)
        try:
            self._socket.bind(str(self._path))
        finally:
            os.umask(mask)
        group = group_id()
        if group is None:
            log("group-missing", level="warning", group=GROUP)
        else:
            os.chown(self._path, 0, group)
        self._socket.listen(BACKLOG)
        Thread(target=self._accept, name="server", daemon=True).start()

    def close(self) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed
            caller = caller_of(connection)
            if not self._places.take(caller):
                connection.close()
                continue
            Thread(target=self._serve, args=(connection, caller), name="connection", daemon=True).start()

    def _serve(self, connection: socket.socket, caller: Caller) -> None:
        try:
            with connection:
                _Conversation(connection, self._handle, caller).run()
        except (OSError, BeistandError):
            pass  # the other end went away or does not speak the protocol: nothing to tell anybody
        except Exception:  # noqa: BLE001  the edge of every connection
            log_bug("server")
        finally:
            self._places.leave(caller)


class _Places:
    """So many connections for each account of the machine: the web process cannot shut out the peer.

    Root always gets in: nobody who only looks may keep the administrator out.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken: Counter[int] = Counter()

    def take(self, caller: Caller) -> bool:
        with self._lock:
            if not caller.is_root and self._taken[caller.uid] >= MOST_CONNECTIONS:
                return False
            self._taken[caller.uid] += 1
            return True

    def leave(self, caller: Caller) -> None:
        with self._lock:
            self._taken[caller.uid] -= 1


class _Conversation:
    def __init__(self, connection: socket.socket, handle: Handle, caller: Caller) -> None:
        self._connection = connection
        self._handle = handle
        self._caller = caller
        self._type = PeerRequest if self._caller.is_peer else PersonRequest
        self._greeted = False
        self._protocol = PROTOCOL_VERSION

    def run(self) -> None:
        with self._connection.makefile("rb") as stream:
            while body := read_frame(stream.read):
                self._connection.sendall(_framed(self._answer(body)))

    def _answer(self, body: bytes) -> Answer:
        try:
            request = self._request(body)
            return Answer(body=msgspec.Raw(msgspec.json.encode(self._do(request))))
        except BeistandError as error:
            is_refusal = isinstance(error, Refused) and not self._caller.is_peer
            return Answer(error=error.message, is_refusal=is_refusal or msgspec.UNSET)
        except Exception:  # noqa: BLE001  the edge: a bug in one verb must not end the connection in silence
            return Answer(error=log_bug("verb"))

    def _request(self, body: bytes) -> Value:
        try:
            request: Value = msgspec.json.decode(body, type=self._type)
        except msgspec.ValidationError as error:
            raise Refused("bad-request", why=str(error)) from None
        except UNREADABLE:
            raise Refused("bad-request", why="not JSON") from None
        return request

    def _do(self, request: Value) -> Value:
        if isinstance(request, Hello):
            self._handle(request, self._caller)
            self._greeted, self._protocol = True, request.protocol
            return Welcome(protocol=PROTOCOL_VERSION, version=__version__)
        if not self._greeted:
            raise Refused("hello-first")
        if self._protocol != PROTOCOL_VERSION and not isinstance(request, TIMELESS):
            raise Refused(
                "protocol-differs", mine=PROTOCOL_VERSION, yours=self._protocol, version=__version__
            )
        if isinstance(request, Authenticate):
            # Whoever this connection acted for before: a try that fails leaves nobody.
            self._caller = self._caller.as_nobody()
        answer = self._handle(request, self._caller)
        if isinstance(answer, Admitted):
            self._caller, answer = answer.caller, answer.view
        return answer


def _framed(answer: Answer) -> bytes:
    try:
        return frame(answer)
    except Refused as error:
        return frame(Answer(error=error.message))
