"""The Unix socket: frames in, frames out, a thread a connection; who may ask what is decided here."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from threading import BoundedSemaphore, Thread

import msgspec

from beistand import __version__
from beistand.agent.caller import GROUP, Caller, caller_of, group_id
from beistand.agent.log import log, log_bug
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.message import Message
from beistand.domain.pair import PROTOCOL_VERSION
from beistand.domain.value import Value
from beistand.protocol import (
    TIMELESS,
    Answer,
    GetConfig,
    GetStatus,
    Hello,
    ListGenerations,
    PeerRequest,
    PersonRequest,
    PlanTakeover,
    WatchJob,
    Welcome,
    frame,
    read_frame,
)

MOST_CONNECTIONS = 64
BACKLOG = 128
"""Where it is full, connect(2) fails at once for a client with a time limit (unix(7): EAGAIN)."""
READERS_MAY = (Hello, GetStatus, GetConfig, ListGenerations, PlanTakeover, WatchJob)
"""What a member of the group may ask without being root: looks, never acts."""

Handle = Callable[[Value, Caller], Value]


class Server:
    """Accepts connections until stopped."""

    def __init__(self, path: Path, handle: Handle) -> None:
        self._path = path
        self._handle = handle
        self._slots = BoundedSemaphore(MOST_CONNECTIONS)
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
            # Root always gets in: nobody who only looks may keep the administrator out.
            is_counted = not caller_of(connection).is_root
            if is_counted and not self._slots.acquire(blocking=False):
                connection.close()
                continue
            Thread(target=self._serve, args=(connection, is_counted), name="connection", daemon=True).start()

    def _serve(self, connection: socket.socket, is_counted: bool) -> None:
        try:
            with connection:
                _Conversation(connection, self._handle).run()
        except (OSError, BeistandError):
            pass  # the other end went away or does not speak the protocol: nothing to tell anybody
        except Exception:  # noqa: BLE001  the edge of every connection
            log_bug("server")
        finally:
            if is_counted:
                self._slots.release()


class _Conversation:
    def __init__(self, connection: socket.socket, handle: Handle) -> None:
        self._connection = connection
        self._handle = handle
        self._caller = caller_of(connection)
        self._type = PeerRequest if self._caller.is_peer else PersonRequest
        self._greeted = False
        self._protocol = PROTOCOL_VERSION

    def run(self) -> None:
        with self._connection.makefile("rb") as stream:
            while body := read_frame(stream.read):
                self._connection.sendall(_framed(self._answer(body)))

    def _answer(self, body: bytes) -> Answer:
        try:
            request: Value = msgspec.json.decode(body, type=self._type)
            return Answer(body=msgspec.Raw(msgspec.json.encode(self._do(request))))
        except msgspec.ValidationError as error:
            return Answer(error=Message(code="bad-request", fields={"why": str(error)}))
        except msgspec.DecodeError:
            return Answer(error=Message(code="bad-request", fields={"why": "not JSON"}))
        except BeistandError as error:
            return Answer(error=error.message)
        except Exception:  # noqa: BLE001  the edge: a bug in one verb must not end the connection in silence
            return Answer(error=log_bug("verb"))

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
        if not (self._caller.is_root or self._caller.is_peer or isinstance(request, READERS_MAY)):
            raise Refused("needs-root", user=self._caller.user)
        return self._handle(request, self._caller)


def _framed(answer: Answer) -> bytes:
    try:
        return frame(answer)
    except Refused as error:
        return frame(Answer(error=error.message))
