"""A machine with a PBX whose address stands in a network file, as a setup finds it and changes it."""

from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from beistand.domain.errors import CommandFailed
from beistand.domain.network_file import Manager, NetworkFile
from beistand.domain.network_file_edit import configured
from beistand.domain.profile import Profile, Service
from beistand.domain.setup import Setup, Stage, why_back
from beistand.operations.setup import SetupNode, change_over, plan_setup
from beistand.operations.setup_back import go_back, restored_files
from beistand.protocol import StartSetup
from fakes.clock import FakeClock
from fakes.cutting import Scissors
from fakes.live_addresses import FakeLiveAddresses
from fakes.network import FakeArp, Machine, Segment
from fakes.network_files import FakeNetworkFiles
from fakes.pair_of_appliances import PROFILE, UNITS
from fakes.services import FakeServices

PRESENT, OWN = "192.0.2.10", "192.0.2.1"
PATH = "/etc/systemd/network/10-eth0.network"
TEXT = f"[Match]\nName=eth0\n\n[Network]\n# the PBX\nAddress={PRESENT}/24\nGateway=192.0.2.254\n"
ASKED = StartSetup(own_address=OWN)


class CutFiles(FakeNetworkFiles):
    """Every file that is written passes the scissors."""

    scissors: Any = staticmethod(lambda change: change())

    def write(self, file: NetworkFile) -> None:
        self.scissors(lambda: FakeNetworkFiles.write(self, file))


class GatedServices(FakeServices):
    """Without a gate a unit starts, as before Beistand came."""

    def start(self, service: Service) -> None:
        if self.has_gates or service.unit in self.broken:
            super().start(service)
        else:
            self.running.add(service.unit)


