"""What each manager takes of a line is taken here, too; one line that nobody understands hides no other."""

import pytest

from beistand.domain.network_file import Manager, NetworkFile, NotUnderstood
from beistand.domain.network_file_edit import check, configured, leases, named, taken_out, without

PHONES = "192.0.2.10"
STATIC = "iface eth0 inet static\n"
NETPLAN = "network:\n  ethernets:\n    eth0:\n"

PASSED_ON = "      networkmanager:\n        passthrough:\n"
MORE = "          "
WIFI = """\
network:
  wifis:
    eth0:
      access-points:
        net:
          networkmanager:
            passthrough:
              ipv4.method: manual
              ipv4.addresses: "192.0.2.10;24;0.0.0.0;"
"""


def file_of(manager: Manager, text: str) -> NetworkFile:
    return NetworkFile(
        path="/etc/there", manager=manager, body=text.encode("utf-8", "surrogateescape"), interface="eth7"
    )


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (f"{STATIC} address 192.0.2.10/24 # phones\n", "192.0.2.10/24"),
        (f"{STATIC} address 192.0.2.10/24# phones: new\n", "192.0.2.10/24"),
        (f"{STATIC}\taddress\t192.0.2.10/ 24\t\n", "192.0.2.10/24"),
        (f"{STATIC} address 192.0.2.10/255.255.255.0\n", "192.0.2.10/24"),
        (f"{STATIC} address 192.0.2.10\n netmask 255.255.255.0 # old\n", "192.0.2.10/24"),
        (f"{STATIC} netmask 24\n address 192.0.2.10\n", "192.0.2.10/24"),
        (f"{STATIC} address 192.0.2.012\n netmask 24\n", "192.0.2.10/24"),
        (f"{STATIC} address 0xc0.0.2.10/24\n", "192.0.2.10/24"),
        (f"{STATIC} address \\\n  192.0.2.10/24\n", "192.0.2.10/24"),
        (f"{STATIC} address\\\n192.0.2.10/24\n", "192.0.2.10/24"),
        (f"{STATIC} address 192.0.\\\n2.10/24\n", "192.0.2.10/24"),
        (f"{STATIC} address 192.0.2.10/24\\\n", "192.0.2.10/24"),
        (f"{STATIC}# note \\\n address 192.0.2.10/24\n", "192.0.2.10/24"),
        (f"{STATIC} mtu 1500\0\\\n address 192.0.2.10/24\n", "192.0.2.10/24"),
        (f"{STATIC.replace(chr(10), chr(13) + chr(10))} address 192.0.2.10/24\r\n", "192.0.2.10/24"),
        (f"{STATIC} auto\n address 192.0.2.10/24\n", "192.0.2.10/24"),
        (f"{STATIC} allow-hotplug\n address 192.0.2.10/24\n", "192.0.2.10/24"),
        ("iface eth0\n address 192.0.2.10/24\n", "192.0.2.10/24"),
        ("iface eth0 inherits lan\n address 192.0.2.10/24\n", "192.0.2.10/24"),
        ("iface eth0 inet6 static\n address 192.0.2.10/24\n", "192.0.2.10/24"),
        ("iface eth0 inet manual\n address 192.0.2.10/24\n", "192.0.2.10/24"),
        ("auto eth0\n address 192.0.2.10/24\n", "192.0.2.10/24"),
        ("interface eth0\n address 192.0.2.10/24\n", "192.0.2.10/24"),
        (f"{STATIC} up ip a a dev eth0 192.0.2.10/24 brd +\n", "192.0.2.10/24"),
        (f'{STATIC} up /sbin/ip addr add "192.0.2.10/24" dev "$IFACE" # more\n', "192.0.2.10/24"),
        (f"{STATIC} up ip addr add 192.0.2.10/24 dev eth0 2>/dev/null || true\n", "192.0.2.10/24"),
        (f"{STATIC} up ip -f inet address replace local 192.0.2.10 dev eth0\n", "192.0.2.10/32"),
    ],
)
def test_what_ifupdown_takes_is_read(text: str, address: str) -> None:
    file = file_of(Manager.IFUPDOWN, text)
    assert [(each.address, each.interface) for each in configured(file)] == [(address, "eth0")]
    assert [each.is_understood for each in named(file, [PHONES])] == [True]
    assert named(without(file, PHONES), [PHONES]) == ()


