"""A tiny agent: a real socket, the real protocol, answers as a test sets them."""

import contextlib
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

import msgspec

from beistand.domain.errors import Refused
from beistand.domain.message import Message
from beistand.domain.pair import PROTOCOL_VERSION
from beistand.domain.value import Value
from beistand.protocol import Answer, Hello, PersonRequest, Welcome, frame, read_frame

Reply = Value | Message | Refused | None | Callable[[], Value]
"""A body, an error, a refusal, None: never answer, or what makes the body once it is asked for, and may let it wait."""


def breaks() -> Value:
    """Go away instead of answering."""
    raise ConnectionResetError


class FakeAgent:
    """Answers each request type with its replies in turn; the last one stays."""

    def __init__(self, replies: dict[type[Value], Reply | list[Reply]] | None = None) -> None:
        self.requests: list[Value] = []
        self.is_gone = False
        """It ends every connection before it has answered."""
        self.answer(replies or {})
        self._folder = tempfile.TemporaryDirectory(prefix="agent-")
        self.path = Path(self._folder.name) / "agent.sock"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def __enter__(self) -> Self:
        self._socket.bind(str(self.path))
        self._socket.listen()
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing alone does not wake up a thread that accepts.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._folder.cleanup()

    def answer(self, replies: Mapping[type[Value], Reply | list[Reply]]) -> None:
        """Answer so from now on, and forget what was to be answered before."""
        known = {kind: list(_listed(each)) for kind, each in replies.items()}
        self._replies = {Hello: [Welcome(protocol=PROTOCOL_VERSION, version="0.1.0")], **known}

    def asked(self, kind: type[Value]) -> list[Value]:
        return [each for each in self.requests if isinstance(each, kind)]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
            while not self.is_gone and (body := read_frame(stream.read)):
                request = msgspec.json.decode(body, type=PersonRequest)
                self.requests.append(request)
                replies = self._replies[type(request)]
                reply = replies.pop(0) if len(replies) > 1 else replies[0]
                if reply is not None:
                    connection.sendall(frame(_answer(reply() if callable(reply) else reply)))


def _answer(reply: Value | Refused) -> Answer:
    if isinstance(reply, Refused):
        return Answer(error=reply.message, is_refusal=True)
    if isinstance(reply, Message):
        return Answer(error=reply)
    return Answer(body=msgspec.Raw(msgspec.json.encode(reply)))


def _listed(replies: Reply | list[Reply]) -> Iterator[Reply]:
    yield from replies if isinstance(replies, list) else [replies]
