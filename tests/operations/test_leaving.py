"""Beistand is taken away: what stands on the interface, in the network file and at the next boot afterwards."""

from typing import Any

import msgspec
import pytest

from beistand.domain.installation import Installation, ServiceAddress
from beistand.domain.network_file import Manager, NetworkFile
from beistand.domain.network_file_edit import configured
from beistand.operations.leaving import Leaver, leave_serving, leave_standing_by
from fakes.pair_of_appliances import PROFILE, UNITS
from fakes.setting_up import OWN, PATH, PRESENT, JoinedMachine

INSTALLATION = Installation(
    interface="eth0",
    own_address=f"{OWN}/24",
    service_addresses=(ServiceAddress(address=PRESENT, interface="eth0"),),
    profile="asterisk",
)

TEXTS = {
    Manager.NETWORKD: "[Match]\nName=eth0\n\n[Network]\nAddress=ADDRESS\nGateway=192.0.2.254\n",
    Manager.IFUPDOWN: "auto eth0\niface eth0 inet static\n\taddress ADDRESS\n\tgateway 192.0.2.254\n",
    Manager.NETWORK_MANAGER: "[connection]\nid=e\ninterface-name=eth0\n\n[ipv4]\nmethod=manual\naddress1=ADDRESS\n",
    Manager.NETPLAN: "network:\n  version: 2\n  ethernets:\n    eth0:\n      addresses: [ADDRESS]\n",
}


class Left:
    """A machine that `beistand init` made an appliance: the own address in its file, the service address held."""

    def __init__(self, manager: Manager = Manager.NETWORKD, text: str = "") -> None:
        self.machine = JoinedMachine(manager=manager, acts_by_itself=manager is not Manager.IFUPDOWN)
        text = text or TEXTS[manager].replace("ADDRESS", f"{OWN}/24")
        self.machine.files.files = {PATH: NetworkFile(path=PATH, manager=manager, body=text.encode())}
        self.machine.live.there[:] = [f"{OWN}/24", f"{PRESENT}/32"]
        self.machine.services.has_gates = True
        self.machine.services.enabled = set(UNITS)
        self.held = {PRESENT}
        self.leaver = Leaver(
            node=self.machine.node,
            addresses=Held(self),
            installation=INSTALLATION,
            services=PROFILE.services,
        )

    @property
    def in_file(self) -> list[str]:
        return [each.address for each in configured(self.machine.files.files[PATH])]

    @property
    def there(self) -> list[str]:
        return self.machine.live.there

    @property
    def services(self) -> Any:
        return self.machine.services


class Held:
    """Of the port Addresses what leaving asks for."""

    def __init__(self, left: Left) -> None:
        self._left = left

    def held(self, _installation: Installation) -> tuple[str, ...]:
        return tuple(each.split("/")[0] for each in self._left.there if each.startswith(f"{PRESENT}/"))

    def drop(self, _installation: Installation) -> bool:
        self._left.there[:] = [each for each in self._left.there if not each.startswith(f"{PRESENT}/")]
        return True


def codes(told: Any) -> list[str]:
    return [each.code for each in told]


@pytest.mark.parametrize("manager", Manager)
def test_the_address_stands_in_the_file_of_every_manager(manager: Manager) -> None:
    left = Left(manager)
    told = leave_serving(left.leaver)
    assert codes(told) == ["leave-address-in-file"]
    assert left.in_file == [f"{PRESENT}/24", f"{OWN}/24"]  # first, or the PBX would answer from the other one
    assert left.there == [f"{PRESENT}/24", f"{OWN}/24"]
    assert left.machine.gap == 0
    assert left.services.running == UNITS
    assert left.services.ungated == UNITS


def test_a_file_that_has_it_already_is_left_alone() -> None:
    left = Left(text=f"[Match]\nName=eth0\n\n[Network]\nAddress={OWN}/24\nAddress={PRESENT}/24\n")
    assert codes(leave_serving(left.leaver)) == ["leave-address-in-file"]
    assert left.machine.files.written == []


@pytest.mark.parametrize("trouble", ["read-only", "generated", "no-file", "refuses"])
def test_what_cannot_be_written_is_told_with_the_line(trouble: str) -> None:
    left = Left()
    files = left.machine.files
    if trouble == "read-only":
        files.read_only.add(PATH)
    elif trouble == "generated":
        files.generators[PATH] = "cloud-init"
    elif trouble == "no-file":
        files.used = {}
    else:
        left.machine.fails = "refuses"
    told = leave_serving(left.leaver)
    line = next(each for each in told if each.code == "leave-write-line")
    assert f"{PRESENT}/24" in str(line.fields["line"])
    assert line.fields["path"] == ("-" if trouble == "no-file" else PATH)
    assert f"{PRESENT}/24" in left.there  # until the next boot the phones notice nothing


def test_a_pbx_that_an_earlier_life_switched_off_starts_at_boot_again() -> None:
    left = Left()
    left.services.enabled, left.services.running = set(), set()
    told = codes(leave_serving(left.leaver))
    assert left.services.enabled == UNITS
    assert left.services.running == UNITS
    assert {"leave-pbx-enabled", "leave-pbx-started"} <= set(told)


def test_a_pbx_that_does_not_start_is_told() -> None:
    left = Left()
    left.services.running, left.services.broken = set(), set(UNITS)
    assert "leave-pbx-not-started" in codes(leave_serving(left.leaver))


def test_a_standby_has_neither_address_nor_pbx_at_the_next_boot() -> None:
    left = Left()
    told = codes(leave_standing_by(left.leaver))
    assert left.there == [f"{OWN}/24"]
    assert left.services.running == set()
    assert left.services.enabled == set()
    assert left.services.ungated == UNITS
    assert {"leave-address-gone", "leave-pbx-stopped", "leave-pbx-disabled"} <= set(told)


def test_the_gate_stays_where_something_else_would_start_the_pbx() -> None:
    left = Left()
    left.services.never_off = set(UNITS)
    told = codes(leave_standing_by(left.leaver))
    assert left.services.ungated == set()
    assert "leave-gate-stays" in told


@pytest.mark.parametrize("manager", Manager)
def test_a_standby_whose_file_brings_the_address_loses_it_there(manager: Manager) -> None:
    left = Left(manager, TEXTS[manager].replace("ADDRESS", f"{PRESENT}/24"))
    told = codes(leave_standing_by(left.leaver))
    assert PRESENT not in [each.split("/")[0] for each in left.in_file]
    assert "leave-address-out-of-file" in told


def test_an_address_that_cannot_be_taken_out_is_told() -> None:
    text = f"[Match]\nName=eth0\n\n[Network]\nAddress={OWN}/24\nAddress={PRESENT}/24\nAddress={PRESENT}/33x\n"
    left = Left(text=text)
    told = codes(leave_standing_by(left.leaver))
    assert "leave-address-stays-in-file" in told
    # It protects none that can be.
    assert "leave-address-out-of-file" in told
    assert left.in_file == [f"{OWN}/24"]


def test_several_units_go_in_reverse_order() -> None:
    left = Left()
    units = tuple(msgspec.structs.replace(PROFILE.services[0], unit=each) for each in ("db", "pbx"))
    left.services.running = {"db", "pbx"}
    told = leave_standing_by(_with(left, units))
    stopped = [each.fields["unit"] for each in told if each.code == "leave-pbx-stopped"]
    assert stopped == ["pbx", "db"]


def _with(left: Left, units: Any) -> Leaver:
    return Leaver(
        node=left.leaver.node, addresses=left.leaver.addresses, installation=INSTALLATION, services=units
    )
