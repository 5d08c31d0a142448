"""Two real agents on one segment in memory: what they do in a turn is done when a test says so."""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, cast

import msgspec

from beistand.adapters.backup_folder import BackupFolder, UploadFolder
from beistand.adapters.guard_notes import GuardNotes
from beistand.adapters.store import SqliteStore
from beistand.agent.agent import Agent
from beistand.agent.caller import PEER_ACCOUNT, Caller
from beistand.agent.verbs import Verbs
from beistand.domain.boot import FORK_LIMIT, LONGEST_WAIT
from beistand.domain.config import ModuleConfig
from beistand.domain.errors import BeistandError, Failed, PeerRefused, PeerUnreachable
from beistand.domain.installation import Installation, ServiceAddress
from beistand.domain.licence import LicenceSet, issue_set
from beistand.domain.pair import Greeting, Pair
from beistand.domain.profile import Profile
from beistand.domain.role import Role, Side
from beistand.domain.settings import PairSettings
from beistand.domain.value import Value
from beistand.ports.node import Node
from beistand.ports.places import Places
from beistand.protocol import EndPair, Greet, PushConfig, PushSettings, Release, Resume
from fakes.address_gate import FakeAddressGate
from fakes.clock import FakeClock
from fakes.file_systems import FakeFileSystems
from fakes.hardware import FakeHardware
from fakes.insight import (
    FakeFolders,
    FakeLines,
    FakeModuleLog,
    FakeReadings,
    FakeRecords,
    FakeSellers,
    FakeSignatures,
)
from fakes.keys import FakeKeys
from fakes.mail import FakeMailer, FakePhones, FakeUsers
from fakes.network import (
    FakeAddresses,
    FakeArp,
    FakeConnections,
    FakeSigns,
    FakeSip,
    FakeTimeServers,
    Machine,
    Segment,
)
from fakes.network_files import FakeNetworkFiles
from fakes.origins import FakeOrigins
from fakes.pair_of_appliances import ADDRESS, PROFILE, UNITS
from fakes.passwords import FakePasswords
from fakes.processes import FakeProcesses
from fakes.registers import FakeRegisters
from fakes.services import FakeConsole, FakeContacts, FakeServices
from fakes.situations import A_MAC, B_MAC, NOW, STRANGER_MAC, A, B, appliance, grant

ROOT = Caller(uid=0, user="root")
THE_PEER = Caller(uid=990, user=PEER_ACCOUNT)


def licences_of(*, first: bool) -> LicenceSet:
    """Return what a fresh installation issues itself, the same at each run."""
    role, number = (Role.ACTIVE, 1) if first else (Role.STANDBY, 101)
    counted = iter(range(number, number + 100))
    return issue_set(role, lambda count: bytes([next(counted)]) * count)


class Killed(BaseException):
    """The agent's process is gone, or the power. Not an Exception: no handler may survive it."""


class QuietArp(FakeArp):
    """Listens in real time, as its thread does: it must not eat the processor."""

    def rival(self, interface: str, addresses: Any, seconds: float) -> str:
        Event().wait(0.01)
        return super().rival(interface, addresses, seconds)


class NoDisk:
    """Holds no document at all: nothing was ever imported."""

    def read(self, _path: Path) -> bytes | None:
        return None

    def names(self, _folder: Path) -> tuple[str, ...]:
        return ()


