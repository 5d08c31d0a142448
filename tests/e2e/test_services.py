"""The contract of the port Services: in memory, and for systemd in a booted appliance."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import pytest

from beistand.adapters.profiles import Profiles
from beistand.domain.errors import Failed
from beistand.domain.profile import Profile, Service
from beistand_lab.lab import Lab, wait_for
from fakes.pair_of_appliances import PROFILE
from fakes.services import FakeServices

pytestmark = pytest.mark.lab

UNIT = Service(unit="asterisk.service")
SCRIPT = """
import sys, msgspec
from beistand.adapters.services import SystemdServices
from beistand.domain.errors import BeistandError
from beistand.domain.profile import Profile, Service
name, kind, argument = sys.argv[1:]
kinds = {"Service": Service, "Profile": Profile, "str": str}
arguments = [msgspec.json.decode(argument, type=kinds[kind])] if kind else []
try:
    print(msgspec.json.encode({"value": getattr(SystemdServices(), name)(*arguments)}).decode())
except BeistandError as error:
    print(msgspec.json.encode({"error": error.message}).decode())
"""


class InGuest:
    """The real adapter, called inside the appliance."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def is_running(self, unit: str) -> bool:
        return bool(self._ask("is_running", unit))

    def start(self, service: Service) -> None:
        self._ask("start", service)

    def stop(self, service: Service) -> None:
        self._ask("stop", service)

    def open_gate(self) -> None:
        self._ask("open_gate")

    def close_gate(self) -> None:
        self._ask("close_gate")

    def gate_is_open(self) -> bool:
        return bool(self._ask("gate_is_open"))

    def install_gate(self, profile: Profile) -> None:
        self._ask("install_gate", profile)

    def version(self, profile: Profile) -> str:
        return str(self._ask("version", profile))

    def start_options(self, profile: Profile) -> tuple[str, ...]:
        found = self._ask("start_options", profile)
        assert isinstance(found, list)
        return tuple(found)

    def _ask(self, name: str, argument: object = None) -> object:
        kind = type(argument).__name__ if argument is not None else ""
        body = msgspec.json.encode(argument).decode()
        argv = ["/opt/beistand/bin/python", "-c", SCRIPT, name, kind, body]
        answer = msgspec.json.decode(self.lab.sh("a", argv).stdout)
        if error := answer.get("error"):
            raise Failed(error["code"], **error["fields"])
        return answer["value"]


class Breaker(Protocol):
    services: InGuest | FakeServices

    def break_it(self) -> None: ...
    def repair_it(self) -> None: ...


@dataclass
class InMemory:
    services: FakeServices

    def break_it(self) -> None:
        self.services.broken.add(UNIT.unit)

    def repair_it(self) -> None:
        self.services.broken.clear()


@dataclass
class InAppliance:
    services: InGuest

    def break_it(self) -> None:
        """Let Asterisk meet a configuration that it may not read (FIGURES section 4)."""
        self.services.lab.sh("a", ["sh", "-c", "chown root /etc/asterisk && chmod 700 /etc/asterisk"])

    def repair_it(self) -> None:
        self.services.lab.sh("a", ["sh", "-c", "chown asterisk /etc/asterisk && chmod 755 /etc/asterisk"])


@pytest.fixture(params=["memory", "systemd"])
def machine(request: pytest.FixtureRequest) -> Iterator[Breaker]:
    if request.param == "memory":
        made: Breaker = InMemory(FakeServices())
    else:
        made = InAppliance(InGuest(request.getfixturevalue("lab")))
    profile = msgspec.structs.replace(PROFILE, services=(UNIT,))
    made.services.install_gate(profile)
    made.services.stop(UNIT)  # before Beistand an Asterisk simply runs
    yield made
    made.repair_it()
    made.services.stop(UNIT)
    made.services.close_gate()


def test_behind_a_closed_gate_nothing_starts(machine: Breaker) -> None:
    """S17. `systemctl start` itself returns 0 for a skipped unit."""
    assert not machine.services.gate_is_open()
    with pytest.raises(Failed, match="service-not-started"):
        machine.services.start(UNIT)
    assert not machine.services.is_running(UNIT.unit)


def test_behind_an_open_gate_it_starts_and_stops_as_often_as_asked(machine: Breaker) -> None:
    machine.services.open_gate()
    machine.services.open_gate()
    assert machine.services.gate_is_open()
    for _ in range(2):
        machine.services.start(UNIT)
        assert machine.services.is_running(UNIT.unit)
    for _ in range(2):
        machine.services.stop(UNIT)
        assert not machine.services.is_running(UNIT.unit)


def test_closing_the_gate_ends_nothing_that_runs(machine: Breaker) -> None:
    machine.services.open_gate()
    machine.services.start(UNIT)
    machine.services.close_gate()
    machine.services.close_gate()
    assert machine.services.is_running(UNIT.unit)


