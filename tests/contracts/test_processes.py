"""The contract of the port Processes on the real /proc: who runs a program, below whom, and that no other is ended."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from beistand.adapters.processes import ProcProcesses
from contracts.segments import until

SERVER = "import signal, socket\ns = socket.socket(socket.AF_UNIX)\ns.bind({!r})\ns.listen()\nsignal.pause()"
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def program(tmp_path: Path) -> str:
    """A program of its own: nobody else on this machine runs it."""
    path = tmp_path / "pbx"
    shutil.copy2(os.path.realpath(shutil.which("sleep") or "/bin/sleep"), path)
    return str(path)


@pytest.fixture
def start() -> Iterator[Start]:
    made: list[subprocess.Popen[bytes]] = []

    def begin(*argv: str) -> subprocess.Popen[bytes]:
        made.append(subprocess.Popen(argv))
        return made[-1]

    yield begin
    for each in made:
        each.kill()
        each.wait()


def test_it_is_found_by_what_it_executes_with_who_is_above_it(program: str, start: Start) -> None:
    processes = ProcProcesses()
    assert processes.running([program], "") == ()
    one = start(program, "300")
    until(lambda: len(processes.running([program], "")) == 1)
    (found,) = processes.running([program], "")
    assert (found.pid, found.program, found.command) == (one.pid, program, (program, "300"))
    assert found.user == "root" or os.geteuid() != 0
    assert found.parents
    assert not found.listens
    assert not found.has_console


def test_a_link_to_the_program_is_the_program(program: str, tmp_path: Path, start: Start) -> None:
    (tmp_path / "link").symlink_to(program)
    start(str(tmp_path / "link"), "300")
    until(lambda: len(ProcProcesses().running([str(tmp_path / "link")], "")) == 1)
    assert len(ProcProcesses().running([program], "")) == 1


def test_who_is_behind_the_console_is_found_whatever_it_executes(tmp_path: Path, start: Start) -> None:
    console = str(tmp_path / "pbx.ctl")
    one = start(sys.executable, "-c", SERVER.format(console))
    until(lambda: len(ProcProcesses().running(["/nowhere/pbx"], console)) == 1)
    (found,) = ProcProcesses().running(["/nowhere/pbx"], console)
    assert found.pid == one.pid
    assert found.listens
    assert found.has_console
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(console)  # who asks at a console is none
        assert [each.pid for each in ProcProcesses().running(["/nowhere/pbx"], console)] == [one.pid]


@pytest.mark.parametrize("space", ["--pid", "--net"])
def test_what_runs_in_namespaces_of_its_own_is_not_ours(program: str, start: Start, space: str) -> None:
    """A container, or a drill."""
    fork = ("--fork", "--kill-child") if space == "--pid" else ()
    start("unshare", space, *fork, program, "300")
    start(program, "301")
    until(lambda: [each.command[1] for each in ProcProcesses().running([program], "")] == ["301"])
    until(lambda: sum(_runs(each, program) for each in os.listdir("/proc") if each.isdigit()) == 2)
    assert [each.command[1] for each in ProcProcesses().running([program], "")] == ["301"]


def _runs(pid: str, program: str) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/exe") == program
    except OSError:
        return False


def test_exactly_this_one_is_ended(program: str, start: Start) -> None:
    processes = ProcProcesses()
    one, other = start(program, "300"), start(program, "301")
    until(lambda: len(processes.running([program], "")) == 2)
    found = next(each for each in processes.running([program], "") if each.pid == one.pid)
    assert not processes.end(
        msgspec.structs.replace(found, began="1"), by_force=True
    )  # its number was given anew
    assert one.poll() is None
    assert processes.end(found, by_force=False)
    assert one.wait(10) == -15
    assert other.poll() is None
    assert not processes.end(found, by_force=True)


def test_one_that_was_replaced_on_disk_is_still_the_program(program: str, start: Start) -> None:
    start(program, "300")
    until(lambda: len(ProcProcesses().running([program], "")) == 1)
    Path(program).unlink()  # as an upgrade does
    assert len(ProcProcesses().running([program], "")) == 1


def made_up(proc: Path, command: bytes, age: float) -> Path:
    """Return a /proc with one process in it that runs /usr/sbin/pbx."""
    ticks = os.sysconf("SC_CLK_TCK")
    for name in ("self", "41"):
        (proc / name / "ns").mkdir(parents=True)
        for space in ("pid", "net"):
            (proc / name / "ns" / space).symlink_to("ours")
    (proc / "41/exe").symlink_to("/usr/sbin/pbx")
    (proc / "41/cmdline").write_bytes(command)
    (proc / "41/stat").write_text(f"41 (pbx) S 1 {'0 ' * 17}{int((1000 - age) * ticks)} 0 0")
    (proc / "uptime").write_text("1000.00 0.00")
    return proc


@pytest.mark.parametrize(
    ("command", "age", "is_seen"),
    [(b"", 0.1, False), (b"\0", 0.5, False), (b"", 5.0, True), (b"pbx\0-f\0", 0.1, True)],
)
def test_a_command_line_that_is_not_there_yet_is_looked_at_again(
    tmp_path: Path, command: bytes, age: float, is_seen: bool
) -> None:
    """In the middle of execve(2) it is empty, and once a process has ended; one that was wiped stays so."""
    found = ProcProcesses(made_up(tmp_path, command, age)).running(["/usr/sbin/pbx"], "")
    assert bool(found) is is_seen