@pytest.mark.parametrize(
    ("manager", "text", "address"),
    [
        (Manager.NETWORKD, "[Network]\nAddress=\\\n  192.0.2.10/24\n", "192.0.2.10/24"),
        (Manager.NETWORKD, "[Network]\nAddress=\\\n# note\n; note\n192.0.2.10/24\n", "192.0.2.10/24"),
        (Manager.NETWORKD, "[Network]\nDescription=a\\\\\nAddress=192.0.2.10/24\n", "192.0.2.10/24"),
        (Manager.NETWORKD, "[Network]\nAddress=192.0.2.10/24\\\n", "192.0.2.10/24"),
        (Manager.NETWORKD, "[Network]\rAddress=192.0.2.10/24\r", "192.0.2.10/24"),
        (Manager.NETWORKD, "[Network]\0Address=192.0.2.10/24\0", "192.0.2.10/24"),
        (Manager.NETWORKD, "\ufeff[Network]\nAddress=192.0.2.10/24", "192.0.2.10/24"),
        (Manager.NETWORKD, "[Match]\nName=eth0\n\ufeff[Network]\nAddress=192.0.2.10/24", "192.0.2.10/24"),
        (Manager.NETWORKD, "[Network]\n\ufeffAddress=192.0.2.10/24", "192.0.2.10/24"),
        (Manager.NETWORKD, "[Network]\nAddress = 192.0.2.10/0x18\n", "192.0.2.10/24"),
        (Manager.NETWORKD, "[Network]\nAddress = 192.0.2.10/ 0b11000\n", "192.0.2.10/24"),
        (Manager.NETWORKD, "[Network]\nAddress=192.0.2.10/030\n", "192.0.2.10/24"),
        (Manager.NETWORKD, "[Network]\nAddress=192.0.2.10\n", "192.0.2.10"),
        (Manager.NETWORKD, "[DHCPServer]\nServerAddress=192.0.2.10/24\n", "192.0.2.10/24"),
        (Manager.NETWORK_MANAGER, "[ipv4] \n  address1 = 192.0.2.10/24\n", "192.0.2.10/24"),
        (Manager.NETWORK_MANAGER, "[ipv4]\r\naddress=192.0.2.10/24,192.0.2.254\r\n", "192.0.2.10/24"),
        (Manager.NETWORK_MANAGER, "[ipv4]\naddresses=192.0.2.10;24;0.0.0.0;\n", "192.0.2.10/24"),
        (Manager.NETWORK_MANAGER, "[ipv4]\naddress7=192.0.2.10,24;192.0.2.254/\n", "192.0.2.10/24"),
        (Manager.NETWORK_MANAGER, "[ipv4]\naddress1=192.0.2.10\n", "192.0.2.10"),
        (Manager.NETPLAN, NETPLAN + "      addresses:\t[192.0.2.10/24]\n", "192.0.2.10/24"),
        (Manager.NETPLAN, NETPLAN + "      addresses: ['192.0.2.10/24 ']\n", "192.0.2.10/24"),
        (Manager.NETPLAN, NETPLAN + "      addresses: [192.0.2.10/24]\n...\nwhat: [\n", "192.0.2.10/24"),
        (Manager.NETPLAN, "\ufeff" + NETPLAN + "      addresses: [192.0.2.10/24]\n", "192.0.2.10/24"),
        (Manager.NETPLAN, NETPLAN + '      addresses: ["192.0.2.1\\x30/24"]\n', "192.0.2.10/24"),
        (
            Manager.NETPLAN,
            NETPLAN + PASSED_ON + "          ipv4.address1: 192.0.2.10/24\n",
            "192.0.2.10/24",
        ),
        (
            Manager.NETPLAN,
            WIFI,
            "192.0.2.10/24",
        ),
        (
            Manager.NETPLAN,
            "network:\n  later-devices:\n    eth0:\n      addresses: [192.0.2.10/24]\n",
            "192.0.2.10/24",
        ),
    ],
)
def test_what_the_others_take_is_read(manager: Manager, text: str, address: str) -> None:
    file = file_of(manager, text)
    assert [each.address for each in configured(file)] == [address]
    assert [each.is_understood for each in named(file, [PHONES])] == [True]
    after = without(file, PHONES)
    assert named(after, [PHONES]) == ()
    assert after.body.startswith(b"\xef\xbb\xbf") == text.startswith("\ufeff")


