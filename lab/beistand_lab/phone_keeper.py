"""Keeps one baresip: notes its events with their times, and passes commands on to it.

Runs in the phones' namespace: `python -m beistand_lab.phone_keeper FOLDER CONTROL_PORT`. baresip serves one
control connection at a time; this process holds it, so that no event is lost while somebody asks.
Events go to FOLDER/events.jsonl; commands come by the Unix socket FOLDER/control, one JSON line each.
"""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from beistand_lab.commands import open_door, wait_for

ANSWER_SECONDS = 5


class Keeper:
    """The connection to one baresip."""

    def __init__(self, folder: Path, port: int) -> None:
        self._events = (folder / "events.jsonl").open("a", buffering=1)
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._connection = _connect(port)
        self._turn = threading.Lock()
        self._note({"type": "STARTED"})

    def listen(self) -> None:
        """Takes what baresip says, until it ends."""
        waiting = b""
        while received := self._connection.recv(65536):
            waiting += received
            while (parts := _netstring(waiting)) is not None:
                message, waiting = parts
                if message.get("event"):
                    self._note(message)
                elif message.get("response"):
                    self._answers.put(message)
        self._note({"type": "ENDED"})

    def ask(self, command: dict[str, str]) -> dict[str, Any]:
        """What baresip answers to a command."""
        text = json.dumps(command).encode()
        with self._turn:
            self._connection.sendall(b"%d:%s," % (len(text), text))
            try:
                return self._answers.get(timeout=ANSWER_SECONDS)
            except queue.Empty:
                return {"ok": False, "data": f"baresip did not answer for {ANSWER_SECONDS} s"}

    def _note(self, event: dict[str, Any]) -> None:
        self._events.write(json.dumps({"time": time.time(), **event}) + "\n")


def main() -> None:
    """Until baresip ends, or SIGTERM ends both."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    with (folder / "baresip.log").open("ab") as log:
        baresip = subprocess.Popen(
            ["baresip", "-4", "-v", "-f", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    # SIGTERM lets baresip say good-bye to its registrar; whoever wants a dead phone kills it.
    signal.signal(signal.SIGTERM, lambda *_: baresip.terminate())
    keeper = Keeper(folder, port)
    control = folder / "control"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        open_door(server, control)
        threading.Thread(target=_serve, args=(server, keeper, folder), daemon=True).start()
        keeper.listen()
    control.unlink(missing_ok=True)
    baresip.wait()


def _serve(server: socket.socket, keeper: Keeper, folder: Path) -> None:
    keeper.ask({"command": "uanew", "params": (folder / "account").read_text().strip(), "token": "uanew"})
    while True:
        connection, _ = server.accept()
        with connection, connection.makefile("rw") as stream:
            line = stream.readline()
            if line:
                stream.write(json.dumps(keeper.ask(json.loads(line))) + "\n")


def _connect(port: int) -> socket.socket:
    found: list[socket.socket] = []

    def answers() -> bool:
        with contextlib.suppress(OSError):
            found.append(socket.create_connection(("127.0.0.1", port), 1))
        return bool(found)

    wait_for(answers, 20, "baresip")
    # Without a limit: it may be silent for as long as it likes.
    found[0].settimeout(None)
    return found[0]


def _netstring(data: bytes) -> tuple[dict[str, Any], bytes] | None:
    length, colon, rest = data.partition(b":")
    if not colon or len(rest) < int(length) + 1:
        return None
    return json.loads(rest[: int(length)]), rest[int(length) + 1 :]


if __name__ == "__main__":
    main()
