"""The process `beistand-read`: waits beside the agent and gives each question a child of its own.

It is started once, so that a question costs a fork of a small process; it reads no file itself. It ends with the agent.
"""

import array
import codecs
import ctypes
import gc
import os
import platform
import signal
import socket
import tempfile
import time
from contextlib import suppress

import msgspec

from beistand.reader import answering
from beistand.reader.asking import (
    LARGEST_ANSWER,
    LARGEST_ORDER,
    MOST_FILES,
    CopyDatabase,
    Order,
    SelectRows,
    Unread,
)
from beistand.reader.confine import give_up_rights

CONTROL = 0
"""The socket to the agent, in place of the standard input."""
_PR_SET_NAME = 15
_encode = msgspec.msgpack.Encoder().encode
_orders = msgspec.msgpack.Decoder(Order)


def main() -> None:
    """Serve until the agent closes its end."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, b"beistand-read", 0, 0, 0)
    # What a child would have to look for: it has no files any more.
    for each in ("cp1252", "utf-8-sig", "idna"):
        codecs.lookup(each)
    time.localtime()
    platform.machine()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the agent's business
    _into_an_empty_folder()
    gc.freeze()
    with socket.socket(fileno=CONTROL) as control:
        while serve_one(control):
            pass


def _into_an_empty_folder() -> None:
    """Stand in a folder that has no name any more: nobody can put anything there."""
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    os.rmdir(folder)


def serve_one(control: socket.socket) -> bool:
    """Take one order, fork its child and pass the child's descriptor; return False when the agent has gone."""
    body, descriptors = _received(control)
    if not body:
        return False
    _bury()
    child = os.fork()
    if child == 0:
        _answer(body, descriptors)
    for each in descriptors:
        os.close(each)
    handle = os.pidfd_open(child)
    try:
        socket.send_fds(control, [b"."], [handle])
    finally:
        os.close(handle)
    return True


def _bury() -> None:
    """Collect the children that have ended, before there are more: only then may their numbers be given anew."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _received(control: socket.socket) -> tuple[bytes, list[int]]:
    room = socket.CMSG_SPACE((MOST_FILES + 2) * 4)
    body, parts, _, _ = control.recvmsg(LARGEST_ORDER, room, socket.MSG_CMSG_CLOEXEC)
    numbers = array.array("i")
    for level, kind, data in parts:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    return body, list(numbers)


def _answer(body: bytes, descriptors: list[int]) -> None:
    """Answer one order and end; nothing of it outlives the child."""
    status = 1
    try:
        order = _orders.decode(body)
        back, rest = descriptors[0], descriptors[1:]
        scratch = rest.pop(0) if len(rest) > len(order.files) else None
        _close_all_but(descriptors)
        is_first = isinstance(order.ask, CopyDatabase | SelectRows)
        give_up_rights(order.uid, order.gid, scratch, order.limits, is_first=is_first)
        answer = _encode(answering.answer(order.ask, dict(zip(order.files, rest, strict=True)), rest))
        if len(answer) > LARGEST_ANSWER:
            answer = _encode(Unread(code="reading-too-much"))
        _write(back, answer)
        status = 0
    except BaseException as error:  # noqa: BLE001  a child's edge: the agent says that there was no answer
        os.write(2, f"beistand-read: {type(error).__name__}: {error}\n".encode(errors="replace")[:400])
    finally:
        os._exit(status)


def _close_all_but(descriptors: list[int]) -> None:
    # Not closed but replaced: SQLite takes none of the first three for a file, and would look for /dev/null.
    for each in (CONTROL, 1):
        os.dup2(2, each)
    keep = [2, *sorted(descriptors)]
    for low, high in zip(keep, [*keep[1:], 1 << 20], strict=True):
        if low + 1 < high:
            os.closerange(low + 1, high)


def _write(back: int, answer: bytes) -> None:
    rest = memoryview(answer)
    while rest:
        rest = rest[os.write(back, rest) :]


if __name__ == "__main__":
    main()
