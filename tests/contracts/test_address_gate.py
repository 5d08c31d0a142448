"""Whether the service addresses may speak is the kernel's word, whoever put them there (port `AddressGate`)."""

import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beistand.adapters.address_gate import KernelAddressGate
from beistand.adapters.netfilter import NetfilterChanges
from beistand.domain.errors import Failed
from beistand.domain.installation import ServiceAddress
from beistand.ports.address_gate import AddressGate, RuleChanges
from contracts.segments import (
    SERVICE,
    Box,
    InNamespace,
    MemoryWorld,
    NamespaceWorld,
    ip,
    namespace_world,
    until,
)
from fakes.address_gate import FakeAddressGate, FakeRuleChanges

SECOND = "10.9.8.11"
SECONDS = 0.3


@dataclass
class Side:
    """The appliance `a`, and `b` that listens to it."""

    world: Any
    gate: AddressGate
    flush: Callable[[], None]
    changes: RuleChanges

    @property
    def a(self) -> Box:
        return self.world.a  # type: ignore[no-any-return]

    def silence(self) -> bool:
        return self.gate.silence(self.a.installation)

    def answers(self, address: str = SERVICE) -> bool:
        """Tell whether b gets an answer from a for the address."""
        return bool(self.world.b.arp.holders("eth0", [address], SECONDS))

    def announced(self) -> bool:
        """Tell whether a raw announcement of a reaches the others."""
        before = len(self.world.claims())
        try:
            self.a.arp.announce("eth0", SERVICE)
            until(lambda: len(self.world.claims()) > before, SECONDS)
        except (AssertionError, Failed):  # a raw socket is told that its frame was dropped
            return False
        return True


@contextmanager
def real_side(world: NamespaceWorld) -> Iterator[Side]:
    run = world.a.run
    space = f"{world.prefix}-a"

    def flush() -> None:
        subprocess.run(["ip", "netns", "exec", space, "nft", "flush", "ruleset"], check=True)

    with closing(run(NetfilterChanges)) as changes:
        yield Side(world, InNamespace(run, KernelAddressGate()), flush, changes)  # type: ignore[arg-type]


@pytest.fixture(params=["fake", "real"])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side]:
    if request.param == "fake":
        world = MemoryWorld()
        machine, changes = world.a.arp.machine, FakeRuleChanges()
        yield Side(world, FakeAddressGate(machine), lambda: changes.flush(machine), changes)
        return
    with namespace_world(tmp_path, 182) as spaces, real_side(spaces) as found:
        yield found


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Side]:
    with namespace_world(tmp_path, 183) as world, real_side(world) as found:
        yield found


def test_what_is_silenced_says_nothing(side: Side) -> None:
    assert side.silence()
    side.a.addresses.hold(side.a.installation)
    assert not side.answers()
    assert not side.announced()


def test_the_own_address_speaks_all_the_time(side: Side) -> None:
    side.silence()
    assert side.answers(side.a.own_ip)


def test_it_speaks_again_at_once(side: Side) -> None:
    side.silence()
    side.a.addresses.hold(side.a.installation)
    assert side.gate.let_speak()
    assert side.announced()
    assert side.answers()


def test_nothing_changes_where_it_is_so_already(side: Side) -> None:
    assert not side.gate.let_speak()
    assert [side.silence(), side.silence()] == [True, False]
    assert [side.gate.let_speak(), side.gate.let_speak()] == [True, False]


def test_what_somebody_opened_is_shut_again_and_counted(side: Side) -> None:
    side.silence()
    assert side.gate.breaches() == 0
    side.flush()
    assert side.silence()
    assert [side.gate.breaches(), side.gate.breaches()] == [1, 0]
    side.a.addresses.hold(side.a.installation)
    assert not side.announced()


def test_what_somebody_flushes_is_told_at_once_with_the_program(side: Side) -> None:
    side.silence()
    while side.changes.wait(0.0) is not None:
        pass
    side.flush()
    assert side.changes.wait(5.0) == "nft"
    assert side.changes.wait(0.0) is None


def test_this_machine_can_shut_everything(side: Side) -> None:
    assert side.gate.missing() == ()
    side.silence()
    assert side.gate.missing() == ()


def test_nothing_of_a_question_stays(real: Side) -> None:
    real.gate.missing()
    assert rules(real) == ""


def test_no_packet_leaves_either(real: Side) -> None:
    a, b = real.a, real.world.b
    a.addresses.hold(a.installation)
    real.silence()
    with closing(bound(b, b.own_ip)) as there, closing(bound(a, SERVICE)) as here:
        with pytest.raises(PermissionError):
            a.run(lambda: here.sendto(b"silent", (b.own_ip, 5060)))
        real.gate.let_speak()
        a.run(lambda: here.sendto(b"speaks", (b.own_ip, 5060)))
        assert there.recv(100) == b"speaks"


