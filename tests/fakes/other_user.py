"""Act as another account of the machine, and speak to the agent's socket as it may."""

import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec

from beistand.domain.message import Message
from beistand.domain.value import Value
from beistand.protocol import Answer, Hello, frame, open_answer, read_frame

NOBODY = 65534


def as_user(uid: int, act: Callable[[], Any]) -> Any:
    """Run in a child with this uid; what it returns comes back as JSON."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setuid(uid)
            body = msgspec.json.encode(act())
            with os.fdopen(into, "wb") as pipe:
                pipe.write(body)
        finally:
            os._exit(0)
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return msgspec.json.decode(answer)


def let_everybody_reach(path: Path) -> None:
    """Open the socket and the folders of the test above it, as the group's membership does on an appliance."""
    path.chmod(0o666)
    for above in path.parents:
        if tempfile.gettempdir() in map(str, above.parents):
            above.chmod(0o755)


class Line:
    """A connection, from the first byte on."""

    def __init__(self, path: Path, seconds: float = 20.0) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(seconds)
        self.socket.connect(str(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def hello(self) -> Self:
        self.ask(Hello(version="1"))
        return self

    def ask(self, request: Value) -> tuple[object, Message | None]:
        return self.send(frame(request))

    def answer(self, request: Value) -> Answer:
        """Return the whole answer."""
        self.socket.sendall(frame(request))
        return open_answer(read_frame(self._read), Any)[1]

    def send(self, body: bytes) -> tuple[object, Message | None]:
        self.socket.sendall(body)
        done, answer = open_answer(read_frame(self._read), Any)
        return done, answer.error

    def code(self, request: Value) -> str:
        """Return the code of what is answered instead; empty when it was done."""
        _, error = self.ask(request)
        return error.code if error else ""

    def _read(self, size: int) -> bytes:
        return self.socket.recv(size, socket.MSG_WAITALL)
