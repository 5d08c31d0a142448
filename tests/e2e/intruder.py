"""Whoever has broken into the web process (F18): runs in its place, as its account, in its cage, and tries everything.

Standard input says what; a JSON object of what came of each try goes to standard output.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

HELLO: dict[str, Any] = {}
SOCKET = "/run/beistand/agent.sock"
PTRACE_ATTACH, CLONE_NEWUSER = 16, 0x10000000
AF_PACKET = 17
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    wanted: dict[str, Any] = json.load(sys.stdin)
    HELLO.update(wanted["hello"])
    tried = {
        "account": {"uid": os.getuid(), "groups": sorted(os.getgroups())},
        "reads": {path: _tried(lambda path=path: _read(path)) for path in wanted["reads"]},
        "writes": {path: _tried(lambda path=path: _write(path)) for path in wanted["writes"]},
        "acts": {name: _in_a_child(act) for name, act in _acts(wanted["agent"]).items()},
        "setup-code": _command(["/opt/beistand/bin/beistand", "setup-code", "--json"]),
        "sudo": _command(["/bin/su", "-c", "id"]),
        "asked": {name: _ask([each]) for name, each in wanted["requests"].items()},
        "asked-with-session": _with_session(wanted),
    }
    json.dump(tried, sys.stdout)


def _acts(agent: int) -> dict[str, Callable[[], object]]:
    return {
        "kill": lambda: os.kill(agent, signal.SIGKILL),
        "ptrace": lambda: _call("ptrace", PTRACE_ATTACH, agent, 0, 0),
        "become-root": lambda: os.setuid(0),
        "new-namespace": lambda: _call("unshare", CLONE_NEWUSER),
        "raw-frames": lambda: socket.socket(AF_PACKET, socket.SOCK_RAW).close(),
        "chown": lambda: os.chown("/etc/passwd", os.getuid(), -1),
        "mount": lambda: _call("mount", 0, 0, 0, 0, 0),
    }


def _in_a_child(act: Callable[[], object]) -> str:
    """As `_tried`, or `killed`: the kernel ends whoever asks for a system call that the unit forbids."""
    there, here = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(here, _tried(act).encode())
        os._exit(0)
    os.close(here)
    with open(there, encoding="utf-8") as said:
        told = said.read()
    _, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else told


def _with_session(wanted: dict[str, Any]) -> dict[str, str]:
    """The same for what a session that it has seen would let it do."""
    if not wanted["log_in"]:
        return {}
    with closing(_connected()) as line:
        token = _told(line, wanted["log_in"])["body"]["token"]
    authenticate = {"verb": "authenticate", "token": token}
    return {name: _ask([authenticate, each]) for name, each in wanted["dangerous"].items()}


def _ask(requests: list[dict[str, Any]]) -> str:
    """Code of the refusal, or `answered`."""
    with closing(_connected()) as line:
        answers = [_told(line, each) for each in requests]
    error = answers[-1].get("error")
    return str(error["code"]) if error else "answered"


def _connected() -> socket.socket:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(20)
    line.connect(SOCKET)
    _told(line, HELLO)
    return line


def _told(line: socket.socket, request: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps(request).encode()
    line.sendall(len(body).to_bytes(4, "big") + body)
    head = _exactly(line, 4)
    answer: dict[str, Any] = json.loads(_exactly(line, int.from_bytes(head, "big")))
    return answer


def _exactly(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = line.recv(size - len(data))
        if not piece:
            raise EOFError("the agent hung up")
        data += piece
    return data


def _read(path: str) -> object:
    return sorted(os.listdir(path)) if Path(path).is_dir() else Path(path).read_bytes()[:1]


def _write(folder: str) -> None:
    file = Path(folder) / "intruder"
    file.write_text("x")
    file.unlink()


def _call(name: str, *arguments: int) -> None:
    if getattr(_libc, name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _tried(act: Callable[[], object]) -> str:
    """`done`, `empty` where there was nothing to see, or what stood in the way."""
    try:
        found = act()
    except OSError as refusal:
        return refusal.strerror or str(refusal)
    return "empty" if found in ([], b"") else "done"


def _command(argv: list[str]) -> dict[str, Any]:
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL
        )
    except OSError as refusal:
        return {"code": -1, "said": refusal.strerror}
    return {"code": done.returncode, "said": done.stdout + done.stderr}


if __name__ == "__main__":
    main()
