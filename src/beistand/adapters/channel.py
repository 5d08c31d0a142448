"""Framed conversations with the peer's agent over ssh; every one of them has a deadline."""

import contextlib
import os
import select
import time
from collections.abc import Callable
from threading import Lock, RLock
from typing import TypeVar

import msgspec

from beistand.adapters.commands import end, last_line, start
from beistand.adapters.ssh_line import SshLine
from beistand.domain.errors import BeistandError, PeerError, PeerRefused, PeerUnreachable, Refused
from beistand.domain.message import message
from beistand.domain.pair import PROTOCOL_VERSION
from beistand.domain.value import Value
from beistand.protocol import TIMELESS, Hello, Welcome, frame, open_answer, read_frame

SSH_FAILED = 255
"""ssh's own exit code for what is no fault of the remote command (ssh(1))."""
COMMAND_MISSING = 127
_CHUNK = 65536
T = TypeVar("T")


class Channel:
    """One `ssh … beistand peer`: one request at a time, each with its answer."""

    def __init__(self, line: SshLine, hello: Hello, *, shared: bool, seconds: float) -> None:
        self._line = line
        self._in_use = RLock()
        self._process = start(line.command(shared=shared))
        self._streams = (self._process.stdin, self._process.stdout, self._process.stderr)
        for stream in self._streams:
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
        try:
            self._welcome = self._asked(hello, Welcome, seconds)
        except PeerError:
            self.close()
            raise

    @property
    def is_open(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: Value, type_: type[T], seconds: float) -> T:
        """Send the request and return its answer.

        Raises PeerRefused with the peer's message; after any other error the channel is closed.
        """
        if self._welcome.protocol != PROTOCOL_VERSION and not isinstance(request, TIMELESS):
            raise PeerRefused(
                message(
                    "protocol-differs",
                    mine=PROTOCOL_VERSION,
                    yours=self._welcome.protocol,
                    version=self._welcome.version,
                )
            )
        return self._asked(request, type_, seconds)

    def _asked(self, request: Value, type_: type[T], seconds: float) -> T:
        deadline = time.monotonic() + seconds
        body = frame(request)
        with self._in_use:
            try:
                self._write(body, deadline)
                answer = read_frame(lambda size: self._read(size, deadline))
                value, told = open_answer(answer, type_)
            except (msgspec.DecodeError, Refused) as problem:
                self.close()
                why = str(problem)
                raise PeerRefused(message("peer-unreadable", server=self._line.server, why=why)) from None
            except PeerError:
                self.close()
                raise
        if told.error is not None:
            raise PeerRefused(told.error)
        assert value is not None
        return value

    def close(self) -> None:
        """End the conversation at once; may be called from another thread, and twice."""
        end(self._process)
        # Who is just asking notices the end by itself; only then are the pipes nobody's.
        with self._in_use:
            for stream in self._streams:
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()

    def _write(self, data: bytes, deadline: float) -> None:
        assert self._process.stdin is not None
        pipe = self._process.stdin.fileno()
        rest = memoryview(data)
        while rest:
            self._wait(pipe, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(pipe, rest[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._ended() from None

    def _read(self, size: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        data = bytearray()
        while len(data) < size:
            self._wait(pipe, select.POLLIN, deadline)
            try:
                chunk = os.read(pipe, size - len(data))
            except BlockingIOError:
                continue
            if not chunk:
                raise self._ended()
            data += chunk
        return bytes(data)

    def _wait(self, pipe: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(pipe, event)
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise PeerUnreachable("peer-silent", server=self._line.server)

    def _ended(self) -> BeistandError:
        """Return why the conversation ended before an answer came."""
        complaint = self._complaint()
        code = self._process.returncode
        if code == SSH_FAILED or code < 0:
            return self._line.failure(complaint)
        if code == COMMAND_MISSING:
            return PeerRefused(message("beistand-missing-there", server=self._line.server))
        return PeerUnreachable("peer-agent-down", server=self._line.server, why=last_line(complaint))

    def _complaint(self) -> str:
        assert self._process.stderr is not None
        with contextlib.suppress(TimeoutError):
            self._process_ends()
        end(self._process)
        with contextlib.suppress(BlockingIOError):
            return (os.read(self._process.stderr.fileno(), _CHUNK) or b"").decode("utf-8", "replace")
        return ""

    def _process_ends(self) -> None:
        # Its output ended: what is left of it is the exit code, a moment later.
        limit = time.monotonic() + 2.0
        watch = os.pidfd_open(self._process.pid)
        try:
            select.select([watch], [], [], max(0.0, limit - time.monotonic()))
        finally:
            os.close(watch)


class Channels:
    """Conversations that are free are used again; one that is busy never makes another caller wait."""

    def __init__(self, open_channel: Callable[[float], Channel]) -> None:
        self._open_channel = open_channel
        self._lock = Lock()
        self._free: list[Channel] = []
        self._all: set[Channel] = set()

    def ask(self, request: Value, type_: type[T], seconds: float, *, is_new: bool = False) -> T:
        """Ask over a free channel, or over a new one (`is_new`: in any case); opening it counts into the seconds."""
        deadline = time.monotonic() + seconds
        channel = (None if is_new else self._take()) or self._new(seconds)
        try:
            answer = channel.ask(request, type_, deadline - time.monotonic())
        except PeerError:
            self._give_back(channel)
            raise
        self._give_back(channel)
        return answer

    def close(self) -> None:
        with self._lock:
            channels, self._all, self._free = self._all, set(), []
        for each in channels:
            each.close()

    def _take(self) -> Channel | None:
        with self._lock:
            while self._free:
                channel = self._free.pop()
                if channel.is_open:
                    return channel
                self._all.discard(channel)
        return None

    def _new(self, seconds: float) -> Channel:
        channel = self._open_channel(seconds)
        with self._lock:
            self._all.add(channel)
        return channel

    def _give_back(self, channel: Channel) -> None:
        with self._lock:
            if channel in self._all and channel.is_open:
                self._free.append(channel)
                return
            self._all.discard(channel)
        channel.close()
