"""Two appliances on one segment in memory; every effect on the standby can be its last one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from beistand.domain.boot import Action, Adopt, Serve, peer_news
from beistand.domain.errors import Failed, PeerUnreachable
from beistand.domain.installation import Installation, ServiceAddress
from beistand.domain.pair import Pair
from beistand.domain.phones import Contact
from beistand.domain.profile import Detect, Profile, Service, Sip
from beistand.domain.role import Side
from beistand.operations.boot_check import boot_check
from beistand.operations.converge import Around, Outcome, converge
from beistand.operations.dead_connections import end_dead_connections
from beistand.operations.takeover import Reach
from beistand.ports.node import Node
from beistand.ports.places import Places
from fakes.address_gate import FakeAddressGate
from fakes.clock import FakeClock
from fakes.network import FakeAddresses, FakeArp, FakeConnections, FakeSigns, FakeSip, Machine, Segment
from fakes.services import FakeConsole, FakeContacts, FakeServices
from fakes.situations import A_MAC, B_MAC, NOW, STRANGER_MAC, A, B, appliance, grant, greeting, standing
from fakes.store import MemoryStore

ADDRESS = "192.0.2.10"
PROFILE = Profile(
    schema=1,
    name="asterisk",
    title="Asterisk",
    detect=Detect(files=("/usr/sbin/asterisk",), version_command=("asterisk", "-V")),
    trees=(),
    services=(Service(unit="mariadb.service"), Service(unit="asterisk.service")),
    sip=Sip(tcp_ports=(5060,)),
)
UNITS = {each.unit for each in PROFILE.services}


class Crash(BaseException):
    """The power is gone, or the process is killed. Not an Exception: no handler may survive it."""


class Appliance:
    """One of the two: its ports, and the little that its agent adds to the operations under test."""

    def __init__(self, world: "World", me: str) -> None:
        first = me == A
        own = "192.0.2.1" if first else "192.0.2.2"
        self.world = world
        self.machine = Machine(A_MAC if first else B_MAC, own, gateway="192.0.2.254")
        self.released = False
        self.agent_runs = True
        effect = self._effect if first else world.effect
        self.store = MemoryStore(standing(me, grant(2, A)), effect=effect)
        self.store.peer = Pair(
            id="0" * 32,
            peer=appliance(B if first else A),
            peer_host_key="",
            side=Side.EVEN if first else Side.ODD,
            since=NOW,
        )
        self.services = FakeServices(effect=effect, changed=self._sip)
        self.contacts = FakeContacts(("sip:101@192.0.2.50:40000;transport=TCP", "sip:102@192.0.2.51:5060"))
        self.sip = FakeSip(world.segment, self.machine)
        self.announced = 0
        self.known: tuple[Contact, ...] = ()
        self.node = self._node(own, effect)

    def _node(self, own: str, effect: Callable[[Callable[[], object]], None]) -> Node:
        return Node(
            installation=Installation(
                interface="eth0",
                own_address=f"{own}/24",
                service_addresses=(ServiceAddress(address=ADDRESS, interface="eth0"),),
                profile="asterisk",
            ),
            profile=PROFILE,
            places=Places(state=Path("/nonexistent")),
            clock=FakeClock(NOW),
            store=cast(Any, self.store),
            addresses=FakeAddresses(self.machine, effect),
            address_gate=FakeAddressGate(self.machine, effect),
            arp=FakeArp(self.world.segment, self.machine),
            signs=FakeSigns(self.world.segment, self.machine),
            sip=self.sip,
            connections=FakeConnections(),
            services=self.services,
            contacts=self.contacts,
            console=FakeConsole(),
            disk=cast(Any, None),
            scanner=cast(Any, None),
            manifests=cast(Any, None),
            databases={},
            peer=cast(Any, PeerOf(self.world)) if self.machine.mac == B_MAC else None,
        )

    @property
    def serves(self) -> bool:
        return self.machine.heard == {ADDRESS} and self.services.running == UNITS

    @property
    def is_clean(self) -> bool:
        return not (self.machine.held or self.services.running or self.services.is_gate_open)

    def lose_power(self) -> None:
        self.machine.held.clear()
        self.machine.silenced.add(ADDRESS)  # before the network is there
        self.services.running.clear()
        self.services.is_gate_open = False
        self.machine.answers_sip = False

    def converge(self, *, serve: bool) -> Outcome:
        around = Around(announce=self._announce, woken=self._woken, answers=self._answers)
        return converge(self.node, serve=serve, around=around)

    def keep(self) -> None:
        """One turn of the agent: hear the peer, check the boot, bring the machine to the standing."""
        other = self.world.other(self)
        heard = other.greeting() if self.world.can_talk() and other.agent_runs else None
        if heard:
            action = peer_news(
                self.store.standing(), heard, serving=bool(self.machine.held), unverified_seconds=0
            )
            if action is Action.WITHDRAW:
                self.converge(serve=False)
            if action in {Action.ADOPT, Action.WITHDRAW} and heard.grant:
                self.store.adopt(heard.grant)
        may_serve = self.services.is_gate_open
        if not may_serve:
            verdict = boot_check(self.node, heard, waited_seconds=999)
            if isinstance(verdict, Adopt):
                self.store.adopt(verdict.grant)
            may_serve = isinstance(verdict, Serve)
        is_mine = self.store.standing().is_holder and not self.released
        self.converge(serve=is_mine and may_serve)

    def greeting(self) -> Any:
        return greeting(self.store.standing(), serving=bool(self.machine.held))

    def _woken(self, contacts: tuple[Contact, ...]) -> None:
        self.known = contacts

    def _answers(self) -> None:
        end_dead_connections(self.node, self.known, lambda: True)

    def _announce(self) -> None:
        self.announced += 1
        self.node.arp.announce("eth0", ADDRESS)

    def _sip(self) -> None:
        self.machine.answers_sip = "asterisk.service" in self.services.running

    def _effect(self, change: Callable[[], object]) -> None:
        change()
        self.world.check()


@dataclass
class PeerOf:
    """The standby's channel to the active: one message is one effect, the active carries it out whole."""

    world: "World"

    def release(self, epoch: int) -> None:
        self._reach()
        self.world.effect(self._released)

    def resume(self, epoch: int) -> None:
        self._reach()
        self.world.effect(self._resumed)

    def _released(self) -> None:
        self.world.a.released = True
        self.world.a.converge(serve=False)

    def _resumed(self) -> None:
        if self.world.a.released:
            self.world.a.released = False
            self.world.a.keep()  # it looks around first, like after a boot: its gate is closed

    def _reach(self) -> None:
        self.world.calls += 1
        if (
            not (self.world.can_talk() and self.world.a.agent_runs)
            or self.world.calls in self.world.lost_calls
        ):
            raise PeerUnreachable("peer-unreachable")


