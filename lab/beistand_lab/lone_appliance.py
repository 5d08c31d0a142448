"""A whole agent, alone: in a network and mount namespace of its own, with an interface that leads nowhere.

Everything in it is real: socket, verbs, state, passwords, backups of a small tree. It is of no pair, or of one
whose other half was never there.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

from beistand import __version__
from beistand.adapters.store import SqliteStore
from beistand.client import Client
from beistand.domain.account import AccountRole
from beistand.domain.errors import BeistandError
from beistand.domain.pair import Appliance, Pair
from beistand.domain.role import Role, Side
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
PAIR = "pair"
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
    (folder / "pid").write_text(str(agent.pid))
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


def pair_with_nobody(folder: Path) -> None:
    """Make the appliance in this folder one half of a pair."""
    its = ["nsenter", "--mount", f"--target={(folder / 'pid').read_text()}", "--"]
    subprocess.run([*its, sys.executable, __file__, str(folder), PAIR], check=True)


def _pair_with_nobody(folder: Path) -> int:
    """Note a peer that will never be heard, as a pairing would have done."""
    peer = Appliance(
        node="nobody",
        host="pbx-gone",
        own_address="192.0.2.2/24",
        service_addresses=("192.0.2.10/24",),
        mac="02:00:00:00:00:02",
        beistand_version=__version__,
        pbx_version="",
        profile="lone",
        licence_key="",
        gateway="",
        dns=(),
        is_static=True,
        now=datetime.now(UTC),
    )
    store = SqliteStore(places(folder).state / "state.db")
    store.set_pair(Pair(id="0" * 32, peer=peer, peer_host_key="", side=Side.ODD, since=peer.now))
    store.close()
    return 0


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
    do = _pair_with_nobody if PAIR in sys.argv[2:] else _be_the_appliance
    sys.exit(do(Path(sys.argv[1])))
