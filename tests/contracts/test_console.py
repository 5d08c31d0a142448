"""The console of a PBX: a listener that speaks as Asterisk does, or as a broken one would."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from beistand.adapters.console import MOST_AT_ONCE, MOST_BYTES, SocketConsole
from beistand.domain.errors import Failed

LIMIT = 512
"""Asterisk reads once into so many bytes."""


@contextmanager
def listening(path: Path, answer: Callable[[socket.socket], None]) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            with suppress(OSError):
                while True:
                    line, _ = server.accept()
                    with line, suppress(OSError):
                        answer(line)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def like_asterisk(line: socket.socket) -> None:
    line.sendall(b"pbx/700/22.10.1\n")
    said = line.recv(LIMIT)
    assert said.startswith(b"cli quit after ")
    for command in said.removeprefix(b"cli quit after ").split(b"\0"):
        if command:
            line.sendall(b"did " + command + b"\n")


def test_commands_are_run_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "ctl"
    with listening(path, like_asterisk):
        assert SocketConsole().ask(str(path), ["one", "two"], 5) == "did one\ndid two\n"


def test_many_commands_are_more_than_one_message(tmp_path: Path) -> None:
    path = tmp_path / "ctl"
    commands = [f"pjsip qualify {number}" for number in range(1000, 1200)]
    with listening(path, like_asterisk):
        said = SocketConsole().ask(str(path), commands, 10)
    assert said.splitlines() == [f"did {each}" for each in commands]


def silent(line: socket.socket) -> None:
    while line.recv(1):  # until the other side has had enough
        pass


def endless(line: socket.socket) -> None:
    while True:
        line.sendall(b"x" * 65536)


def slow(line: socket.socket) -> None:
    line.settimeout(0.05)
    while True:
        line.sendall(b"x")
        with suppress(TimeoutError):
            line.recv(0)
            line.recv(600)


@pytest.mark.parametrize("answer", [silent, endless, slow])
def test_a_pbx_that_hangs_or_never_ends_is_told_in_time(
    tmp_path: Path, answer: Callable[[socket.socket], None]
) -> None:
    path = tmp_path / "ctl"
    began = time.monotonic()
    with listening(path, answer), pytest.raises(Failed, match="pbx-not-asked"):
        SocketConsole().ask(str(path), ["core show version"], 0.5)
    assert time.monotonic() - began < 30
    assert MOST_BYTES > 10 * 65536


@contextmanager
def full_queue(path: Path) -> Iterator[tuple[socket.socket, list[socket.socket]]]:
    """Yield a listener that takes nobody in, and those that leave no room in its queue."""
    waiting = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(3)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        server.listen(0)
        for each in waiting:
            each.setblocking(False)
            with suppress(BlockingIOError):
                each.connect(str(path))
        try:
            yield server, waiting
        finally:
            for each in waiting:
                each.close()


def test_a_stopped_process_with_a_full_queue_is_told_like_any_that_hangs(tmp_path: Path) -> None:
    """Each question that nobody answered leaves a place in the queue taken: it is the same trouble, told once."""
    full, hangs = tmp_path / "full", tmp_path / "hangs"
    with full_queue(full), pytest.raises(Failed) as told:
        SocketConsole().ask(str(full), ["core show version"], 0.3)
    with listening(hangs, silent), pytest.raises(Failed) as told_before:
        SocketConsole().ask(str(hangs), ["core show version"], 0.3)
    assert told.value.message.fields["why"] == told_before.value.message.fields["why"] == "timeout"


def test_a_full_queue_that_gets_room_in_time_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "ctl"
    with full_queue(path) as (server, waiting):

        def serve() -> None:
            for each in waiting:
                each.close()
            with suppress(OSError):
                while True:
                    line, _ = server.accept()
                    with line, suppress(OSError, AssertionError):
                        like_asterisk(line)

        later = threading.Timer(0.2, serve)
        later.start()
        try:
            assert SocketConsole().ask(str(path), ["one"], 10) == "did one\n"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            later.join(5)


@pytest.mark.parametrize("kind", ["missing", "file", "fifo", "link", "nobody listens"])
def test_what_is_no_console_is_told(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "ctl", tmp_path / "other"
    with listening(other, like_asterisk), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        make = {
            "missing": lambda: None,
            "file": lambda: path.write_text("x"),
            "fifo": lambda: os.mkfifo(path),
            "link": lambda: path.symlink_to(other),
            "nobody listens": lambda: dead.bind(str(path)),
        }
        make[kind]()
        with pytest.raises(Failed, match="pbx-not-asked"):
            SocketConsole().ask(str(path), ["core show version"], 2)


def test_a_command_that_no_message_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="too long"):
        SocketConsole().ask(str(tmp_path / "ctl"), ["x" * MOST_AT_ONCE], 1)