@dataclass
class FakeWiring:
    """Everything that an agent is built of. `trouble` is what its settings are like."""

    places: Places
    clock: FakeClock
    store: Any
    addresses: FakeAddresses
    arp: QuietArp
    services: FakeServices
    contacts: FakeContacts
    console: FakeConsole
    sip: FakeSip
    signs: FakeSigns
    installation_now: Installation
    time_servers: FakeTimeServers
    connections: FakeConnections = field(default_factory=FakeConnections)
    passwords: FakePasswords = field(default_factory=FakePasswords)
    introduction: Any = None
    keys: Any = field(default_factory=FakeKeys)
    profiles: Any = None
    signatures: FakeSignatures = field(default_factory=FakeSignatures)
    sellers: FakeSellers = field(default_factory=FakeSellers)
    lines: FakeLines = field(default_factory=FakeLines)
    watched_folders: FakeFolders = field(default_factory=FakeFolders)
    readers: FakeReadings = field(default_factory=FakeReadings)
    records: FakeRecords = field(default_factory=FakeRecords)
    module_log: FakeModuleLog = field(default_factory=FakeModuleLog)
    peer_now: Any = None
    trouble: BeistandError | None = None
    transfer_trouble: BeistandError | None = None
    profile: Profile = PROFILE
    mailer: FakeMailer = field(default_factory=FakeMailer)
    users: FakeUsers = field(default_factory=FakeUsers)
    processes: FakeProcesses = field(default_factory=FakeProcesses)
    machine: FakeHardware = field(default_factory=FakeHardware)
    registers: FakeRegisters = field(default_factory=FakeRegisters)
    phone_teller: FakePhones = field(default_factory=FakePhones)
    exports: Any = None
    disk: Any = field(default_factory=NoDisk)
    network_files: FakeNetworkFiles = field(default_factory=FakeNetworkFiles)
    network_managers: Any = None
    live_addresses: Any = None
    address_gate: Any = None
    origins: Any = None

    def __post_init__(self) -> None:
        self.backups = BackupFolder(self.places.backups)
        self.guard_notes = GuardNotes(self.places.guard_note, self.places.kept_network_files)
        self.origins = self.origins or FakeOrigins(self.addresses.machine)
        self.address_gate = self.address_gate or FakeAddressGate(self.addresses.machine)
        self.upload = UploadFolder(self.places.upload)
        self.file_systems = FakeFileSystems()

    def check_transfer(self) -> None:
        if self.transfer_trouble is not None:
            raise self.transfer_trouble

    def installation(self) -> Installation:
        return self.installation_now

    def node(self) -> Node | None:
        if not self.store.is_initialised():
            return None
        if self.trouble is not None:
            raise self.trouble
        return Node(
            installation=self.installation_now,
            profile=self.profile,
            places=self.places,
            clock=self.clock,
            store=self.store,
            addresses=self.addresses,
            address_gate=self.address_gate,
            arp=self.arp,
            signs=self.signs,
            sip=self.sip,
            connections=self.connections,
            services=self.services,
            contacts=self.contacts,
            console=self.console,
            disk=self.disk,
            scanner=cast("Any", None),
            manifests=cast("Any", None),
            databases={},
            peer=self.peer_now if self.store.pair() else None,
        )


class OneOfTwo:
    """An appliance whose agent can be restarted, and whose power can be cut."""

    def __init__(self, world: "TwoAgents", me: str, folder: Path) -> None:
        first = me == A
        own = "192.0.2.1" if first else "192.0.2.2"
        self.world, self.me, self.folder = world, me, folder
        self.machine = Machine(A_MAC if first else B_MAC, own, gateway="192.0.2.254")
        self.agent_runs = True
        self.store = SqliteStore(folder / "state" / "state.db")
        self.store.initialise(
            me, Side.EVEN if first else Side.ODD, licences_of(first=first), grant(2, A) if first else None
        )
        self.store.adopt(grant(2, A))
        peer = appliance(B if first else A)
        self.store.set_pair(
            Pair(
                id="0" * 32,
                peer=peer,
                peer_host_key="",
                side=Side.EVEN if first else Side.ODD,
                since=NOW,
            )
        )
        self.services = FakeServices(changed=self._sip)
        installation = Installation(
            interface="eth0",
            own_address=f"{own}/24",
            service_addresses=(ServiceAddress(address=ADDRESS, interface="eth0"),),
            profile="asterisk",
        )
        self.wiring = FakeWiring(
            places=Places(state=folder / "state", run=folder / "run", etc=folder / "etc"),
            clock=world.clock,
            store=self.store,
            addresses=FakeAddresses(self.machine),
            arp=QuietArp(world.segment, self.machine),
            services=self.services,
            contacts=FakeContacts(),
            console=FakeConsole(),
            sip=FakeSip(world.segment, self.machine),
            signs=FakeSigns(world.segment, self.machine),
            installation_now=installation,
            time_servers=FakeTimeServers(),
        )
        (folder / "run").mkdir()
        self.start()

    def start(self) -> None:
        """Start the agent, as after a kill; what is in /run is still there."""
        self.wiring.peer_now = PeerOver(self)
        self.agent = Agent(cast("Any", self.wiring))
        self.verbs = Verbs(self.agent)
        self.agent_runs = True

    def boot(self) -> None:
        """Switch the machine on; nothing of its memory is left."""
        for each in (self.folder / "run").iterdir():
            each.unlink()
        self.machine.held.clear()
        self.machine.silenced.add(ADDRESS)  # before the network is there
        self.services.running.clear()
        self.services.is_gate_open = False
        self.machine.answers_sip = False
        self.machine.is_up = True
        self.start()

    def off(self) -> None:
        """Pull the power cord."""
        self.agent.keeper.stop()
        self.agent_runs = False
        self.machine.is_up = False
        self.machine.held.clear()
        self.services.running.clear()
        self.machine.answers_sip = False

    @property
    def serves(self) -> bool:
        return self.machine.heard == {ADDRESS} and self.services.running == UNITS

    @property
    def is_clean(self) -> bool:
        return not (self.machine.held or self.services.running or self.services.is_gate_open)

    @property
    def state(self) -> str:
        return self.agent.keeper.state

    def ask(self, request: Value, caller: Caller = ROOT) -> Value:
        return self.verbs.handle(request, caller)

    def turn(self) -> None:
        self.agent.keeper.tick()

    def config(self, **changes: Any) -> ModuleConfig:
        return msgspec.structs.replace(self.store.config(), **changes)

    def _sip(self) -> None:
        self.machine.answers_sip = "asterisk.service" in self.services.running


