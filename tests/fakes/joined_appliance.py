"""A whole agent on a machine with a network file: what `beistand setup` and packaging/uninstall make of it."""

from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from beistand.adapters.settings import read_installation
from beistand.adapters.store import SqliteStore
from beistand.agent.agent import Agent
from beistand.agent.caller import Caller
from beistand.agent.recovery import Recovery
from beistand.agent.verbs import Verbs
from beistand.domain.errors import BeistandError
from beistand.domain.installation import Installation
from beistand.domain.value import Value
from beistand.ports.places import Places
from beistand.protocol import GetSetup, GetStatus, SetupView, Status
from fakes.agents import ROOT, FakeWiring, QuietArp
from fakes.network import FakeAddresses, FakeSigns, FakeSip, FakeTimeServers
from fakes.services import FakeConsole, FakeContacts
from fakes.setting_up import PRESENT, JoinedMachine


class LiveView(FakeAddresses):
    """The agent's view of the same addresses."""

    joined: JoinedMachine

    def is_static(self, interface: str, own_ip: str) -> bool:
        return own_ip in [each.partition("/")[0] for each in self.joined.live.there]

    def candidates(self) -> tuple[tuple[str, str], ...]:
        return self.joined.candidates()

    def held(self, installation: Installation) -> tuple[str, ...]:
        return (PRESENT,) if self.is_static("eth0", PRESENT) else ()

    def hold(self, installation: Installation) -> bool:
        if self.held(installation):
            return False
        self.joined.live.there.append(f"{PRESENT}/32")
        return True

    def drop(self, installation: Installation) -> bool:
        there = self.joined.live.there
        there[:] = [each for each in there if not each.startswith(f"{PRESENT}/")]
        return True


class OneWiring(FakeWiring):
    """Settings come from the file that the setup writes."""

    def installation(self) -> Installation:
        return read_installation(self.places.etc)

    def node(self) -> Any:
        if self.store.is_initialised():
            self.installation_now = self.installation()
        return super().node()


class Appliance:
    def __init__(self, folder: Path) -> None:
        self.joined = JoinedMachine(agent_keeps=True)
        machine = self.joined
        here = msgspec.structs.replace(machine.profile.detect, files=())
        machine.profile = msgspec.structs.replace(machine.profile, detect=here)
        addresses = LiveView(machine.machine)
        addresses.joined = machine
        for name in ("run", "etc", "state"):
            (folder / name).mkdir()
        self.wiring = OneWiring(
            places=Places(state=folder / "state", run=folder / "run", etc=folder / "etc"),
            clock=machine.clock,
            store=SqliteStore(folder / "state" / "state.db"),
            addresses=addresses,
            arp=QuietArp(machine.segment, machine.machine),
            services=machine.services,
            contacts=FakeContacts(),
            console=FakeConsole(),
            sip=FakeSip(machine.segment, machine.machine),
            signs=FakeSigns(machine.segment, machine.machine),
            installation_now=cast("Any", None),
            time_servers=FakeTimeServers(),
            network_files=machine.files,
            network_managers=machine,
            live_addresses=machine.live,
            profiles=self,
        )
        self.start_agent()

    def load(self, _name: str) -> Any:
        return self.joined.profile

    def start_agent(self) -> None:
        """Start it, as after a kill."""
        self.agent = Agent(cast("Any", self.wiring))
        self.verbs = Verbs(self.agent)
        Recovery(self.agent).begin()

    def boot(self) -> None:
        for each in self.wiring.places.run.iterdir():
            each.unlink()
        self.joined.cut_power()
        self.start_agent()

    def ask(self, request: Value, caller: Caller = ROOT) -> Any:
        return self.verbs.handle(request, caller)

    def refusal(self, request: Value, caller: Caller = ROOT) -> str:
        with pytest.raises(BeistandError) as told:
            self.ask(request, caller)
        return told.value.message.code

    def stage(self) -> str:
        view: SetupView = self.ask(GetSetup())
        return view.stage

    def findings(self) -> set[str]:
        status: Status = self.ask(GetStatus())
        return {each.code for each in status.findings}

    def choices(self) -> list[str]:
        status: Status = self.ask(GetStatus())
        return [each.code for each in status.choices]

    def assert_as_before(self) -> None:
        self.joined.identity = self.wiring.store.is_initialised()
        self.joined.settings = (self.wiring.places.etc / "installation.toml").exists()
        self.joined.assert_as_before()
