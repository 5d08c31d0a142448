"""The agent's end of `beistand-read`: ask, wait no longer than said, and go on without an answer.

What a reader is given it gets as descriptors: regular files, opened below the profile's folders by `Folders`.
"""

import atexit
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from threading import Lock
from typing import TypeVar

import msgspec

from beistand.adapters import commands
from beistand.domain.errors import BeistandError, Failed, NoSpace
from beistand.domain.manifest import shown
from beistand.domain.message import Message
from beistand.reader.asking import LARGEST_ANSWER, LARGEST_ORDER, Answer, Ask, Limits, Order, Unread

COURTESY_SECONDS = 2.0
"""For what a person is shown, and what a takeover can do without."""
FORK_SECONDS = 5.0
LOOK_SECONDS = 0.05
"""Between two looks whether a person ended the job."""
ROOM_LEFT = 16 << 20
"""Bytes that a copy leaves free on its file system."""
NOBODY = 65534
"""Reads in place of root: an account that owns nothing (Debian's nobody and nogroup)."""
SCRATCH = ".reading-"
T = TypeVar("T")
_encode = msgspec.msgpack.Encoder().encode
_answers = msgspec.msgpack.Decoder(Answer)


class Scratch(msgspec.Struct, frozen=True):
    """A folder that one reader alone may write to."""

    path: Path
    handle: int


class Readers:
    """One process that waits, and a child of it for each question. Safe to share between threads."""

    def __init__(self, patience: float = COURTESY_SECONDS, cleared: Sequence[Path] = ()) -> None:
        """`patience`: seconds for an answer where the question says none. `cleared`: folders that are ours alone,
        where nothing stays that readers of an agent left that was killed.
        """
        forget_scratch(*cleared)
        self.patience = patience
        self._lock = Lock()
        self._process: commands.Program | None = None
        self._control: socket.socket | None = None
        self._started_by = 0
        self._troubles: dict[tuple[str, str], tuple[Message, float]] = {}

    def ask(  # noqa: PLR0913  what is asked, of what, and within which limits
        self,
        ask: Ask,
        kind: type[T] | tuple[type[T], ...],
        path: str,
        files: Mapping[str, int],
        *,
        scratch: Scratch | None = None,
        limits: Limits | None = None,
        seconds: float | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> T:
        """Return the answer, of this type, to a question about `path`, read from these descriptors, which stay open.

        `check` is called again and again, and may raise: the reader is killed.
        Raises Failed with the code of an Unread, `reading-took-too-long` or `reading-ended`.
        """
        uid, gid = account_of(next(iter(files.values())) if files else scratch.handle if scratch else -1)
        order = Order(ask=ask, files=tuple(files), uid=uid, gid=gid, limits=limits or Limits())
        seconds = self.patience if seconds is None else seconds
        end = time.monotonic() + seconds
        back, theirs = os.pipe2(os.O_CLOEXEC)
        try:
            with _closing(theirs):
                passed = [theirs, *([scratch.handle] if scratch else []), *files.values()]
                child = self._forked(order, passed, path)
            with _killing(child):
                body = _read(back, child, end, check)
        finally:
            os.close(back)
        if body is None:
            raise Failed("reading-took-too-long", path=shown(path), seconds=seconds)
        answer = _decoded(body, path)
        if not isinstance(answer, kind):  # whoever took over the reader gets nothing by it
            raise Failed("reading-ended", path=shown(path))
        return answer

    def _forked(self, order: Order, passed: list[int], path: str) -> int:
        """Return a descriptor of the child that works on the order."""
        body = _encode(order)
        if len(body) > LARGEST_ORDER:
            raise Failed("reading-too-much", path=shown(path))
        with self._lock:
            try:
                self._send(body, passed)
                assert self._control is not None
                _, handles, _, _ = socket.recv_fds(self._control, 1, 1)
            except OSError as error:
                self._end()
                why = error.strerror or str(error)
                raise Failed("reading-failed", path=shown(path), why=why) from error
            if len(handles) != 1:
                self._end()
                raise Failed("reading-ended", path=shown(path))
            return handles[0]

    def _send(self, body: bytes, passed: list[int]) -> None:
        control = self._connected()
        try:
            socket.send_fds(control, [body], passed)
        except OSError:
            # Somebody ended it since the last question.
            self._end()
            socket.send_fds(self._connected(), [body], passed)

    def _connected(self) -> socket.socket:
        if self._control is not None and self._started_by == os.getpid():
            return self._control
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # -I: nothing of the environment or the working folder says what is imported.
            arguments = [sys.executable, "-I", "-m", "beistand.reader.process"]
            self._process = commands.start_beside(arguments, theirs.fileno())
        mine.settimeout(FORK_SECONDS)
        self._control, self._started_by = mine, os.getpid()
        atexit.register(self._end)
        return mine

    def _end(self) -> None:
        atexit.unregister(self._end)
        if self._control is not None:
            self._control.close()
        if self._process is not None and self._started_by == os.getpid():
            commands.end(self._process)
        self._control = self._process = None

    def close(self) -> None:
        """End the process that waits; the next question starts it again."""
        with self._lock:
            self._end()

    @contextmanager
    def telling(self, path: str, act: str = "", seconds: float = inf) -> Iterator[None]:
        """Keep in mind what is wrong with this file, until it is read without trouble. Passes errors on.

        `act`: what else than reading is tried, told beside it for so many seconds.
        """
        try:
            yield
        except BeistandError as error:
            self._troubles[path, act] = (error.message, time.monotonic() + seconds)
            raise
        self._troubles.pop((path, act), None)

    def troubles(self) -> tuple[Message, ...]:
        """Return why files are not read now, in the order of their paths."""
        now = time.monotonic()
        found = sorted(self._troubles.copy().items(), key=lambda each: each[0])
        return tuple(each for _, (each, until) in found if until > now)


def account_of(file: int) -> tuple[int, int]:
    """Return user and group that read this file: its owner, and in place of root somebody who owns nothing."""
    status = os.fstat(file)
    return status.st_uid or NOBODY, status.st_gid or NOBODY


@contextmanager
def scratch_for(file: int, folder: Path, size: int) -> Iterator[Scratch]:
    """Give whoever reads this file a folder below `folder` for so many bytes; it is gone afterwards.

    Raises NoSpace `disk-full`: a file with holes says any size, and a full disk would stop more than a reader. OSError.
    """
    figures = os.statvfs(folder)
    if size > figures.f_bavail * figures.f_frsize - ROOM_LEFT:
        raise NoSpace("disk-full", path=str(folder))
    path = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=folder))
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with _closing(handle):
            if os.geteuid() == 0:
                os.fchown(handle, *account_of(file))
            yield Scratch(path, handle)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def forget_scratch(*folders: Path) -> None:
    """Remove what readers of an agent that was killed left below these folders; nobody reads now."""
    for folder in folders:
        for left in folder.glob(f"{SCRATCH}*"):
            shutil.rmtree(left, ignore_errors=True)


