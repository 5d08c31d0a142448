"""Joining an existing installation: what is refused, what is changed, and that every interruption goes back."""

import itertools
from collections.abc import Callable

import msgspec
import pytest

from beistand.domain.errors import BeistandError
from beistand.domain.message import message
from beistand.domain.network_file import Manager, NetworkFile
from beistand.domain.setup import Stage
from beistand.operations.setup import plan_setup, shown
from beistand.protocol import StartSetup
from fakes.cutting import Crash, When
from fakes.network import Machine
from fakes.pair_of_appliances import PROFILE
from fakes.setting_up import ASKED, OWN, PATH, PRESENT, TEXT, JoinedMachine

EFFECTS = 12
"""More than a setup has; a test keeps it honest."""
AGAIN = range(16)
"""More than a way back has."""
ONCE_MORE = (0, 1, 3, 6, 8)


def refusal(machine: JoinedMachine, asked: StartSetup = ASKED) -> str:
    """Return the code with which it is refused; nothing was changed."""
    before = (dict(machine.files.files), list(machine.live.there))
    with pytest.raises(BeistandError) as told:
        plan_setup(machine.node, asked, PROFILE, "boot 1")
    assert (machine.files.files, machine.live.there, machine.journal) == (*before, b"")
    return told.value.message.code


def test_the_plan_shows_only_the_lines_that_change() -> None:
    machine = JoinedMachine()
    plan = shown(plan_setup(machine.node, ASKED, PROFILE, "boot 1"))
    assert (plan.interface, plan.manager, plan.own_address) == ("eth0", "systemd-networkd", f"{OWN}/24")
    assert plan.service_address == f"{PRESENT}/24"
    (change,) = plan.changes
    assert change.path == PATH
    assert change.lines == (f"-Address={PRESENT}/24", f"+Address={OWN}/24")
    machine.assert_as_before()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (StartSetup(own_address=PRESENT), "setup-no-address"),
        (StartSetup(own_address="192.0.3.1"), "setup-own-address-outside"),
        (StartSetup(own_address=f"{OWN}/25"), "setup-own-address-outside"),
        (StartSetup(own_address="192.0.2.255"), "setup-own-address-outside"),
        (StartSetup(own_address="here"), "own-address-wrong"),
        (StartSetup(own_address=OWN, interface="eth1"), "setup-no-address"),
        (StartSetup(own_address=OWN, service_address="192.0.2.77"), "setup-no-address"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked: StartSetup, code: str) -> None:
    machine = JoinedMachine()
    if asked.interface:
        machine.live.interface = asked.interface
        machine.live.there = []
    assert refusal(machine, asked) == code


def test_an_own_address_that_somebody_has_is_refused() -> None:
    machine = JoinedMachine()
    machine.segment.machines.append(Machine("02:00:00:00:00:99", OWN))
    assert refusal(machine) == "setup-own-address-taken"


def test_several_addresses_need_a_word_which_one_the_phones_know() -> None:
    machine = JoinedMachine()
    machine.live.there.append("192.0.2.20/24")
    assert refusal(machine) == "setup-several-addresses"
    plan = plan_setup(machine.node, StartSetup(own_address=OWN, service_address=PRESENT), PROFILE, "boot 1")
    assert plan.service_address == f"{PRESENT}/24"


def test_an_address_from_a_dhcp_server_is_refused() -> None:
    machine = JoinedMachine()
    machine.live.leased.add(f"{PRESENT}/24")
    assert refusal(machine, StartSetup(own_address=OWN, interface="eth0")) == "setup-address-leased"


def other_file(machine: JoinedMachine) -> None:
    path, text = "/etc/network/interfaces", f"iface eth0 inet static\n  address {PRESENT}/24\n"
    file = NetworkFile(path=path, manager=Manager.IFUPDOWN, body=text.encode())
    machine.files.files[path] = file


def no_address(machine: JoinedMachine) -> None:
    file = machine.files.files[PATH]
    body = file.body.replace(PRESENT.encode(), b"192.0.2.66")
    machine.files.files[PATH] = msgspec.structs.replace(file, body=body)