@dataclass
class World:
    crash_at: int = -1
    crash_after_effect: bool = False
    lost_calls: frozenset[int] = frozenset()
    stranger_comes_at: int = -1
    """Before this effect a stranger takes the service address."""
    data_fails: bool = False
    effects: int = 0
    calls: int = 0
    data: str = "old"
    """Generation that is live on the standby; `cut` in the middle of a move."""
    segment: Segment = field(default_factory=Segment)

    def __post_init__(self) -> None:
        self.stranger = Machine(STRANGER_MAC, "192.0.2.99")
        self.a, self.b = Appliance(self, A), Appliance(self, B)
        self.segment.machines = [self.a.machine, self.b.machine, self.stranger]
        self.a.machine.held.add(ADDRESS)
        self.a.services.running |= UNITS
        self.a.services.is_gate_open = True
        self.a.machine.answers_sip = True
        self.reach = Reach(node=self.b.node, make_ready=self.make_ready)

    def other(self, one: Appliance) -> Appliance:
        return self.b if one is self.a else self.a

    def can_talk(self) -> bool:
        return self.segment.connects(self.a.machine, self.b.machine)

    def kill_a(self) -> None:
        self.a.lose_power()
        self.a.machine.is_up = False

    def boot_a(self) -> None:
        self.a.machine.is_up = True
        self.a.released = False

    def effect(self, change: Callable[[], object]) -> None:
        """Carry out a change of the standby, or end it there: before the change or after it."""
        if self.effects == self.stranger_comes_at:
            self.stranger.held.add(ADDRESS)
        here = self.effects == self.crash_at
        self.effects += 1
        if here and not self.crash_after_effect:
            raise Crash
        change()
        self.check()
        if here:
            raise Crash

    def check(self) -> None:
        """The invariants that hold after every single effect, on both appliances."""
        a, b = self.a, self.b
        assert not (a.machine.held & b.machine.held), "I2: two hold the address"
        assert not (a.services.running & b.services.running), "I2: the PBX runs on both"
        assert not (self.stranger.held & b.machine.held), "I1: taken from a stranger"
        for each in (a, b):
            acts = each.machine.held or each.services.running
            assert not acts or each.store.standing().is_holder, "I3: without a grant"
        assert not (b.services.running and self.data == "cut"), "the PBX runs on half a generation"

    def make_ready(self, node: Node, generation: str) -> None:
        if self.data == "cut":
            self.effect(lambda: setattr(self, "data", "old"))
        if self.data_fails:
            raise Failed("disk-full")
        if generation and self.data != generation:
            self.effect(lambda: setattr(self, "data", "cut"))
            self.effect(lambda: setattr(self, "data", generation))
