"""The agent tells of the service address in a network file before it matters, and of what the guard did."""

import pytest

from beistand.agent.findings import findings
from beistand.domain.finding import Severity
from beistand.domain.guarding import GuardNote, HeldBack
from beistand.domain.network_file import Manager, NetworkFile
from fakes.agents import TwoAgents
from fakes.network_files import FakeNetworkFiles
from fakes.pair_of_appliances import ADDRESS

PATH = "/etc/network/interfaces"
RIGHT = "iface eth0 inet static\n  address 192.0.2.1/24\n"
WRONG = f"{RIGHT}\niface eth0 inet static\n  address {ADDRESS}/24\n"


def file_of(text: str) -> NetworkFile:
    return NetworkFile(path=PATH, manager=Manager.IFUPDOWN, body=text.encode())


def put(two: TwoAgents, text: str) -> FakeNetworkFiles:
    files = FakeNetworkFiles(file_of(text), used={"eth0": (PATH,)})
    two.a.agent.wiring.network_files = files
    return files


def told(two: TwoAgents) -> dict[str, dict]:
    two.clock.advance(11)
    two.a.agent.network_file_look.tick()
    found = two.a.agent.network_file_look.findings()
    return {each.code: each.fields for each in found}


def test_a_line_that_brings_the_address_is_told_and_forgotten(two: TwoAgents) -> None:
    files = put(two, RIGHT)
    assert told(two) == {}
    files.write(file_of(WRONG))
    assert told(two) == {
        "service-address-in-network-file": {
            "address": ADDRESS,
            "path": PATH,
            "line": 5,
            "manager": "ifupdown",
        }
    }
    files.write(file_of(RIGHT))
    assert told(two) == {}


def test_it_hinders_nothing(two: TwoAgents) -> None:
    put(two, WRONG)
    told(two)
    found = [each for each in findings(two.a.agent) if each.code == "service-address-in-network-file"]
    assert [each.severity for each in found] == [Severity.WARN]


def test_it_is_logged_once(two: TwoAgents, capsys: pytest.CaptureFixture[str]) -> None:
    put(two, WRONG)
    for _ in range(3):
        told(two)
    assert capsys.readouterr().err.count("service-address-in-network-file") == 1


def test_a_leased_address_is_told(two: TwoAgents) -> None:
    put(two, "iface eth0 inet dhcp\n")
    assert told(two) == {"network-file-leases": {"interface": "eth0", "path": PATH, "line": 1}}


def test_a_leased_address_is_told_beside_one_that_nobody_can_read(two: TwoAgents) -> None:
    put(two, "iface eth0 inet dhcp\niface eth0 inet static\n  address here\n")
    assert list(told(two)) == ["network-file-leases"]


def test_a_file_that_comes_into_use_later_is_told_then(two: TwoAgents) -> None:
    files = put(two, "iface eth0 inet dhcp\n")
    files.used = {}
    assert told(two) == {}
    files.used = {"eth0": (PATH,)}
    two.clock.advance(60)
    assert told(two) == {"network-file-leases": {"interface": "eth0", "path": PATH, "line": 1}}


def test_what_the_guard_did_at_this_boot_is_told(two: TwoAgents) -> None:
    files = put(two, WRONG)
    (place,) = files.naming([ADDRESS])
    two.a.agent.wiring.guard_notes.write(GuardNote(held=(HeldBack(place=place, kept="/kept"),)))
    files.write(file_of(RIGHT))
    assert told(two) == {
        "service-address-held-back": {"address": ADDRESS, "path": PATH, "line": 5, "kept": "/kept"}
    }


def test_a_line_that_nobody_can_read_is_told_with_what_it_says(
    two: TwoAgents, capsys: pytest.CaptureFixture[str]
) -> None:
    put(two, f"{RIGHT}  up /sbin/more {ADDRESS}\n")
    (found,) = told(two).values()
    assert (found["line"], found["what"]) == (3, f"up /sbin/more {ADDRESS}")
    assert "service-address-unclear-in-network-file" in capsys.readouterr().err


def test_a_file_that_could_not_be_looked_at_is_told(
    two: TwoAgents, capsys: pytest.CaptureFixture[str]
) -> None:
    files = put(two, RIGHT)
    files.write(NetworkFile(path="/etc/big", manager=Manager.NETPLAN, body=b"", unread="> 1 MiB"))
    for _ in range(3):
        assert told(two) == {
            "network-file-unread": {"path": "/etc/big", "manager": "netplan", "why": "> 1 MiB"}
        }
    assert capsys.readouterr().err.count("network-file-unread") == 1
    del files.files["/etc/big"]
    assert told(two) == {}