def moved(machine: JoinedMachine, path: str) -> None:
    machine.files.files = {path: msgspec.structs.replace(machine.files.files[PATH], path=path)}
    machine.files.used = {"eth0": (path,)}


def unclear_address(machine: JoinedMachine) -> None:
    file = machine.files.files[PATH]
    machine.files.files[PATH] = msgspec.structs.replace(file, body=file.body + b"Address=192.0.2.77/24x\n")


def only_unclear_address(machine: JoinedMachine) -> None:
    text = f"[Match]\nMACAddress=02:00:00:00:00:01\n[Network]\nAddress={PRESENT}/24 # phones\n"
    machine.files.files[PATH] = msgspec.structs.replace(machine.files.files[PATH], body=text.encode())


def named_address(machine: JoinedMachine) -> None:
    file = machine.files.files[PATH]
    body = file.body + f"[Route]\nPreferredSource={PRESENT}\n".encode()
    machine.files.files[PATH] = msgspec.structs.replace(file, body=body)


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (other_file, "setup-address-named-elsewhere"),
        (no_address, "setup-address-in-no-file"),
        (unclear_address, "network-file-not-understood"),
        (only_unclear_address, "network-file-not-understood"),
        (named_address, "network-file-names-address"),
        (lambda machine: moved(machine, "/etc/caf\udce9"), "network-file-name-unreadable"),
        (lambda machine: moved(machine, "/run/systemd/network/a.network"), "network-file-not-lasting"),
        (lambda machine: moved(machine, "/usr/lib/systemd/network/a.network"), "network-file-of-package"),
        (lambda machine: machine.files.read_only.add(PATH), "network-file-read-only"),
        (lambda machine: machine.files.generators.update({PATH: "cloud-init"}), "setup-file-generated"),
        (lambda machine: machine.files.used.clear(), "network-manager-unknown"),
    ],
)
def test_files_that_cannot_be_changed_for_good_are_refused(
    damage: Callable[[JoinedMachine], object], code: str
) -> None:
    machine = JoinedMachine()
    damage(machine)
    assert refusal(machine) == code


def test_an_own_address_that_was_prepared_beside_the_present_one_is_used() -> None:
    machine = JoinedMachine()
    file = machine.files.files[PATH]
    body = file.body + f"Address={OWN}/24\n".encode()
    machine.files.files[PATH] = msgspec.structs.replace(file, body=body)
    machine.live.there.append(f"{OWN}/24")
    machine.start()
    assert machine.files.files[PATH].body == body.replace(f"Address={PRESENT}/24\n".encode(), b"")
    assert set(machine.live.there) == {f"{OWN}/24", f"{PRESENT}/32"}


@pytest.mark.parametrize("acts", [True, False])
def test_the_present_address_becomes_the_service_address_and_comes_back(acts: bool) -> None:
    machine = JoinedMachine(acts_by_itself=acts)
    machine.start()
    machine.assert_changed()
    assert machine.gap == 0
    setup = machine.setup()
    assert setup is not None
    assert setup.stage is Stage.WAITING
    machine.clock.advance(119)
    machine.tick()
    machine.assert_changed()
    machine.clock.advance(2)
    machine.tick()
    machine.assert_as_before()
    assert machine.gap == 0
    ended = machine.setup()
    assert ended is not None
    assert (ended.stage, ended.why.code if ended.why else "") == (Stage.UNDONE, "setup-unconfirmed")


@pytest.mark.parametrize("fails", ["refuses", "forgets"])
def test_a_manager_that_does_not_obey_ends_in_the_way_back(fails: str) -> None:
    machine = JoinedMachine(fails=fails)
    with pytest.raises(BeistandError) as told:
        machine.start()
    assert told.value.message.code in {"command-failed", "setup-not-taken"}
    machine.fails = ""
    machine.tick()
    machine.assert_as_before()


def test_a_way_back_that_fails_is_tried_until_it_works() -> None:
    machine = JoinedMachine()
    machine.start()
    machine.clock.advance(121)
    machine.fails = "refuses"
    for _ in range(3):
        with pytest.raises(BeistandError):
            machine.tick()
    machine.fails = ""
    machine.tick()
    machine.assert_as_before()


