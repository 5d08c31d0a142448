"""A way to an address that breaks when a test wants it: TCP, passed on as it is."""

import socket
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Self


class Line:
    """Leads from `port`, at the same host, to this address until it is cut; then nobody gets through."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._to = to
        self.port = 0
        self._ends: list[socket.socket] = []
        self.mend()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()

    def cut(self) -> None:
        # Closing alone wakes up no thread that accepts or reads.
        for each in (self._door, *self._ends):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def mend(self) -> None:
        self._door = socket.create_server((self._to[0], self.port))
        self.port = self._door.getsockname()[1]
        Thread(target=self._accept, args=(self._door,), daemon=True).start()

    def _accept(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = door.accept()
                far = socket.create_connection(self._to)
                self._ends += [near, far]
                for here, there in ((near, far), (far, near)):
                    Thread(target=_pass_on, args=(here, there), daemon=True).start()


def _pass_on(here: socket.socket, there: socket.socket) -> None:
    with suppress(OSError):
        while piece := here.recv(65536):
            there.sendall(piece)
        there.shutdown(socket.SHUT_WR)
