"""Run programs: the only user of subprocess. Argument lists, never a shell; always a time limit."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event, Thread, Timer

from beistand.domain.errors import Cancelled, CommandFailed

SAFE_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}
"""Programs are asked in one language, so that their answers can be read."""

Program = subprocess.Popen[bytes]


@dataclass(frozen=True, kw_only=True)
class Output:
    code: int
    stdout: str
    stderr: str


def run(
    arguments: Sequence[str],
    *,
    seconds: float,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
    good: tuple[int, ...] = (0,),
) -> Output:
    """Run a program to its end and return what it printed.

    Raises CommandFailed `command-missing`, `command-timeout`, or `command-failed` for an exit code not in `good`.
    """
    try:
        process = start(arguments, environment=environment)
    except FileNotFoundError:
        raise CommandFailed("command-missing", program=arguments[0]) from None
    try:
        stdout, stderr = process.communicate(stdin.encode(), timeout=seconds)
    except subprocess.TimeoutExpired:
        end(process)
        _close_pipes(process)
        raise CommandFailed("command-timeout", program=arguments[0], seconds=seconds) from None
    output = Output(code=process.returncode, stdout=_text(stdout), stderr=_text(stderr))
    if output.code not in good:
        raise CommandFailed(
            "command-failed", program=arguments[0], status=output.code, why=last_line(output.stderr)
        )
    return output


def follow(
    arguments: Sequence[str],
    *,
    seconds: float,
    stdin: bytes,
    line: Callable[[str], None],
    cancelled: Event,
) -> Output:
    r"""Run a program and hand over each line it prints (ended by \\n or \\r) while it runs.

    Raises Cancelled when the event is set, CommandFailed as `run` does; any exit code is returned.
    """
    try:
        process = start([*arguments], environment=None)
    except FileNotFoundError:
        raise CommandFailed("command-missing", program=arguments[0]) from None
    timed_out = Event()

    def give_up() -> None:
        timed_out.set()
        end(process)

    limit = Timer(seconds, give_up)
    watcher = _end_when(cancelled, process)
    limit.start()
    try:
        errors: list[bytes] = []
        feeder = _pump(process, stdin, errors)
        _lines(process, line)
        process.wait()
        for each in feeder:
            each.join()
    finally:
        limit.cancel()
        end(process)
        watcher()
        _close_pipes(process)
    if cancelled.is_set():
        raise Cancelled
    if timed_out.is_set():
        raise CommandFailed("command-timeout", program=arguments[0], seconds=seconds)
    return Output(code=process.returncode, stdout="", stderr=_text(b"".join(errors)))


def start(
    arguments: Sequence[str], *, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start a program with pipes on all three streams, in a process group of its own."""
    return subprocess.Popen(
        list(arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**SAFE_ENVIRONMENT, **(environment or {})},
        start_new_session=True,
    )


def start_beside(
    arguments: Sequence[str], control: int, *, errors: int | None = None
) -> "subprocess.Popen[bytes]":
    """Start a program that takes its orders from this socket in place of its standard input."""
    return subprocess.Popen(
        list(arguments),
        stdin=control,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        env=SAFE_ENVIRONMENT,
        start_new_session=True,
    )


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill the program and everything it started; nothing is left waiting."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def last_line(text: str) -> str:
    """Return the last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def _close_pipes(process: "subprocess.Popen[bytes]") -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            # What could not be written any more is of no use to anybody.
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _lines(process: "subprocess.Popen[bytes]", line: Callable[[str], None]) -> None:
    assert process.stdout is not None
    rest = b""
    while chunk := os.read(process.stdout.fileno(), 65536):
        *whole, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
        for each in whole:
            line(_text(each))
    if rest:
        line(_text(rest))


def _pump(process: "subprocess.Popen[bytes]", stdin: bytes, errors: list[bytes]) -> "list[Thread]":
    assert process.stdin is not None
    assert process.stderr is not None
    to, back = process.stdin, process.stderr

    def feed() -> None:
        try:
            to.write(stdin)
            to.close()
        except BrokenPipeError:
            pass  # the program ended early: its exit code tells why

    threads = [
        Thread(target=feed, daemon=True),
        Thread(target=lambda: errors.append(back.read()), daemon=True),
    ]
    for each in threads:
        each.start()
    return threads


def _end_when(cancelled: Event, process: "subprocess.Popen[bytes]") -> Callable[[], None]:
    over = Event()

    def watch() -> None:
        while not over.wait(0.1):
            if cancelled.is_set():
                end(process)
                return

    thread = Thread(target=watch, daemon=True)
    thread.start()

    def finish() -> None:
        over.set()
        thread.join()

    return finish
