"""One suite for network files: the machine's (under a folder of its own) and the fake."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from beistand.domain.errors import Refused
from beistand.domain.network_file import Manager, NotUnderstood
from beistand.domain.network_file_edit import replaced
from beistand.ports.network_files import NetworkFiles
from contracts.network_folders import PHONES, UUID, put
from domain.network_file_texts import INTERFACES, NETPLAN, NETWORKD, NETWORKD_DROPIN, PROFILE
from fakes.network_files import FakeNetworkFiles

MACHINES: dict[str, dict[str, str]] = {
    "networkd": {
        "etc/systemd/network/10-own.network": NETWORKD,
        "etc/systemd/network/10-own.network.d/more.conf": NETWORKD_DROPIN.replace("10/24", "11/24"),
        "run/systemd/netif/links/7": "ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/10-own.network\n",
    },
    "interfaces": {
        "etc/network/interfaces": INTERFACES,
        "etc/network/interfaces.d/more": "iface eth0 inet static\n address 192.0.2.11/24\n",
        "run/network/ifstate": "lo=lo\neth0=eth0\n",
    },
    "profile": {
        "etc/NetworkManager/system-connections/phones": PROFILE,
        "run/NetworkManager/devices/7": f"[device]\nconnection-uuid={UUID}\n",
        # What the agent holds on an interface that NetworkManager leaves alone.
        "run/NetworkManager/system-connections/eth0.nmconnection": (
            f"[connection]\nuuid=1\n[ipv4]\naddress1={PHONES}/32\n[.nmmeta]\nnm-generated=true\nvolatile=true\n"
        ),
    },
    "netplan": {
        "etc/netplan/50-net.yaml": NETPLAN,
        "run/systemd/network/10-netplan-eth0.network": NETWORKD,
        "run/systemd/netif/links/7": "NETWORK_FILE=/run/systemd/network/10-netplan-eth0.network\n",
    },
}
FIRST = {name: next(iter(files)) for name, files in MACHINES.items()}
KINDS = {
    "networkd": Manager.NETWORKD,
    "interfaces": Manager.IFUPDOWN,
    "profile": Manager.NETWORK_MANAGER,
    "netplan": Manager.NETPLAN,
}
Make = Callable[[str], NetworkFiles]


def fake(root: Path, machine: str) -> FakeNetworkFiles:
    # What the real one read, and what it found to be used: the same machine without a disk.
    real = put(root, MACHINES[machine])
    used = tuple(each.path for each in real.configuring("eth0"))
    return FakeNetworkFiles(*real.every(), used={"eth0": used})


@pytest.fixture(params=["real", "fake"], name="make")
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "real":
        return lambda machine: put(tmp_path, MACHINES[machine])
    return lambda machine: fake(tmp_path, machine)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_files_of_an_interface_are_found(make: Make, machine: str) -> None:
    found = make(machine).configuring("eth0")
    assert found[0].path.endswith(FIRST[machine])
    assert {each.manager for each in found} == {KINDS[machine]}
    assert not any(each.is_generated for each in found)
    assert len(found) == (2 if machine in {"networkd", "interfaces"} else 1)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_place_of_an_address_is_named_once(make: Make, machine: str) -> None:
    files = make(machine)
    (place,) = files.naming([PHONES])
    assert place.path.endswith(FIRST[machine])
    assert place.manager is KINDS[machine]
    assert place.interface == "eth0"
    assert files.naming(["192.0.2.99"]) == ()


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_written_is_read_with_its_mode_and_owner(make: Make, machine: str) -> None:
    files = make(machine)
    before = files.configuring("eth0")[0]
    after = msgspec.structs.replace(replaced(before, PHONES, "192.0.2.3/24"), mode=0o400, gid=2)
    if os.geteuid() != 0:
        after = msgspec.structs.replace(after, gid=os.getegid())
    elif machine != "profile":  # NetworkManager takes root's alone
        after = msgspec.structs.replace(after, mode=0o640, uid=1)
    files.write(after)
    assert files.configuring("eth0")[0] == after
    assert files.read(after.path) == after.body
    assert files.naming([PHONES]) == ()


def test_an_interface_that_nobody_manages_is_refused(make: Make) -> None:
    with pytest.raises(Refused, match="network-manager-unknown"):
        make("networkd").configuring("eth9")


def test_a_file_that_is_not_there_is_none(make: Make) -> None:
    assert make("networkd").read("/etc/nowhere/there") is None


def test_two_managers_of_one_interface_are_refused(tmp_path: Path) -> None:
    files = put(tmp_path, {**MACHINES["networkd"], **MACHINES["interfaces"]})
    with pytest.raises(Refused, match="network-files-disagree") as told:
        files.configuring("eth0")
    assert "10-own.network" in str(told.value.message.fields["paths"])
    assert "interfaces" in str(told.value.message.fields["paths"])


def test_a_line_that_cannot_be_read_hinders_no_other(tmp_path: Path) -> None:
    broken = MACHINES["interfaces"] | {
        "etc/network/interfaces.d/more": f"iface eth0 inet static\n address {PHONES}x\n"
    }
    files = put(tmp_path, broken)
    assert len(files.configuring("eth0")) == 2
    assert [(each.line, each.is_understood) for each in files.naming([PHONES])] == [(9, True)]


def test_a_file_that_cannot_be_read_at_all_is_refused(tmp_path: Path) -> None:
    files = put(tmp_path, MACHINES["netplan"] | {"etc/netplan/60.yaml": "network:\n\tx: y\n"})
    with pytest.raises(NotUnderstood, match="line=2"):
        files.configuring("eth0")


def test_links_stay_links(tmp_path: Path) -> None:
    files = put(tmp_path, {"srv/there": INTERFACES, "run/network/ifstate": "eth0=eth0\n"})
    (tmp_path / "etc/network").mkdir(parents=True)
    (tmp_path / "etc/network/interfaces").symlink_to("../../srv/there")
    files.write(replaced(files.configuring("eth0")[0], PHONES, "192.0.2.3/24"))
    assert (tmp_path / "etc/network/interfaces").is_symlink()
    assert "address 192.0.2.3" in (tmp_path / "srv/there").read_text()


@pytest.mark.parametrize(
    ("hidden", "hiding"),
    [
        ("usr/lib/systemd/network/20-a.network", "etc/systemd/network/20-a.network"),
        ("run/systemd/network/20-a.network", "etc/systemd/network/20-a.network"),
        ("etc/netplan/a.yaml", "run/netplan/a.yaml"),
    ],
)
def test_a_hidden_file_counts_for_nothing(tmp_path: Path, hidden: str, hiding: str) -> None:
    text = NETPLAN if "netplan" in hidden else NETWORKD
    files = put(tmp_path, {hidden: text, hiding: ""})
    assert files.naming([PHONES]) == ()
    (tmp_path / hiding).unlink()
    assert [each.path for each in files.naming([PHONES])] == [str(tmp_path / hidden)]
    (tmp_path / hiding).symlink_to("/dev/null")
    assert files.naming([PHONES]) == ()


def test_what_interfaces_sources_is_read_once(tmp_path: Path) -> None:
    stanza = "iface {} inet static\n address 192.0.2.{}/24\n"
    files = put(
        tmp_path,
        {
            "etc/network/interfaces": "source interfaces.d/*\nsource-directory /etc/network/more\nsource interfaces",
            "etc/network/interfaces.d/eth1.cfg": stanza.format("eth1", 10),
            "etc/network/more/eth2": stanza.format("eth2", 10),
            "etc/network/more/eth3.bak": stanza.format("eth3", 10),
        },
    )
    assert [each.interface for each in files.naming([PHONES])] == ["eth1", "eth2"]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system that cannot be written")
def test_a_file_system_that_takes_nothing_is_told_before(tmp_path: Path) -> None:
    files = put(tmp_path, MACHINES["interfaces"])
    file = files.configuring("eth0")[0]
    files.check_writable(file)
    folder = str(tmp_path / "etc/network")
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        with pytest.raises(Refused, match="network-file-read-only"):
            files.check_writable(file)
    finally:
        subprocess.run(["umount", folder], check=True)