@pytest.mark.parametrize(
    ("manager", "text", "unclear"),
    [
        (
            Manager.IFUPDOWN,
            f"{STATIC} address 192.0.2.10/24\n up ip rule add from 192.0.2.10 table 100\n",
            [3],
        ),
        (
            Manager.IFUPDOWN,
            f"{STATIC} address 192.0.2.10/24\n\niface eth1 inet static\n address here\n",
            [],
        ),
        (Manager.IFUPDOWN, f"{STATIC} address 192.0.2.10/24\niface\n", []),
        (Manager.IFUPDOWN, f"{STATIC} address 192.0.2.10/24\n address-virtual 02:: 192.0.2.10/24\n", [3]),
        (Manager.IFUPDOWN, f"{STATIC} address 192.0.2.10/24\n dns-nameservers 192.0.2.10\n", []),
        (Manager.IFUPDOWN, f"{STATIC} address 192.0.2.10/24\n vrrp 1 192.0.2.10/24\n", [3]),
        (Manager.IFUPDOWN, "iface eth0 inet static\r address 192.0.2.10/24\n" * 2, [1, 2]),
        (Manager.NETWORKD, "[Network]\nAddress=192.0.2.10/24\nAddress=198.51.100.7/24 # old\n", []),
        (Manager.NETWORKD, "[Network]\nAddress=192.0.2.10/24\nAddress=192.0.2.10/24 # old\n", [3]),
        (Manager.NETWORKD, "[Network]\nAddress=192.0.2.10/24\n[Network\nAddress=192.0.2.10/24\n", [4]),
        (Manager.NETWORK_MANAGER, "[ipv4]\naddress1=192.0.2.10/24\naddress2=192.0.2.10/24 more\n", [3]),
        (Manager.NETWORK_MANAGER, "[ipv4]\naddress1=192.0.2.10/24\nnonsense\n", []),
        (Manager.NETPLAN, NETPLAN + "      addresses: [192.0.2.10/24, [a]]\n    eth1: what\n", []),
        (
            Manager.NETPLAN,
            NETPLAN + "      addresses: [192.0.2.10/24]\n    eth1: {addresses: 192.0.2.10/24}\n",
            [5],
        ),
        (
            Manager.NETPLAN,
            NETPLAN + "      addresses: [192.0.2.10/24]\n    eth1:\n    - addresses: [192.0.2.10/24]\n",
            [6],
        ),
    ],
)
def test_one_line_that_is_not_understood_hides_no_other(
    manager: Manager, text: str, unclear: list[int]
) -> None:
    file = file_of(manager, text)
    places = named(file, [PHONES])
    assert [each.line for each in places if not each.is_understood] == unclear
    sure = [each for each in places if each.is_understood]
    assert len(sure) == ("\r" not in text)
    after, left = taken_out(file, PHONES)
    assert left == ()
    assert not any(each.is_understood for each in named(after, [PHONES]))


