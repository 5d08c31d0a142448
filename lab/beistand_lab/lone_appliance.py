"""A whole agent, alone: in a network and mount namespace of its own, with an interface that leads nowhere.

Everything in it is real: socket, verbs, state, passwords, backups of a small tree. It is of no pair.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

from beistand.client import Client
from beistand.domain.account import AccountRole
from beistand.domain.errors import BeistandError
from beistand.domain.role import Role
from beistand.domain.value import Value
from beistand.ports.places import Places
from beistand.protocol import AccountList, Done, GetStatus, Init, MakeToken, NewToken, PutAccount, Status

PASSWORD = "correct horse battery"  # noqa: S105  of an agent that nobody else reaches
PROFILE = """schema = 1
name = "lone"
title = "Nothing that serves"
services = []
[detect]
files = ["{tree}"]
version_command = ["/bin/true"]
[[trees]]
path = "{tree}"
"""
START_SECONDS = 30.0
T = TypeVar("T")


def places(folder: Path) -> Places:
    data = folder / "data"
    return Places(
        etc=data / "etc",
        state=data / "state",
        run=folder / "run",
        log=data / "log",
        inbox=data / "inbox",
        web_certificate=data / "cert.pem",
    )


@contextmanager
def lone_appliance(folder: Path, role: Role = Role.ACTIVE) -> Iterator[Path]:
    """Yield the socket of an agent that was initialised; it ends with the block."""
    for each in ("data", "run"):
        (folder / each).mkdir()
    own = [sys.executable, __file__, str(folder)]
    with (folder / "log").open("w") as log:
        agent = subprocess.Popen(["unshare", "--net", "--mount", "--", *own], stdout=log, stderr=log)
    try:
        socket = places(folder).socket
        _await(socket, agent)
        init = Init(
            role=role,
            interface="eth0",
            own_address="192.0.2.1/24",
            service_address="192.0.2.10",
            profile="lone",
        )
        ask(socket, init, Done)
        yield socket
    finally:
        agent.terminate()
        agent.wait(20)


def ask(socket: Path, request: Value, answer: type[T]) -> T:
    """Ask as root at the console."""
    with Client(socket) as client:
        return client.call(request, answer, 30)


def _await(socket: Path, agent: subprocess.Popen[bytes]) -> None:
    end = monotonic() + START_SECONDS
    while True:
        try:
            ask(socket, GetStatus(), Status)
        except BeistandError:
            assert agent.poll() is None, "the agent ended by itself"
            assert monotonic() < end
            sleep(0.05)
        else:
            return


def make_people(socket: Path) -> dict[AccountRole, str]:
    """Make the administrator anna, and return a token of each role."""
    ask(socket, PutAccount(name="anna", role=AccountRole.ADMINISTRATOR, password=PASSWORD), AccountList)
    return {
        role: ask(socket, MakeToken(name=f"fuzz-{role}", role=role), NewToken).token for role in AccountRole
    }


def _be_the_appliance(folder: Path) -> int:
    """Run in the new namespaces: a disk of its own, an interface, and the daemon."""
    here = places(folder)
    for command in (
        ["mount", "-t", "tmpfs", "-o", "size=600m", "none", str(folder / "data")],
        ["ip", "link", "set", "lo", "up"],
        ["ip", "link", "add", "eth0", "type", "veth", "peer", "name", "nowhere"],
        ["ip", "link", "set", "nowhere", "up"],
        ["ip", "address", "add", "192.0.2.1/24", "dev", "eth0"],
        ["ip", "link", "set", "eth0", "up"],
    ):
        subprocess.run(command, check=True)
    for each in (here.etc / "profile.d", here.state, here.inbox, here.log, folder / "data" / "tree"):
        each.mkdir(parents=True)
    here.state.chmod(0o700)
    tree = folder / "data" / "tree"
    (tree / "users.conf").write_text("anna\n" * 1000)
    (here.etc / "profile.d" / "lone.toml").write_text(PROFILE.format(tree=tree))
    from beistand.agent.daemon import main

    return main(here)


if __name__ == "__main__":
    os.environ.pop("NOTIFY_SOCKET", None)
    sys.exit(_be_the_appliance(Path(sys.argv[1])))