def test_this_machine_itself_may_be_spoken_to(real: Side) -> None:
    a = real.a
    a.addresses.hold(a.installation)
    real.silence()
    with closing(bound(a, SERVICE)) as there, closing(bound(a, a.own_ip)) as here:
        a.run(lambda: here.sendto(b"question", (SERVICE, 5060)))
        question, source = there.recvfrom(100)
        a.run(lambda: there.sendto(b"answer", source))
        assert (question, here.recv(100)) == (b"question", b"answer")


def test_every_address_of_the_list_is_silent(real: Side) -> None:
    a = real.a
    more = (*a.installation.service_addresses, ServiceAddress(address=SECOND, interface="eth0"))
    a.installation = msgspec.structs.replace(a.installation, service_addresses=more)
    a.addresses.hold(a.installation)
    assert real.answers(SECOND)
    real.silence()
    assert not real.world.b.arp.holders("eth0", [SERVICE, SECOND], SECONDS)


def test_it_needs_no_interface_and_takes_one_that_comes(real: Side) -> None:
    space = f"{real.world.prefix}-a"
    real.world.ip_s("link", "del", "port-a")
    until(lambda: "eth0" not in ip("-n", space, "-o", "link"))
    assert real.silence()
    assert "netdev" not in real.gate.missing()
    real.world.ip_s("link", "add", "name", "port-a", "type", "veth", "peer", "name", "eth0", "netns", space)
    real.world.ip_s("link", "set", "port-a", "up", "master", "br0")
    ip("-n", space, "link", "set", "eth0", "address", real.a.mac, "up")
    ip("-n", space, "address", "add", f"{real.a.own_ip}/24", "dev", "eth0")
    assert real.silence()
    assert not real.announced()
    assert real.gate.breaches() == 0
    real.gate.let_speak()
    assert real.announced()


@pytest.mark.parametrize(
    "change",
    [
        "delete table arp beistand",
        "flush chain inet beistand out",
        "insert rule arp beistand out accept",
        "add table inet beistand { flags dormant; }",
        "flush table netdev beistand",
        "destroy",
    ],
)
def test_half_of_it_is_shut_again_too(real: Side, change: str) -> None:
    real.silence()
    before = rules(real)
    command = ["nft", change] if change != "destroy" else ["nft", "delete", "table", "netdev", "beistand"]
    subprocess.run(["ip", "netns", "exec", f"{real.world.prefix}-a", *command], check=True)
    assert rules(real) != before
    assert real.silence()
    assert rules(real) == before


def test_rules_of_others_are_no_breach_and_stay(real: Side) -> None:
    real.silence()
    theirs = ["nft", "add", "table", "inet", "theirs"]
    subprocess.run(["ip", "netns", "exec", f"{real.world.prefix}-a", *theirs], check=True)
    assert not real.silence()
    real.gate.let_speak()
    assert rules(real).split() == ["table", "inet", "theirs", "{", "}"]
    assert real.gate.breaches() == 0


def test_a_shut_gate_of_before_is_opened(real: Side) -> None:
    real.silence()
    real.gate.make_ready()  # as the end of its process would do
    later = InNamespace(real.a.run, KernelAddressGate())
    assert later.let_speak()
    assert rules(real) == ""


def test_while_we_live_not_one_moment_is_open(real: Side) -> None:
    """A flush and an address at the same time: what is ours nobody flushes."""
    real.silence()
    real.a.addresses.hold(real.a.installation)
    real.flush()
    assert not real.answers()
    assert not real.announced()


def test_without_us_it_stays_shut(tmp_path: Path) -> None:
    with namespace_world(tmp_path, 186) as world:
        keeper = KernelAddressGate()
        world.a.run(lambda: keeper.silence(world.a.installation))
        world.a.run(keeper.make_ready)  # as its end would do
        world.a.addresses.hold(world.a.installation)
        assert not world.b.arp.holders("eth0", [SERVICE], SECONDS)


def test_it_stays_shut_when_it_is_made_ready(side: Side) -> None:
    side.silence()
    side.gate.make_ready()
    assert not side.silence()
    side.a.addresses.hold(side.a.installation)
    assert not side.answers()
    side.gate.let_speak()
    assert side.answers()


def rules(side: Side) -> str:
    """Return what stands there for everybody; the tables that end with their process left out."""
    space = f"{side.world.prefix}-a"
    done = subprocess.run(
        ["ip", "netns", "exec", space, "nft", "list", "ruleset"], check=True, capture_output=True, text=True
    )
    tables = re.findall(r"^table .*?^}\n", done.stdout, re.DOTALL | re.MULTILINE)
    return "".join(each for each in tables if "flags owner" not in each)


def bound(box: Box, address: str) -> socket.socket:
    def make() -> socket.socket:
        line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        line.settimeout(2.0)
        line.bind((address, 5060))
        return line

    return box.run(make)