def edit(machine: JoinedMachine, before: str, after: str) -> bytes:
    file = machine.files.files[PATH]
    body = file.body.replace(before.encode(), after.encode())
    machine.files.files[PATH] = msgspec.structs.replace(file, body=body)
    return body


def test_what_somebody_changed_in_the_file_since_stays() -> None:
    machine = JoinedMachine()
    machine.start()
    edited = edit(machine, "192.0.2.254", "192.0.2.253")
    setup = machine.setup()
    assert setup is not None
    machine.back(setup, message("setup-undone-by-person"))
    assert machine.files.files[PATH].body == edited.replace(OWN.encode(), PRESENT.encode())
    assert machine.live.there == [f"{PRESENT}/24"]


def test_what_cannot_be_joined_with_a_later_change_is_refused() -> None:
    machine = JoinedMachine()
    machine.start()
    edit(machine, f"Address={OWN}/24", "Address=192.0.2.7/24")
    setup = machine.setup()
    assert setup is not None
    with pytest.raises(BeistandError) as told:
        machine.back(setup, message("setup-undone-by-person"))
    assert told.value.message.code == "setup-file-changed"


def cut(machine: JoinedMachine, act: Callable[[], object], at: int, when: When) -> bool:
    """Act, and end at this effect; tell whether it was reached."""
    machine.scissors.at, machine.scissors.when, machine.scissors.count = at, when, 0
    try:
        act()
    except Crash:
        return True
    finally:
        machine.scissors.at = -1
    return False


def test_there_are_no_more_effects_than_are_cut() -> None:
    machine = JoinedMachine()
    machine.start()
    assert EFFECTS - 3 <= machine.scissors.count <= EFFECTS
    machine.scissors.count = 0
    machine.clock.advance(121)
    machine.tick()
    assert machine.scissors.count <= len(AGAIN)


@pytest.mark.shows("B6", "F1")
@pytest.mark.parametrize("acts", [True, False], ids=["by-itself", "at-boot-only"])
@pytest.mark.parametrize("power", [False, True], ids=["kill", "power-cut"])
def test_a_setup_that_is_cut_anywhere_goes_back_however_often_that_is_cut(power: bool, acts: bool) -> None:
    """F1: kill and power cut at every effect of the setup, then at every effect of the way back."""
    for at, when, again in itertools.product(range(EFFECTS), When, ONCE_MORE):
        machine = JoinedMachine(acts_by_itself=acts)
        if not cut(machine, machine.start, at, when) and machine.setup() is None:
            continue
        machine.assert_never_doubled()
        if power:
            machine.cut_power()
        else:
            machine.clock.advance(121)
        was_cut = cut(machine, machine.tick, again, When.AFTER)
        machine.assert_never_doubled()
        if power and was_cut:
            machine.cut_power()
        machine.tick()
        if machine.setup() is not None:
            machine.assert_as_before()
        else:
            assert machine.files.files[PATH].body == TEXT.encode()


@pytest.mark.parametrize("power", [False, True], ids=["kill", "power-cut"])
def test_an_undo_that_is_cut_anywhere_is_finished(power: bool) -> None:
    for at, when in itertools.product(AGAIN, When):
        undo_and_cut(at, when, power)


def undo_and_cut(at: int, when: When, power: bool) -> None:
    machine = JoinedMachine()
    machine.start()
    setup = machine.setup()
    assert setup is not None
    machine.save(msgspec.structs.replace(setup, stage=Stage.CONFIRMED))
    was_cut = cut(machine, lambda: machine.back(setup, message("setup-undone-by-person")), at, when)
    machine.assert_never_doubled()
    if power:
        machine.cut_power()
    machine.tick()
    state = machine.setup()
    assert state is not None
    if was_cut and state.stage is Stage.CONFIRMED:
        if power:
            machine.live.there.append(f"{PRESENT}/32")  # as the agent does after its boot check
        machine.assert_changed()
    else:
        machine.assert_as_before()