@dataclass
class JoinedMachine:
    """Its disk is `files`, `journal`, `settings` and `identity`; everything else is gone with the power."""

    manager: Manager = Manager.NETWORKD
    acts_by_itself: bool = True
    """False for ifupdown: it reads its file at boot only."""
    agent_keeps: bool = False
    """A real agent runs: what it is stands in its own store, and it holds the address itself."""
    fails: str = ""
    """What the manager does when it is told: `refuses`, or `forgets` the new address."""
    scissors: Scissors = field(default_factory=Scissors)
    journal: bytes = b""
    settings: bool = False
    identity: bool = False
    boot_number: int = 1
    gap: int = 0
    """How often the present address stood nowhere on the interface."""

    def __post_init__(self) -> None:
        self.clock, self.segment = FakeClock(), Segment()
        self.machine = Machine("02:00:00:00:00:0a", PRESENT)
        self.segment.machines = [self.machine]
        file = NetworkFile(path=PATH, manager=self.manager, body=TEXT.encode(), mode=0o640, gid=42)
        self.files = CutFiles(file, used={"eth0": (PATH,)})
        self.files.scissors = self.scissors
        self.live = FakeLiveAddresses(there=[f"{PRESENT}/24"], effect=self.scissors, changed=self._look)
        self.services = GatedServices(running=set(UNITS), is_gate_open=False)
        self.profile: Profile = PROFILE
        self.node = SetupNode(
            clock=self.clock,
            files=self.files,
            managers=self,
            live=self.live,
            addresses=cast("Any", self),
            arp=FakeArp(self.segment, self.machine),
            services=self.services,
            save=self.save,
            wait=self.clock.advance,
        )

    # --- what the operations ask of ports ---------------------------------------------------------

    def candidates(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            (each, "eth0")
            for each in self.live.there
            if not each.endswith("/32") and each not in self.live.leased
        )

    def save(self, setup: Setup) -> None:
        self.scissors(lambda: setattr(self, "journal", msgspec.json.encode(setup)))

    def apply(self, manager: str, interface: str, paths: tuple[str, ...]) -> None:
        assert (manager, interface, paths) == (self.manager, "eth0", (PATH,))
        if self.fails == "refuses":
            raise CommandFailed("command-failed", program="networkctl", status=1, why="no such link")
        if self.acts_by_itself:
            self.scissors(self._obey)

    def _obey(self) -> None:
        """Take everything away and add what the file says; the agent, if it may, puts its own back."""
        found = [each.address for each in configured(self.files.files[PATH])]
        self.live.there[:] = [] if self.fails == "forgets" else found
        self._keep()

    def _keep(self) -> None:
        if (
            self.identity
            and self.settings
            and PRESENT not in [each.split("/")[0] for each in self.live.there]
        ):
            self.live.there.append(f"{PRESENT}/32")
        self._look()

    def _look(self) -> None:
        if PRESENT not in [each.split("/")[0] for each in self.live.there]:
            self._keep_or_note()

    def _is_kept(self) -> bool:
        return self.agent_keeps or (self.identity and self.settings)

    def _keep_or_note(self) -> None:
        if self._is_kept():
            self.live.there.append(f"{PRESENT}/32")
        else:
            self.gap += 1

    # --- what the agent does ----------------------------------------------------------------------

    def setup(self) -> Setup | None:
        return msgspec.json.decode(self.journal, type=Setup) if self.journal else None

    def start(self, asked: StartSetup = ASKED) -> None:
        """Change over as the agent does, up to the waiting."""
        setup = plan_setup(self.node, asked, self.profile, f"boot {self.boot_number}")
        self.save(setup)
        change_over(self.node, setup, self._become_active)
        deadline = self.clock.monotonic() + 120
        self.save(msgspec.structs.replace(setup, stage=Stage.WAITING, deadline=deadline))

    def tick(self) -> None:
        """As at every turn of the agent, and at its start."""
        setup = self.setup()
        why = why_back(setup, boot=f"boot {self.boot_number}", now=self.clock.monotonic()) if setup else None
        if setup and why:
            self.back(setup, why)

    def back(self, setup: Setup, why: Any) -> None:
        setup = msgspec.structs.replace(setup, files=restored_files(self.node, setup))
        go_back(
            self.node,
            setup,
            why,
            self.profile,
            forget_settings=lambda: self.scissors(lambda: setattr(self, "settings", False)),
            become_nothing=self._become_nothing,
        )

    def cut_power(self) -> None:
        """The machine boots anew: the interface has what the file says, the PBX waits behind its gate."""
        self.boot_number += 1
        self.live.there[:] = [each.address for each in configured(self.files.files[PATH])]
        if self.services.has_gates:
            self.services.running.clear()

    def _become_active(self, setup: Setup) -> None:
        assert self.live.on("eth0")[-1].address == setup.own_address
        self.scissors(lambda: setattr(self, "settings", True))
        self.scissors(lambda: self.services.install_gate(self.profile))
        self.scissors(lambda: setattr(self, "identity", True))
        self.services.is_gate_open = True

    def _become_nothing(self) -> None:
        self.scissors(lambda: setattr(self, "identity", False))
        self.scissors(lambda: self.services.remove_gate(self.profile))
        self.services.is_gate_open = False

    # --- what a person sees -----------------------------------------------------------------------

    def assert_as_before(self) -> None:
        (file,) = self.files.files.values()
        assert (file.body, file.mode, file.gid) == (TEXT.encode(), 0o640, 42)
        assert self.live.there == [f"{PRESENT}/24"]
        assert (self.settings, self.identity, self.services.has_gates) == (False, False, False)
        assert self.services.running == UNITS

    def assert_changed(self) -> None:
        (file,) = self.files.files.values()
        assert (file.body, file.mode, file.gid) == (TEXT.replace(PRESENT, OWN).encode(), 0o640, 42)
        assert set(self.live.there) == {f"{OWN}/24", f"{PRESENT}/32"}
        assert (self.settings, self.identity) == (True, True)

    def assert_never_doubled(self) -> None:
        """Settings that name the service address stand on disk only while no network file does (beistand-guard)."""
        assert not (self.settings and PRESENT.encode() in self.files.files[PATH].body)