def test_an_address_that_cannot_be_read_stands_against_its_own_interface_only() -> None:
    file = file_of(Manager.IFUPDOWN, f"{STATIC} address 192.0.2.10/24\niface eth1 inet static\n address x\n")
    check(file, "eth0")
    with pytest.raises(NotUnderstood, match="line=4"):
        check(file, "eth1")
    with pytest.raises(NotUnderstood, match="line=2"):
        check(file_of(Manager.NETPLAN, "network:\n\tx: y\n"), "eth0")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "iface eth0\n address 192.0.2.1/24\n address 192.0.2.10/24\n gateway 192.0.2.254\n",
            "iface eth0\n address 192.0.2.1/24\n gateway 192.0.2.254\n",
            id="one of two",
        ),
        pytest.param(
            "iface eth0\n address 192.0.2.10\n netmask 16\n address 192.0.2.1\n netmask 24\n",
            "iface eth0\n address 192.0.2.1\n netmask 24\n",
            id="with the netmask that is its own",
        ),
        pytest.param(
            "iface eth0\n address 192.0.2.10\n address 192.0.2.1\n netmask 24\n",
            "iface eth0\n address 192.0.2.1\n netmask 24\n",
            id="the netmask is for all",
        ),
        pytest.param(
            "auto eth0\niface eth0\n address 192.0.2.10/24\n gateway 192.0.2.254\n mtu 1400\n",
            "auto eth0\niface eth0\n mtu 1400\n",
            id="a stanza without a method",
        ),
        pytest.param(
            "iface eth0 inet dhcp\n address 192.0.2.10/24\n metric 5\n",
            "iface eth0 inet dhcp\n metric 5\n",
            id="a method that stays",
        ),
        pytest.param(
            "iface static-lan inet static\n mtu 1\niface eth0 inet static inherits static-lan\n address 192.0.2.10\n",
            "iface static-lan inet static\n mtu 1\niface eth0 inet manual inherits static-lan\n",
            id="another word with static in it",
        ),
        pytest.param(
            "iface static inet static\n address 192.0.2.10/24\n",
            "iface static inet manual\n",
            id="an interface called static",
        ),
        pytest.param(
            "iface lan inet static\n mtu 1400\niface eth0 inherits lan\n address 192.0.2.10/24\n",
            "iface lan inet static\n mtu 1400\niface eth0 inet manual inherits lan\n",
            id="the method of another one",
        ),
        pytest.param(
            "iface lan inet static\n mtu 1400\niface eth0 inet inherits lan\n address 192.0.2.10/24\n",
            "iface lan inet static\n mtu 1400\niface eth0 inet manual inherits lan\n",
            id="the method of another one, with a family",
        ),
        pytest.param(
            "iface lan inet static\n address 192.0.2.10/24\niface eth0 inet static inherits lan\n mtu 1400\n",
            "iface lan inet manual\niface eth0 inet manual inherits lan\n mtu 1400\n",
            id="the heir of the address",
        ),
        pytest.param(
            "template lan\n address 192.0.2.10/24\n mtu 1400\niface eth0\n inherit lan\n",
            "template lan\n mtu 1400\niface eth0\n inherit lan\n",
            id="a template of ifupdown-ng",
        ),
        pytest.param(
            "auto eth0 eth0:1 eth0:2\niface eth0:1 inet static\n address 192.0.2.10/24\n"
            "iface eth0:2 inet static\n address 192.0.2.10/24\niface eth0 inet manual\n",
            "auto eth0\niface eth0 inet manual\n",
            id="two aliases",
        ),
        pytest.param(
            "auto eth0\n address 192.0.2.10/24\n mtu 1400\n", "auto eth0\n mtu 1400\n", id="no stanza at all"
        ),
        pytest.param(
            "iface eth0 inet static\n address \\\n  192.0.2.10/24\n mtu 1400\n",
            "iface eth0 inet manual\n mtu 1400\n",
            id="both lines of one",
        ),
    ],
)
def test_lines_go_and_the_rest_stays(before: str, after: str) -> None:
    assert without(file_of(Manager.IFUPDOWN, before), PHONES).text == after


def test_a_dhcp_client_of_ifupdown_ng_is_seen() -> None:
    assert leases(file_of(Manager.IFUPDOWN, "iface eth0\n use dhcp\n")) == (("eth0", 1),)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("      addresses: [192.0.2.10/24, 192.0.2.1/24]\n", "      addresses: [192.0.2.1/24]\n"),
        (
            "      addresses:\n      - 192.0.2.10/24\n      - 192.0.2.1/24\n",
            "      addresses:\n      - 192.0.2.1/24\n",
        ),
        ("      addresses: # note: [x]\n      - 192.0.2.10/24 # a: b\n", "      addresses: [] # a: b\n"),
        ("      ? addresses\n      : # x: y\n      - 192.0.2.10/24\n", "      ? addresses\n      : []\n"),
        (
            f'{PASSED_ON}          ipv4.method: manual\n{MORE}ipv4.address1: "192.0.2.10/24,192.0.2.254"\n',
            f'{PASSED_ON}          ipv4.method: "disabled"\n',
        ),
        (
            f"{PASSED_ON}{MORE}ipv4.address1: 192.0.2.10/24\n{MORE}ipv4.address2: 192.0.2.1/24\n",
            f"{PASSED_ON}{MORE}ipv4.address2: 192.0.2.1/24\n",
        ),
    ],
)
def test_an_entry_of_netplan_goes(text: str, after: str) -> None:
    assert without(file_of(Manager.NETPLAN, NETPLAN + text), PHONES).text == NETPLAN + after


