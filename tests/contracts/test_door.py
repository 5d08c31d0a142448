"""What packaging/install tells sshd, in a real sshd: idle connections of others leave room for the peer (D18)."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from beistand_lab.lab import wait_for
from beistand_lab.settings import PROJECT

SETTINGS = PROJECT / "packaging/sshd.conf"
PEER = "127.0.9.9"
LIMIT_SECONDS = 10.0


class Door:
    """An sshd on the loopback device; each address of 127.0.0.0/8 is a host of its own to it."""

    def __init__(self, port: int, idle: ExitStack) -> None:
        self._port = port
        self._idle = idle

    def knock(self, source: str) -> socket.socket:
        return socket.create_connection(
            ("127.0.0.1", self._port), timeout=LIMIT_SECONDS, source_address=(source, 0)
        )

    def is_open_for(self, source: str) -> bool:
        """Tell whether sshd greets a connection from there, instead of ending it."""
        with self.knock(source) as line:
            try:
                return line.recv(4).startswith(b"SSH-")
            except ConnectionResetError:
                return False

    def leave_idle(self, source: str, count: int) -> None:
        for _ in range(count):
            self._idle.enter_context(self.knock(source))


@pytest.fixture
def door(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Door]:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = tmp_path / "sshd_config"
    rest = f"ListenAddress 127.0.0.1:{port}\nHostKey {key}\nPidFile none\nUsePAM no\nUseDNS no\n"
    file.write_text(f"{getattr(request, 'param', SETTINGS.read_text())}\n{rest}")
    Path("/run/sshd").mkdir(exist_ok=True)
    started = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", file], stderr=subprocess.DEVNULL)
    with started as daemon, ExitStack() as idle:
        idle.callback(daemon.terminate)
        made = Door(port, idle)
        wait_for(lambda: _answers(made), LIMIT_SECONDS, "sshd")
        yield made


def _answers(door: Door) -> bool:
    try:
        return door.is_open_for(PEER)
    except ConnectionRefusedError:
        return False


def test_idle_connections_of_one_host_leave_the_peers_way_open(door: Door) -> None:
    door.leave_idle("127.0.1.1", 110)
    assert [door.is_open_for(PEER) for _ in range(20)] == [True] * 20


def test_idle_connections_of_a_dozen_hosts_leave_the_peers_way_open(door: Door) -> None:
    for number in range(1, 14):
        door.leave_idle(f"127.0.2.{number}", 12)
    assert [door.is_open_for(PEER) for _ in range(20)] == [True] * 20


@pytest.mark.parametrize("door", ["# sshd as Debian sets it up"], indirect=True)
def test_without_these_settings_one_host_shuts_it(door: Door) -> None:
    """What the settings are for: as long as this holds they are needed."""
    door.leave_idle("127.0.1.1", 110)
    assert not all(door.is_open_for(PEER) for _ in range(20))


def test_sshd_takes_every_line(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    done = subprocess.run(
        ["/usr/sbin/sshd", "-T", "-h", key, "-f", SETTINGS], capture_output=True, text=True, check=True
    )
    assert {"persourcemaxstartups 8", "maxstartups 200:30:400"} <= {*done.stdout.splitlines()}