@dataclass
class PeerOver:
    """The pair's channel without ssh: the other agent's own verbs, while the cable holds."""

    mine: OneOfTwo
    lost: set[type[Value]] = field(default_factory=set)
    """Requests that never arrive in time."""
    late: list[Release] = field(default_factory=list)
    """Requests to release that nobody waits for any more, and that the kernel may still deliver."""

    def greet(self, greeting: Greeting, _seconds: float = 5.0) -> Greeting:
        return cast("Greeting", self._ask(Greet(greeting=greeting)))

    def release(self, epoch: int) -> None:
        self._ask(Release(epoch=epoch))

    def deliver(self) -> None:
        """Let what is late arrive; nobody hears the answer."""
        late, self.late, self.lost = self.late, [], set()
        for each in late:
            self._ask(each)

    def resume(self, epoch: int) -> None:
        self._ask(Resume(epoch=epoch))

    def push_config(self, config: ModuleConfig) -> None:
        self._ask(PushConfig(config=config))

    def push_settings(self, settings: PairSettings) -> None:
        self._ask(PushSettings(settings=settings))

    def end_pair(self, pair: str) -> None:
        self._ask(EndPair(pair=pair))

    def close(self) -> None:
        pass

    def _ask(self, request: Value) -> Value:
        world = self.mine.world
        other = world.other(self.mine)
        reached = world.segment.connects(self.mine.machine, other.machine) and other.agent_runs
        if not reached or type(request) in self.lost:
            if isinstance(request, Release):
                self.late.append(request)
            raise PeerUnreachable("peer-silent", server="192.0.2.2")
        try:
            return other.ask(request, THE_PEER)
        except BeistandError as error:
            raise PeerRefused(error.message) from None
        except Killed:
            raise PeerUnreachable("peer-silent", server="192.0.2.2") from None


class TwoAgents:
    """A is the active of epoch 2 and B its standby; nothing has happened yet."""

    def __init__(self, folder: Path) -> None:
        self.segment, self.clock = Segment(), FakeClock(NOW)
        for name in ("a", "b"):
            (folder / name).mkdir()
        self.a, self.b = OneOfTwo(self, A, folder / "a"), OneOfTwo(self, B, folder / "b")
        self.stranger = Machine(STRANGER_MAC, "192.0.2.99")
        self.gateway = Machine("02:00:00:00:00:fe", "192.0.2.254")
        self.segment.machines = [self.a.machine, self.b.machine, self.stranger, self.gateway]
        for each in (self.a, self.b):
            each.agent.reload()

    def other(self, one: OneOfTwo) -> OneOfTwo:
        return self.b if one is self.a else self.a

    def cut(self) -> None:
        self.segment.cut = [self.a.machine]

    def fork(self) -> None:
        """A boots alone and serves for long; then B, which took over before, comes back."""
        self.turns(2)
        self.b.store.adopt(grant(3, B, 2))
        self.cut()
        self.a.boot()
        self.a.agent.reload()
        self.a.turn()
        self.clock.advance(LONGEST_WAIT.total_seconds() + 1)
        self.a.turn()
        self.clock.advance(FORK_LIMIT.total_seconds() + 1)
        self.a.turn()
        self.b.boot()
        self.b.agent.reload()
        self.heal()

    def heal(self) -> None:
        self.segment.cut = []

    def turns(self, count: int = 1, seconds: float = 6.0) -> None:
        """Let both greet each other and take their turns, with time between."""
        for _ in range(count):
            for each in (self.a, self.b):
                if each.machine.is_up and each.agent_runs:
                    each.agent.link.ask()
                    each.turn()
            self.clock.advance(seconds)

    def stop(self) -> None:
        for each in (self.a, self.b):
            each.agent.keeper.stop()
            each.store.close()


def broken(code: str = "file-not-written") -> Failed:
    return Failed(code, path="/nowhere", why="I/O error")
