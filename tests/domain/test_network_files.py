"""What network files configure, and one address of them changed with every other byte as it was."""

import msgspec
import pytest
import yaml

from beistand.domain.network_file import Configured, Manager, NamesAddress, NetworkFile, NotUnderstood
from beistand.domain.network_file_edit import (
    added,
    configured,
    leases,
    mentions,
    named,
    reading,
    replaced,
    without,
)
from domain.network_file_texts import (
    INTERFACES,
    INTERFACES_MORE,
    NETPLAN,
    NETPLAN_FLOW,
    NETWORKD,
    PROFILE,
    TEXTS,
)

PHONES, OWN = "192.0.2.10", "192.0.2.3"


def file_of(manager: Manager, text: str, **more: object) -> NetworkFile:
    made = NetworkFile(path="/etc/there", manager=manager, body=text.encode("utf-8", "surrogateescape"))
    return msgspec.structs.replace(made, **more)


@pytest.fixture(params=TEXTS, name="file")
def every_text(request: pytest.FixtureRequest) -> NetworkFile:
    return file_of(*TEXTS[request.param])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("networkd", [("192.0.2.10/24", "eth0", 6), ("198.51.100.7/24", "eth0", 12)]),
        ("networkd-section", [("192.0.2.10/24", "02:00:00:00:00:01", 5)]),
        ("networkd-dropin", [("192.0.2.10/24", "*", 2)]),
        ("interfaces", [("192.0.2.10/24", "eth0", 9)]),
        (
            "interfaces-more",
            [("192.0.2.1/24", "eth0", 3), ("192.0.2.11/24", "eth0", 5), ("192.0.2.10/24", "eth0", 9)],
        ),
        ("profile", [("192.0.2.10/24", "eth0", 9), ("198.51.100.7/24", "eth0", 10)]),
        ("profile-old", [("192.0.2.10/24", "*", 5)]),
        ("netplan", [("192.0.2.10/24", "eth0", 10), ("198.51.100.7/24", "eth0", 12)]),
        ("netplan-flow", [("198.51.100.7/24", "eth0", 2), ("192.0.2.10/24", "eth0", 3)]),
        ("netplan-vlan", [("192.0.2.10/24", "eth0.20", 4), ("203.0.113.5/28", "br0", 9)]),
    ],
)
def test_a_file_is_read_with_its_lines(name: str, expected: list[tuple[str, str, int]]) -> None:
    found = configured(file_of(*TEXTS[name]))
    assert list(found) == [Configured(address=a, interface=i, line=n) for a, i, n in expected]


def test_an_address_is_exchanged_and_nothing_else(file: NetworkFile) -> None:
    before = mentions(file, PHONES)
    after = replaced(file, PHONES, f"{OWN}/24")
    # Byte for byte, but on the lines that configure it: comments that speak of it stay as they are.
    for number, (old, new) in enumerate(
        zip(file.body.split(b"\n"), after.body.split(b"\n"), strict=True), start=1
    ):
        assert new == (old.replace(PHONES.encode(), OWN.encode()) if number in before else old)
    assert replaced(after, OWN, f"{PHONES}/24").body == file.body


def test_an_address_is_taken_out_and_the_others_stay(file: NetworkFile) -> None:
    after = without(file, PHONES)
    assert [each.address for each in configured(after)] == [
        each.address for each in configured(file) if each.ip != PHONES
    ]
    assert named(after, [PHONES]) == ()
    ipv6 = [line for line in file.text.splitlines() if "2001:db8" in line]
    assert [line for line in after.text.splitlines() if "2001:db8" in line] == ipv6


@pytest.mark.parametrize("name", [each for each in TEXTS if each not in {"networkd-section", "profile-old"}])
def test_an_address_is_added(name: str) -> None:
    file = file_of(*TEXTS[name])
    after = added(file, "eth0.20" if name == "netplan-vlan" else "eth0", "192.0.2.99/24")
    assert "192.0.2.99/24" in [each.address for each in configured(after)]
    pairs = enumerate(zip(file.text, after.text, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), len(file.text))
    assert after.text.endswith(file.text[same:])  # something came in at one place, nothing else


def test_what_is_not_there_changes_nothing(file: NetworkFile) -> None:
    assert without(file, "203.0.113.99") == file
    assert replaced(file, "203.0.113.99", "203.0.113.98/24") == file


