"""The command line's end of the agent's socket. Every call has a deadline (F12)."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from beistand import __version__
from beistand.domain.errors import BeistandError, Failed, Refused
from beistand.domain.job import Job, JobState
from beistand.domain.message import Message
from beistand.domain.pair import PROTOCOL_VERSION
from beistand.domain.value import Value
from beistand.ports.places import Places
from beistand.protocol import (
    TIMELESS,
    AccountView,
    AuditLines,
    Authenticate,
    Hello,
    LogLines,
    ReadAudit,
    ReadModuleLog,
    WatchJob,
    Welcome,
    frame,
    open_answer,
    read_frame,
)

T = TypeVar("T")
Page = TypeVar("Page", bound=LogLines | AuditLines)
SOCKET = "BEISTAND_SOCKET"
"""Environment variable: where the agent listens, if not at its usual place."""
USUAL_SECONDS = 10.0
WATCH_SECONDS = 10.0


class Told(BeistandError):
    """What the agent answered instead."""

    def __init__(self, message: Message, *, is_refusal: bool = False) -> None:
        Exception.__init__(self, str(message))
        self.message = message
        self.is_refusal = is_refusal
        """Nothing was changed."""


class Client:
    """One connection. Raises Refused `agent-not-running`, `agent-not-permitted`, `protocol-differs`;

    Failed `agent-silent`, `agent-answer-wrong`; Told with what the agent answered.
    """

    def __init__(self, path: Path | None = None, *, greeted_within: float = USUAL_SECONDS) -> None:
        self._greeted_within = greeted_within
        self._path = path or Path(os.environ.get(SOCKET) or Places().socket)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._welcome = Welcome(protocol=PROTOCOL_VERSION, version=__version__)

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._socket.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def call(self, request: Value, answer: type[T], seconds: float = USUAL_SECONDS) -> T:
        """Ask and return the answer; after any failure but Told the connection is of no more use."""
        if self._welcome.protocol != PROTOCOL_VERSION and not isinstance(request, (Hello, *TIMELESS)):
            raise Refused(
                "protocol-differs",
                mine=PROTOCOL_VERSION,
                yours=self._welcome.protocol,
                version=self._welcome.version,
            )
        self._socket.settimeout(seconds)
        try:
            self._socket.sendall(frame(request))
            body, told = open_answer(read_frame(self._read), answer)
        except TimeoutError:
            raise Failed("agent-silent", seconds=seconds) from None
        except OSError as trouble:
            raise Failed("agent-gone", why=trouble.strerror or str(trouble)) from None
        except msgspec.MsgspecError as wrong:
            raise Failed("agent-answer-wrong", why=str(wrong)) from None
        if told.error is not None:
            raise Told(told.error, is_refusal=told.is_refusal is True)
        assert body is not None
        return body

    def authenticate(
        self, token: str, *, address: str = "", name: str = "", password: str = ""
    ) -> AccountView:
        """Act for the account of this session or program's token on this connection from now on.

        With a password, which an administrator gave just now, also for what is dangerous; `name` says whose it
        is where the token is a program's. Raises Told `session-ended`, `log-in-wrong`, `too-many-tries` (its field
        `seconds`): then this connection acts for nobody.
        """
        request = Authenticate(token=token, address=address, name=name, password=password)
        return self.call(request, AccountView)

    def _open(self) -> None:
        self._socket.settimeout(self._greeted_within)
        try:
            self._socket.connect(str(self._path))
        except PermissionError:
            raise Refused("agent-not-permitted", socket=str(self._path)) from None
        except OSError:
            raise Refused("agent-not-running", socket=str(self._path)) from None
        self._welcome = self.call(Hello(version=__version__), Welcome, self._greeted_within)

    def watch(self, job: Job) -> Job:
        """Return the job after its next change, or as it is after a while."""
        request = WatchJob(id=job.id, seen=job.revision, seconds=WATCH_SECONDS)
        return self.call(request, Job, WATCH_SECONDS + USUAL_SECONDS)

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = self._socket.recv(size - len(data))
            if not chunk:
                raise Failed("agent-gone", why="connection closed")
            data += chunk
        return data


def log_pages(
    ask: Callable[[Value, type[Page]], Page], asked: ReadModuleLog | ReadAudit, answer: type[Page]
) -> Iterator[Page]:
    """Yield the answers from this request on, newest first, to the end of what is kept."""
    while True:
        page = ask(asked, answer)
        yield page
        if not page.older:
            return
        asked = msgspec.structs.replace(asked, before=page.older)


def has_ended(job: Job) -> bool:
    return job.state is not JobState.RUNNING