def test_a_place_that_cannot_be_changed_is_left_and_the_others_go() -> None:
    text = NETPLAN + "      addresses: [192.0.2.10/24, 192.0.2.1/24]\n    eth1:\n"
    text += "      networkmanager: {passthrough: {ipv4.address1: 192.0.2.10/24}}\n"
    after, left = taken_out(file_of(Manager.NETPLAN, text), PHONES)
    assert [each.line for each in left] == [6]
    assert [(each.line, each.is_understood) for each in named(after, [PHONES])] == [(6, True)]


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("address1=192.0.2.10/24,192.0.2.254\naddress2=192.0.2.1/24,192.0.2.253\n", "192.0.2.254"),
        ("address2=192.0.2.10/24,192.0.2.254\naddress1=192.0.2.1/24,192.0.2.253\n", "192.0.2.253"),
        ("gateway=192.0.2.253\naddress1=192.0.2.10/24,192.0.2.254\naddress2=192.0.2.1/24\n", "192.0.2.253"),
    ],
)
def test_the_gateway_that_counted_goes_on_counting(text: str, stays: str) -> None:
    after = without(file_of(Manager.NETWORK_MANAGER, f"[ipv4]\nmethod=manual\n{text}"), PHONES).text
    gateways = [each for each in ("192.0.2.254", "192.0.2.253") if each in after]
    assert gateways[0] == stays
    assert f"gateway={stays}" in after or f",{stays}" in after


HOSTILE = [
    (Manager.IFUPDOWN, "\\\n" * 60_000),
    (Manager.IFUPDOWN, STATIC + " address 192.0.2.10/24\n" * 6_000),
    (Manager.IFUPDOWN, (STATIC + " address 192.0.2.10/24\n") * 3_000),
    (Manager.IFUPDOWN, "iface eth0:1 inet static\n address 192.0.2.10/24\nauto eth0:1\n" * 3_000),
    (Manager.IFUPDOWN, STATIC + " up " + "ip address add " * 60_000 + "\n"),
    (Manager.IFUPDOWN, STATIC + " address " + "1" * 900_000 + "\n"),
    (Manager.NETWORKD, "[Network]\n" + "Address=192.0.2.10/24\n" * 8_000),
    (Manager.NETWORKD, "[Address]\nAddress=192.0.2.10/24\n" * 6_000),
    (Manager.NETWORKD, "[Network]\nAddress=" + "\\\n#\n" * 60_000),
    (Manager.NETWORKD, "[" * 900_000),
    (Manager.NETWORK_MANAGER, "[ipv4]\n" + "address1=192.0.2.10/24\n" * 8_000),
    (Manager.NETWORK_MANAGER, "[ipv4]\naddress1=" + "1." * 400_000),
    (
        Manager.NETPLAN,
        NETPLAN + "      addresses:\n" + "      - 192.0.2.10/24\n" * 8_000 + "      - 1.2.3.4/5\n",
    ),
    (Manager.NETPLAN, NETPLAN + "      addresses: [" + "192.0.2.10/24, " * 8_000 + "1.2.3.4/5]\n"),
    (Manager.NETPLAN, "[" * 900_000),
    (Manager.NETPLAN, "a: &a [" + "*a, " * 100_000 + "]"),
]


@pytest.mark.parametrize(
    "at", range(len(HOSTILE)), ids=lambda at: f"{HOSTILE[at][0]}-{HOSTILE[at][1][:20]!r}"
)
def test_the_largest_file_of_one_thing_over_and_over_is_read(at: int) -> None:
    """A step more for each line would take minutes here: whoever makes it quadratic sees it."""
    manager, text = HOSTILE[at]
    file = file_of(manager, text)
    places = named(file, [PHONES])
    if places:
        after, left = taken_out(file, PHONES)
        assert left == ()
        assert named(after, [PHONES]) == ()