@pytest.mark.parametrize(
    ("line", "new", "expected"),
    [
        ("netmask 255.255.255.0", "192.0.2.129/25", ["netmask 255.255.255.128", "broadcast 192.0.2.255"]),
        ("netmask 24", "192.0.2.1/25", ["netmask 25", "broadcast 192.0.2.127"]),
        ("netmask 255.255.255.0", "192.0.2.1/24", ["netmask 255.255.255.0", "broadcast 192.0.2.255"]),
    ],
)
def test_the_masks_beside_an_address_follow(line: str, new: str, expected: list[str]) -> None:
    after = replaced(
        file_of(Manager.IFUPDOWN, INTERFACES.replace("netmask 255.255.255.0", line)), PHONES, new
    )
    said = [each.strip() for each in after.text.splitlines()]
    assert [each for each in said if each.startswith(("netmask", "broadcast"))] == expected
    assert configured(after)[0].address == new


def test_the_only_stanza_becomes_manual() -> None:
    after = without(file_of(Manager.IFUPDOWN, INTERFACES), PHONES).text
    assert "iface eth0 inet manual\n" in after
    for gone in ("address 192", "netmask", "broadcast", "gateway"):
        assert gone not in after
    assert "dns-nameservers 192.0.2.254 \\\n\t    198.51.100.1\n" in after


def test_an_alias_goes_with_its_name_and_leaves_the_rest_to_its_interface() -> None:
    after = without(file_of(Manager.IFUPDOWN, INTERFACES_MORE), PHONES).text
    assert after.startswith("auto eth0\niface eth0 inet static\n")
    assert "eth0:0" not in after
    assert after.count("dns-search example.org") == 1


def test_a_gateway_stays_with_another_stanza_of_the_interface() -> None:
    first = "iface eth0 inet static\n  address 192.0.2.10/24\n  gateway 192.0.2.254\n"
    text = f"{first}\niface eth0 inet static\n  address 192.0.2.1/24\n"
    assert without(file_of(Manager.IFUPDOWN, text), PHONES).text == (
        "\niface eth0 inet static\n  address 192.0.2.1/24\n  gateway 192.0.2.254\n"
    )


def test_a_pair_of_commands_goes_as_a_pair() -> None:
    file = file_of(Manager.IFUPDOWN, INTERFACES_MORE)
    assert "192.0.2.11" not in without(file, "192.0.2.11").text
    after = replaced(file, "192.0.2.11", "192.0.2.12/24").text
    assert "up   ip -4 addr add 192.0.2.12/24 dev $IFACE || true\n" in after
    assert "down ip -4 addr del 192.0.2.12/24 dev $IFACE || true\n" in after


def test_a_section_that_held_the_address_goes_whole() -> None:
    after = without(file_of(*TEXTS["networkd-section"]), PHONES).text
    assert after == "[Match]\nMACAddress=02:00:00:00:00:01\n\n\n[Route]\nGateway=192.0.2.254\n"


def test_a_profile_keeps_its_gateway() -> None:
    after = without(file_of(Manager.NETWORK_MANAGER, PROFILE), PHONES).text
    assert "\ngateway=192.0.2.254\naddress2=198.51.100.7/24\n" in after


def test_a_profile_without_any_address_is_a_valid_one() -> None:
    after = without(without(file_of(Manager.NETWORK_MANAGER, PROFILE), PHONES), "198.51.100.7").text
    assert "[ipv4]\nmethod=disabled\n\n[ipv6]\n" in after


@pytest.mark.parametrize("text", [NETPLAN, NETPLAN_FLOW])
def test_an_emptied_list_stays_a_list(text: str) -> None:
    after = without(without(file_of(Manager.NETPLAN, text), PHONES), "198.51.100.7").text
    ethernets = yaml.safe_load(after)["network"]["ethernets"]
    assert next(iter(ethernets.values()))["addresses"] in ([], ["2001:db8::10/64"])


