"""The guard: no network file brings the service address when the network starts, and the machine keeps one."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from beistand.adapters.guard_notes import GuardNotes
from beistand.adapters.settings import write_installation
from beistand.agent.guard import guard
from beistand.domain.errors import Failed
from beistand.domain.guarding import GuardNote, note_findings, place_findings, unread_findings
from beistand.domain.installation import Installation, ServiceAddress
from beistand.domain.network_file import Manager, NetworkFile
from beistand.domain.network_file_edit import configured
from beistand.operations.guarding import hold_back
from beistand.ports.places import Places
from domain.network_file_texts import INTERFACES, NETPLAN, NETWORKD, PROFILE, TEXTS
from fakes.network_files import FakeNetworkFiles

PHONES, OWN = "192.0.2.10", "192.0.2.1/24"
INSTALLATION = Installation(
    interface="eth0",
    own_address=OWN,
    service_addresses=(ServiceAddress(address=PHONES, interface="eth0"),),
    profile="asterisk",
)


def file_of(manager: Manager, text: str, path: str = "/etc/there", **more: bool) -> NetworkFile:
    return NetworkFile(path=path, manager=manager, body=text.encode(), **more)


def keep(file: NetworkFile) -> str:
    return f"/kept{file.path}"


@pytest.mark.parametrize("name", TEXTS)
def test_the_address_leaves_files_of_every_kind(name: str) -> None:
    manager, text = TEXTS[name]
    files = FakeNetworkFiles(file_of(manager, text))
    note = hold_back(files, INSTALLATION, keep)
    assert files.naming([PHONES]) == ()
    assert [each.kept for each in note.held] == ["/kept/etc/there"]
    assert note.passed == ()
    # It stood where the machine had its address: the own one is there now, as `beistand setup` would write it.
    found = [each.ip for each in configured(files.files["/etc/there"])]
    assert found.count("192.0.2.1") == 1
    assert hold_back(files, INSTALLATION, keep) == GuardNote()


@pytest.mark.parametrize(
    ("manager", "text", "line"),
    [
        (Manager.NETWORKD, NETWORKD, "  Address = 192.0.2.1/24\n"),
        (Manager.IFUPDOWN, INTERFACES, "\taddress 192.0.2.1\n"),
        (Manager.NETWORK_MANAGER, PROFILE, "address1=192.0.2.1/24,192.0.2.254\n"),
        (Manager.NETPLAN, NETPLAN, '        - "192.0.2.1/24"      # ten\n'),
    ],
)
def test_a_machine_is_never_left_without_an_address(manager: Manager, text: str, line: str) -> None:
    files = FakeNetworkFiles(file_of(manager, text))
    hold_back(files, INSTALLATION, keep)
    assert line in files.files["/etc/there"].text


def test_where_the_own_address_stands_already_nothing_takes_the_others_place() -> None:
    ours = "[Match]\nName=eth0\n[Network]\nAddress=192.0.2.1/24\nGateway=192.0.2.254\n"
    files = FakeNetworkFiles(file_of(Manager.NETWORKD, ours + "Address=192.0.2.10/24\n"))
    hold_back(files, INSTALLATION, keep)
    assert files.files["/etc/there"].text == ours


def test_another_mask_is_the_same_address() -> None:
    files = FakeNetworkFiles(
        file_of(Manager.IFUPDOWN, INTERFACES.replace("netmask 255.255.255.0", "netmask 255.255.0.0"))
    )
    hold_back(files, INSTALLATION, keep)
    assert configured(files.files["/etc/there"])[0].address == OWN


def test_what_netplan_generated_already_is_changed_with_its_source() -> None:
    files = FakeNetworkFiles(
        file_of(Manager.NETPLAN, NETPLAN),
        file_of(
            Manager.NETWORKD, NETWORKD, "/run/systemd/network/10-netplan-eth0.network", is_generated=True
        ),
    )
    note = hold_back(files, INSTALLATION, keep)
    assert all(PHONES not in [one.ip for one in configured(each)] for each in files.every())
    assert [(each.place.path, each.kept) for each in note.held] == [
        ("/etc/there", "/kept/etc/there"),
        ("/run/systemd/network/10-netplan-eth0.network", ""),
    ]
    assert [each.fields["path"] for each in note_findings(note)] == ["/etc/there"]


def test_several_service_addresses_go_at_once() -> None:
    more = (*INSTALLATION.service_addresses, ServiceAddress(address="198.51.100.7", interface="eth0"))
    files = FakeNetworkFiles(file_of(Manager.NETWORKD, NETWORKD))
    note = hold_back(files, msgspec.structs.replace(INSTALLATION, service_addresses=more), keep)
    assert [each.address for each in configured(files.files["/etc/there"])] == [OWN]
    assert len(note.held) == 2
    assert len(files.written) == 1


def test_one_file_that_cannot_be_read_hinders_no_other() -> None:
    files = FakeNetworkFiles(
        file_of(Manager.NETWORKD, "[Network\nAddress=192.0.2.10/24\n", "/etc/broken"),
        file_of(Manager.IFUPDOWN, INTERFACES, "/etc/whole"),
    )
    note = hold_back(files, INSTALLATION, keep)
    assert [(each.place.path, each.why.code) for each in note.passed] == [
        ("/etc/broken", "network-file-not-understood")
    ]
    assert [each.place.path for each in note.held] == ["/etc/whole"]


@pytest.mark.parametrize(
    ("manager", "line", "what"),
    [
        (
            Manager.IFUPDOWN,
            "\tup ip rule add from 192.0.2.10 table 100",
            "up ip rule add from 192.0.2.10 table 100",
        ),
        (Manager.NETWORKD, "Address=192.0.2.10/24 # phones", "Address=192.0.2.10/24 # phones"),
    ],
)
def test_one_line_that_cannot_be_read_protects_no_other(manager: Manager, line: str, what: str) -> None:
    text = {Manager.IFUPDOWN: INTERFACES, Manager.NETWORKD: NETWORKD.partition("; the")[0]}[manager]
    text = text.partition("\niface eth0 inet6")[0] + f"{line}\n"
    files = FakeNetworkFiles(file_of(manager, text))
    note = hold_back(files, INSTALLATION, keep)
    assert [each.kept for each in note.held] == ["/kept/etc/there"]
    assert [(each.why.code, each.why.fields["what"]) for each in note.passed] == [
        ("network-file-not-understood", what)
    ]
    assert [each.ip for each in configured(files.files["/etc/there"])] == ["192.0.2.1"]
    assert line in files.files["/etc/there"].text


def test_a_place_that_cannot_be_changed_protects_no_other_address() -> None:
    text = "network:\n  ethernets:\n    eth0:\n      addresses: [192.0.2.1/24, 192.0.2.10/24]\n"
    text += "    eth1:\n      networkmanager: {passthrough: {ipv4.address1: 192.0.2.10/24}}\n"
    files = FakeNetworkFiles(file_of(Manager.NETPLAN, text))
    note = hold_back(files, INSTALLATION, keep)
    assert [each.place.line for each in note.held] == [4]
    assert [each.place.line for each in note.passed] == [6]
    assert "addresses: [192.0.2.1/24]\n" in files.files["/etc/there"].text


def test_the_own_address_takes_every_place_where_it_stood_nowhere() -> None:
    """The first one is no place for ifupdown: who took it for enough would leave the machine without a network."""
    files = FakeNetworkFiles(
        file_of(Manager.IFUPDOWN, "iface eth0 inet manual\n address 192.0.2.10/24\n", "/etc/one"),
        file_of(Manager.IFUPDOWN, "iface eth0 inet static\n address 192.0.2.10/24\n", "/etc/two"),
    )
    hold_back(files, INSTALLATION, keep)
    assert [each.ip for file in files.every() for each in configured(file)] == ["192.0.2.1"] * 2


def test_a_peer_of_the_address_goes_with_it() -> None:
    text = "[Match]\nName=eth0\n[Address]\nAddress=192.0.2.10/24\nPeer=192.0.2.77/32\n"
    files = FakeNetworkFiles(file_of(Manager.NETWORKD, text))
    hold_back(files, INSTALLATION, keep)
    assert files.files["/etc/there"].text == "[Match]\nName=eth0\n[Address]\nAddress=192.0.2.1/24\n"


def test_a_file_that_nobody_could_read_ends_nothing() -> None:
    foreign = NetworkFile(path="/etc/foreign", manager=Manager.NETWORK_MANAGER, body=b"", unread="> 1 MiB")
    files = FakeNetworkFiles(foreign, file_of(Manager.IFUPDOWN, INTERFACES))
    note = hold_back(files, INSTALLATION, keep)
    assert [each.place.path for each in note.held] == ["/etc/there"]
    (told,) = unread_findings(files.every())
    assert (told.code, told.fields["path"], told.fields["why"]) == (
        "network-file-unread",
        "/etc/foreign",
        "> 1 MiB",
    )


def test_a_file_that_could_not_be_kept_is_not_changed() -> None:
    def no_room(_file: NetworkFile) -> str:
        raise Failed("file-not-written", path="/var", why="No space left on device")

    files = FakeNetworkFiles(file_of(Manager.IFUPDOWN, INTERFACES))
    note = hold_back(files, INSTALLATION, no_room)
    assert files.written == []
    assert [each.why.code for each in note.passed] == ["file-not-written"]


def test_people_are_told_what_was_held_and_what_was_not() -> None:
    files = FakeNetworkFiles(
        file_of(Manager.IFUPDOWN, "iface eth0 inet static\n up /sbin/more 192.0.2.10\n", "/etc/unclear"),
        file_of(Manager.IFUPDOWN, INTERFACES, "/etc/whole"),
    )
    before = place_findings(files.naming([PHONES]))
    assert [(each.code, each.fields["line"]) for each in before] == [
        ("service-address-unclear-in-network-file", 2),
        ("service-address-in-network-file", 9),
    ]
    after = note_findings(hold_back(files, INSTALLATION, keep))
    assert [each.code for each in after] == ["service-address-let-pass", "service-address-held-back"]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return replace(Places(), etc=tmp_path / "etc", state=tmp_path / "state", run=tmp_path / "run")


def test_the_note_and_the_file_as_it_was_are_found_afterwards(places: Places) -> None:
    write_installation(places.etc, INSTALLATION)
    notes = GuardNotes(places.guard_note, places.kept_network_files)
    before = file_of(Manager.NETWORK_MANAGER, PROFILE, "/etc/NetworkManager/system-connections/phones")
    files = FakeNetworkFiles(before)
    note = guard(places, files, notes)
    assert notes.read() == note
    assert guard(places, files, notes) == GuardNote()
    assert notes.read() == note
    (held,) = note.held
    assert Path(held.kept).read_bytes() == before.body
    assert Path(held.kept).stat().st_mode & 0o777 == 0o600
    assert notes.keep(before) == held.kept
    assert len([*places.kept_network_files.iterdir()]) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/etc/a", b"[Match]\nName=eth\xe9\n[Network]\nAddress=192.0.2.10/24\n"),
        ("/etc/a", b"[Network]\nAddress=192.0.2.10/24 # caf\xe9 \x1b[31m\n"),
        ("/etc/caf\udce9", b"[Network]\nAddress=192.0.2.10/24\n"),
        ("/etc/a\nb\x1b", b"[Network]\nAddress=192.0.2.10/24 more\n"),
    ],
)
def test_what_is_no_text_is_noted_and_told_as_text(places: Places, path: str, body: bytes) -> None:
    write_installation(places.etc, INSTALLATION)
    notes = GuardNotes(places.guard_note, places.kept_network_files)
    files = FakeNetworkFiles(NetworkFile(path=path, manager=Manager.NETWORKD, body=body))
    before = place_findings(files.naming([PHONES]))
    note = guard(places, files, notes)
    assert notes.read() == note
    for found in (*before, *note_findings(note)):
        assert all(str(each).isprintable() for each in found.fields.values())
        msgspec.json.encode(found)


def test_before_init_the_guard_touches_nothing(places: Places) -> None:
    files = FakeNetworkFiles(file_of(Manager.IFUPDOWN, INTERFACES))
    notes = GuardNotes(places.guard_note, places.kept_network_files)
    assert guard(places, files, notes) == GuardNote()
    assert files.written == []
    assert notes.read() == GuardNote()


def test_damaged_settings_are_told(places: Places) -> None:
    places.etc.mkdir()
    (places.etc / "installation.toml").write_text("interface = 1")
    with pytest.raises(Failed, match="settings-wrong"):
        guard(places, FakeNetworkFiles(), GuardNotes(places.guard_note, places.kept_network_files))