SHARED = Readers()
"""Of this process. Started with the first question."""


def _read(back: int, child: int, end: float, check: Callable[[], None]) -> bytes | None:
    """Return what the child wrote; None where it was not done in time. No more than an answer is kept."""
    pieces, size = [], 0
    poll = select.poll()
    poll.register(back, select.POLLIN)
    while True:
        check()
        left = end - time.monotonic()
        if left <= 0:
            return None
        if not poll.poll(min(left, LOOK_SECONDS) * 1000):
            continue
        piece = os.read(back, 1 << 16)
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_ANSWER:
            break
    # Its end, too, is waited for: nobody holds a descriptor of what it wrote any more.
    gone = select.poll()
    gone.register(child, select.POLLIN)
    gone.poll(max(0.0, end - time.monotonic()) * 1000)
    return b"".join(pieces)


def _decoded(body: bytes, path: str) -> Answer:
    if not body:
        # It was ended by a limit, or by somebody who may.
        raise Failed("reading-ended", path=shown(path))
    try:
        answer: Answer = _answers.decode(body)
    except msgspec.MsgspecError:
        raise Failed("reading-too-much", path=shown(path)) from None
    if isinstance(answer, Unread):
        raise Failed(answer.code, path=shown(path), **({"why": shown(answer.why)} if answer.why else {}))
    return answer


@contextmanager
def _closing(handle: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(handle)


@contextmanager
def _killing(child: int) -> Iterator[None]:
    """Leave no child behind, however the block ends."""
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(child, signal.SIGKILL)
        gone = select.poll()
        gone.register(child, select.POLLIN)
        gone.poll(FORK_SECONDS * 1000)
        os.close(child)
