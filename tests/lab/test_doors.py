"""Whoever sees a station's door is let in: it is there only once somebody listens behind it."""

import socket
import threading
from contextlib import closing
from pathlib import Path

from beistand_lab.commands import open_door

TIMES = 300


def test_a_door_that_is_seen_lets_in(tmp_path: Path) -> None:
    door, refused = tmp_path / "control", []
    ended = threading.Event()

    def knock() -> None:
        while not ended.is_set():
            with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as visitor:
                if door.exists():
                    try:
                        visitor.connect(str(door))
                    except FileNotFoundError:
                        pass  # it was shut a moment ago
                    except ConnectionRefusedError as error:
                        refused.append(error)

    visitors = threading.Thread(target=knock)
    visitors.start()
    for _ in range(TIMES):
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as server:
            open_door(server, door)
            door.unlink()  # before the listener ends
    ended.set()
    visitors.join()
    assert refused == []