def test_what_does_not_start_is_told_and_starts_once_it_is_repaired(machine: Breaker) -> None:
    """F27: also after so many failures that systemd refuses the next start."""
    machine.services.open_gate()
    machine.break_it()
    for _ in range(4):
        with pytest.raises(Failed, match="service-not-started") as told:
            machine.services.start(UNIT)
        assert told.value.message.fields["why"]
    machine.repair_it()
    machine.services.start(UNIT)
    assert machine.services.is_running(UNIT.unit)


def test_a_crash_is_repaired_behind_the_open_gate_only(lab: Lab) -> None:
    services = InGuest(lab)
    services.install_gate(msgspec.structs.replace(PROFILE, services=(UNIT,)))
    services.open_gate()
    services.start(UNIT)
    crash = ["systemctl", "kill", "--signal=SIGKILL", UNIT.unit]
    show = ["systemctl", "show", "--property=MainPID", "--value", UNIT.unit]
    before = lab.sh("a", show).stdout
    lab.sh("a", crash)
    wait_for(lambda: lab.sh("a", show).stdout not in {before, "0\n"}, 20, "another Asterisk")
    wait_for(lambda: services.is_running(UNIT.unit), 20, "Asterisk to be back")
    services.close_gate()
    lab.sh("a", crash)
    state = ["systemctl", "show", "--property=Result", "--value", UNIT.unit]
    wait_for(lambda: lab.sh("a", state).stdout.strip() == "exec-condition", 20, "the unit to be skipped")
    assert not services.is_running(UNIT.unit)


SHIPPED = Profiles(Path("/nowhere")).load("asterisk")
PLANT = """
set -e
umask 077
mkdir -p /etc/cron.d
printf '[directories]\\nastrundir => %s\\n[options]\\nrunuser = asterisk\\n' "$1" >/etc/asterisk/asterisk.conf
chown asterisk /etc/asterisk/asterisk.conf
"""


@pytest.fixture
def confined(lab: Lab) -> Iterator[InGuest]:
    """Asterisk behind the gate with the profile that ships; what a test put into its files is taken back."""
    services = InGuest(lab)
    lab.sh("a", ["cp", "-aT", "/etc/asterisk/asterisk.conf", "/root/asterisk.conf"])
    services.install_gate(SHIPPED)
    services.open_gate()
    yield services
    lab.sh("a", ["sh", "-c", "rm -rf /etc/asterisk/asterisk.conf; cp -a /root/asterisk.conf /etc/asterisk/"])
    services.stop(SHIPPED.services[0])
    services.close_gate()


@pytest.mark.parametrize(
    "place", ["/etc/cron.d/planted", "/root/planted", "/run/planted", "/run/systemd/planted"]
)
def test_no_folder_of_a_pbx_is_made_where_root_runs_things(lab: Lab, confined: InGuest, place: str) -> None:
    """Its account writes asterisk.conf, which root reads at the start (D6)."""
    lab.sh("a", ["sh", "-c", PLANT, "sh", place])
    assert f"[directories] astrundir = {place}" in confined.start_options(SHIPPED)
    lab.sh("a", ["systemctl", "start", "asterisk"], check=False, timeout=60)
    assert lab.sh("a", ["ls", "-d", place], check=False).returncode != 0


def test_a_confined_pbx_answers_and_cannot_gain_rights(lab: Lab, confined: InGuest) -> None:
    confined.start(SHIPPED.services[0])
    with lab.sip_probe(lab.settings.address("a")) as probe:
        assert probe.first_answer(time.time(), 30)
    status = lab.sh("a", ["sh", "-c", "cat /proc/$(pidof -s asterisk)/status"]).stdout
    assert "NoNewPrivs:\t1" in status
    assert lab.sh("a", ["asterisk", "-rx", "core reload"]).returncode == 0
    folder = "touch /etc/asterisk/x /var/lib/asterisk/x /var/log/asterisk/x /var/spool/asterisk/x /tmp/x"
    inside = "nsenter -t $(pidof -s asterisk) -m setpriv --reuid asterisk --regid asterisk --clear-groups"
    assert lab.sh("a", ["sh", "-c", f"{inside} sh -c '{folder}'"]).returncode == 0
    outside = "touch /etc/cron.d/x || touch /usr/local/bin/x || touch /root/x || touch /run/x"
    root_inside = "nsenter -t $(pidof -s asterisk) -m"
    assert lab.sh("a", ["sh", "-c", f"{root_inside} sh -c '{outside}'"], check=False).returncode != 0


@pytest.mark.parametrize(
    "how", ["mkfifo F", "ln -s /dev/zero F", "mkdir F", "head -c 10000000 /dev/zero >F", "true"]
)
def test_a_start_file_that_is_something_else_is_no_trap(lab: Lab, confined: InGuest, how: str) -> None:
    file = "/etc/asterisk/asterisk.conf"
    lab.sh("a", ["sh", "-c", f"rm -f {file}; {how.replace('F', file)}"])
    assert len(confined.start_options(SHIPPED)) <= 1
    lab.sh("a", ["rm", "-rf", file])
