"""Who brought an address, and which places name it (port `Origins`)."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from beistand.adapters.address_traces import names
from beistand.adapters.network_changes import NetlinkChanges
from beistand.adapters.origins import KernelOrigins
from beistand.domain.origin import Arrival, Trace, TraceKind
from beistand.ports.origins import Origins
from contracts.segments import SERVICE, MemoryWorld, ip, namespace_world
from fakes.origins import FakeOrigins

BRING = """
import sys
from pyroute2 import IPRoute
with IPRoute() as line:
    line.addr("add", index=line.link_lookup(ifname="eth0")[0], address=sys.argv[1], prefixlen=24)
    print("there", flush=True)
    sys.stdin.read()
"""


@dataclass
class Side:
    """A machine whose network and files somebody else changes, too."""

    origins: Origins
    world: Any
    root: Path
    fake: FakeOrigins | None = None
    children: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def bring(self, address: str) -> str:
        """Have another program add the address and live on; return its command line."""
        if self.fake is not None:
            self.world.a.arp.machine.held.add(address)
            commands = ("python bring", "pytest")
            self.fake.heard[address] = Arrival(
                address=address, interface="eth0", program="python", commands=commands
            )
            return commands[0]
        command = [sys.executable, "-c", BRING, address]
        inside = ["ip", "netns", "exec", f"{self.world.prefix}-a", *command]
        child = subprocess.Popen(inside, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.children.append(child)
        assert child.stdout is not None
        with closing(self.world.a.run(lambda: NetlinkChanges(self.origins.hear))) as news:  # type: ignore[attr-defined]
            assert self.world.a.run(lambda: news.wait(20.0))
            child.stdout.readline()
        return " ".join(command)[:40]

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if self.fake is not None:
            at = next((n for n, line in enumerate(text.splitlines(), 1) if SERVICE in line), 0)
            if at:
                self.fake.places.append(
                    Trace(kind=TraceKind.SCRIPT, address=SERVICE, path=f"/{path}", line=at, program="")
                )


@pytest.fixture(params=["fake", "real"])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side]:
    root = tmp_path / "root"
    root.mkdir()
    if request.param == "fake":
        world = MemoryWorld()
        fake = FakeOrigins(world.a.arp.machine)
        yield Side(fake, world, root, fake)
        return
    with namespace_world(tmp_path, 184) as spaces:
        found = Side(KernelOrigins(root), spaces, root)
        yield found
        for each in found.children:
            each.communicate(timeout=20)


@pytest.fixture
def real(tmp_path: Path) -> Side:
    return Side(KernelOrigins(tmp_path), None, tmp_path)


def arrivals(side: Side) -> tuple[Arrival, ...]:
    ask = lambda: side.origins.arrivals([SERVICE])  # noqa: E731
    return ask() if side.fake is not None else side.world.a.run(ask)  # type: ignore[no-any-return]


def test_an_address_that_is_not_there_came_from_nowhere(side: Side) -> None:
    assert arrivals(side) == ()


def test_who_brings_an_address_is_known_by_name(side: Side) -> None:
    command = side.bring(SERVICE)
    (came,) = arrivals(side)
    assert came.program.startswith("python")
    assert came.commands[0].startswith(command)
    assert (came.interface, came.is_leased) == ("eth0", False)


def test_an_address_that_nobody_heard_of_is_told_without_a_name(side: Side) -> None:
    if side.fake is not None:
        side.world.a.arp.machine.held.add(SERVICE)
    else:
        ip("-n", f"{side.world.prefix}-a", "address", "add", f"{SERVICE}/24", "dev", "eth0")
    (came,) = arrivals(side)
    assert (came.program, came.commands, came.is_leased) == ("", (), False)


def test_a_script_that_names_the_address_is_found(side: Side) -> None:
    side.write("etc/rc.local", f"#!/bin/sh\nip address add {SERVICE}/24 dev eth0\n")
    (found,) = side.origins.traces([SERVICE])
    assert (found.kind, found.path, found.line) == (TraceKind.SCRIPT, "/etc/rc.local", 2)


def test_a_lease_is_known_by_its_end(tmp_path: Path) -> None:
    with namespace_world(tmp_path, 185) as world:
        origins = KernelOrigins(tmp_path)
        lease = ["address", "add", f"{SERVICE}/24", "dev", "eth0", "valid_lft", "600", "preferred_lft", "600"]
        ip("-n", f"{world.prefix}-a", *lease)
        (came,) = world.a.run(lambda: origins.arrivals([SERVICE]))
        assert came.is_leased


@pytest.mark.parametrize(
    ("path", "kind", "program"),
    [
        ("etc/network/interfaces", TraceKind.FILE, "ifupdown"),
        ("etc/network/interfaces.d/more", TraceKind.FILE, "ifupdown"),
        ("etc/network/somewhere/else", TraceKind.SCRIPT, ""),
        ("etc/systemd/network/10-eth0.network.d/more.conf", TraceKind.FILE, "systemd-networkd"),
        ("etc/NetworkManager/system-connections/eth0.nmconnection", TraceKind.FILE, "NetworkManager"),
        ("etc/netplan/50.yaml", TraceKind.FILE, "netplan"),
        ("etc/network/if-up.d/address", TraceKind.SCRIPT, ""),
        ("etc/cron.d/address", TraceKind.SCRIPT, ""),
        ("var/spool/cron/crontabs/root", TraceKind.SCRIPT, ""),
        ("etc/systemd/system/address.service", TraceKind.SCRIPT, ""),
        ("usr/local/sbin/take-over", TraceKind.SCRIPT, ""),
        ("var/lib/dhcp/dhclient.eth0.leases", TraceKind.LEASE, "dhclient"),
    ],
)
def test_every_place_is_known_for_what_it_is(real: Side, path: str, kind: TraceKind, program: str) -> None:
    real.write(path, f"before\nsomething {SERVICE}/24\n")
    assert [(each.kind, each.program, each.line) for each in real.origins.traces([SERVICE])] == [
        (kind, program, 2)
    ]


def test_a_tool_counts_only_while_it_runs(real: Side) -> None:
    real.write("etc/keepalived/keepalived.conf", f"virtual_ipaddress {{\n {SERVICE}/24\n}}\n")
    assert real.origins.traces([SERVICE]) == ()
    real.write("proc/77/comm", "keepalived\n")
    (found,) = real.origins.traces([SERVICE])
    assert (found.kind, found.program, found.line) == (TraceKind.TOOL, "keepalived", 2)


@pytest.mark.parametrize(
    ("line", "is_named"),
    [
        (b"10.9.8.10", True),
        (b"address 10.9.8.10/24", True),
        (b"'10.9.8.10'", True),
        (b"10.9.8.10.", True),
        (b"10.9.8.101", False),
        (b"110.9.8.10", False),
        (b"1.10.9.8.10", False),
        (b"10.9.8.10.5", False),
        (b"10.9.8.101 10.9.8.10", True),
    ],
)
def test_a_longer_number_is_another_address(line: bytes, is_named: bool) -> None:
    assert names(line, b"10.9.8.10") is is_named


def test_comments_other_files_and_what_is_no_file_are_left_out(real: Side) -> None:
    real.write("etc/network/interfaces", f"# address {SERVICE}/24\n")
    real.write("etc/hosts", f"{SERVICE} pbx\n")
    real.write("usr/local/bin/big", f"{SERVICE}\n" + "x" * (1 << 19))
    (real.root / "etc/cron.d").mkdir()
    (real.root / "etc/cron.d/link").symlink_to(real.root / "etc/hosts")
    os.mkfifo(real.root / "etc/cron.d/pipe")
    assert real.origins.traces([SERVICE]) == ()