@pytest.mark.parametrize(
    ("manager", "text", "line"),
    [
        (Manager.NETWORKD, "[Match]\nName=eth0\n[Network\nAddress=192.0.2.10/24\n", 4),
        (Manager.NETWORKD, "[Network]\nAddress=192.0.2.10/24 # phones\n", 2),
        (Manager.NETWORKD, "[Network]\nAddress=192.0.2.10/33\n", 2),
        (Manager.IFUPDOWN, "iface eth0 inet static\n address pbx.example.org\n", 2),
        (Manager.IFUPDOWN, "auto eth0\niface\n", 2),
        (Manager.IFUPDOWN, "iface eth0 inet static\n address 192.0.2.10\n netmask 255.0.255.0\n", 2),
        (Manager.NETWORK_MANAGER, "[ipv4]\naddress1=192.0.2.10/24 somewhere\n", 2),
        (Manager.NETWORK_MANAGER, "[ipv4]\naddresses=192.0.2.10;24;0.0.0.0;192.0.2.11;24;0.0.0.0;\n", 2),
        (Manager.NETPLAN, "network:\n  ethernets:\n    eth0: {addresses: [192.0.2.10/24\n", 4),
        (Manager.NETPLAN, "network:\n\tethernets: {}\n", 2),
        (Manager.NETPLAN, "network:\n  ethernets:\n    eth0:\n      addresses: 192.0.2.10/24\n", 4),
        (Manager.NETPLAN, "network:\n  ethernets:\n    eth0:\n      addresses: [[192.0.2.10/24]]\n", 4),
    ],
)
def test_what_cannot_be_understood_is_told_with_its_line(manager: Manager, text: str, line: int) -> None:
    file = file_of(manager, text)
    found = reading(file)
    assert found.configured == ()
    assert [each.line for each in found.doubts] == [line]
    # And where it speaks of the address, the worst is taken for true.
    assert all(not each.is_understood and each.what for each in named(file, [PHONES]))
    assert bool(named(file, [PHONES])) == (PHONES in text)
    if PHONES in text:
        with pytest.raises(NotUnderstood) as told:
            without(file, PHONES)
        assert told.value.message.fields["path"] == "/etc/there"


@pytest.mark.parametrize(
    "command",
    [
        "up /usr/local/sbin/more-addresses 192.0.2.10",
        "up ifconfig eth0:1 192.0.2.10 netmask 255.255.255.0",
        "post-up ip addr add 192.0.2.10/24 dev eth0 && arping -U 192.0.2.10",
        "up ip route add default via 192.0.2.254 src 192.0.2.10",
    ],
)
def test_a_command_that_speaks_of_an_address_otherwise_is_no_guess(command: str) -> None:
    file = file_of(Manager.IFUPDOWN, f"iface eth0 inet static\n  address 192.0.2.1/24\n  {command}\n")
    assert [(each.line, each.is_understood) for each in named(file, [PHONES])] == [(3, False)]
    with pytest.raises(NotUnderstood) as told:
        without(file, PHONES)
    assert told.value.line == 3
    with pytest.raises(NamesAddress) as named_too:
        replaced(file, PHONES, "192.0.2.2/24")
    assert named_too.value.line == 3


def test_an_address_that_other_lines_need_is_not_exchanged() -> None:
    file = file_of(
        Manager.NETWORKD, NETWORKD + "[Route]\nDestination=0.0.0.0/0\nPreferredSource=192.0.2.10\n"
    )
    with pytest.raises(NamesAddress, match="PreferredSource"):
        replaced(file, PHONES, "192.0.2.1/24")
    assert "192.0.2.10/24" not in without(file, PHONES).text


@pytest.mark.parametrize(
    ("manager", "text", "expected"),
    [
        (Manager.NETWORKD, "[Match]\nName=eth0\n[Network]\nDHCP=yes\n", (("eth0", 4),)),
        (Manager.NETWORKD, "[Match]\nName=eth0\n[Network]\nDHCP=ipv6\n", ()),
        (Manager.IFUPDOWN, "iface eth0 inet dhcp\niface eth1 inet6 dhcp\n", (("eth0", 1),)),
        (Manager.NETWORK_MANAGER, "[connection]\ninterface-name=eth0\n[ipv4]\nmethod=auto\n", (("eth0", 4),)),
        (Manager.NETPLAN, "network: {ethernets: {eth0: {dhcp4: true}, eth1: {dhcp4: no}}}", (("eth0", 1),)),
    ],
)
def test_a_leased_address_is_seen(manager: Manager, text: str, expected: tuple) -> None:
    assert leases(file_of(manager, text)) == expected


@pytest.mark.parametrize(("address", "lines"), [("192.0.2.1", 1), ("192.0.2.10", 0), ("92.0.2.1", 0)])
def test_a_longer_address_is_another_one(address: str, lines: int) -> None:
    text = "[Match]\nName=eth0\n[Network]\nAddress=192.0.2.1/24\nAddress=192.0.2.100/24\n"
    assert len(mentions(file_of(Manager.NETWORKD, text), address)) == lines


def test_bytes_that_are_no_text_survive() -> None:
    body = b"# caf\xe9 192.0.2.10\nauto eth0\niface eth0 inet static\n address 192.0.2.10/24 \n# \xff\x00\n"
    after = replaced(file_of(Manager.IFUPDOWN, "", body=body), PHONES, "192.0.2.1/24")
    assert after.body == body.replace(b"address 192.0.2.10", b"address 192.0.2.1")
