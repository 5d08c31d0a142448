"""Which files the managers read: what they source, where they look, and what is no file of theirs."""

import os
from pathlib import Path

import pytest

from beistand.adapters.network_managers import generated_profile
from beistand.domain.errors import Refused
from contracts.network_folders import PHONES, UUID, put
from domain.network_file_texts import NETPLAN, NETWORKD, NETWORKD_DROPIN, PROFILE

STANZA = "iface {} inet static\n address 192.0.2.10/24\n"
HERE = "etc/network/interfaces"


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("source /etc/network/none /etc/network/interfaces.d/*.cfg", ["a.cfg", "b.cfg"]),
        ("source interfaces.d/a.cfg /etc/network/interfaces.d/b.cfg", ["a.cfg", "b.cfg"]),
        ('source "interfaces.d/a.cfg"', ["a.cfg"]),
        ("source 'interfaces.d/*.cfg'", []),
        ("source 'interfaces.d'/*.cfg", ["a.cfg", "b.cfg"]),
        ("source interfaces.d/with\\ blank", ["with blank"]),
        ('source "interfaces.d/with blank"', ["with blank"]),
        ("source interfaces.d/[ab].cfg", ["a.cfg", "b.cfg"]),
        ("source interfaces.d/[^a].cfg", ["b.cfg"]),
        ("source interfaces.d/[[:alpha:]].cfg", ["a.cfg", "b.cfg"]),
        ("source interfaces.d/?.cfg # all of them", ["a.cfg", "b.cfg"]),
        ("source interfaces.d/{a,b}.cfg", []),
        ("source $(ls) interfaces.d/a.cfg", []),
        ("source interfaces.d/$NOTHING/a.cfg", ["a.cfg"]),
        ("source interfaces.d/a.cfg | interfaces.d/b.cfg", []),
        ("source \\\n  interfaces.d/a.cfg", ["a.cfg"]),
        ("   source\tinterfaces.d/a.cfg  ", ["a.cfg"]),
        ("source interfaces.d", []),
        ("source /dev/zero /etc/network/interfaces.d/a.cfg", ["a.cfg"]),
        ("source etc/network/interfaces.d/a.cfg", ["a.cfg"]),
        ("source-dir interfaces.d", ["plain"]),
        ("source-directory /etc/network/interfaces.d/", ["plain"]),
        ("source-directories /etc/network/interfaces.?", ["plain"]),
        ("sourced interfaces.d/a.cfg", []),
        ("# source interfaces.d/a.cfg", []),
    ],
)
def test_what_a_line_sources_is_read(tmp_path: Path, line: str, read: list[str]) -> None:
    names = ["a.cfg", "b.cfg", "with blank", "plain", ".hidden.cfg"]
    more = {f"etc/network/interfaces.d/{each}": STANZA.format(each[0]) for each in names}
    files = put(tmp_path, {HERE: f"auto lo\n{line}\nauto eth0\n", **more})
    assert [os.path.basename(each.path) for each in files.naming([PHONES])] == read


def test_files_that_source_each_other_end(tmp_path: Path) -> None:
    files = put(
        tmp_path,
        {
            HERE: "source interfaces.d/*",
            "etc/network/interfaces.d/one": "source ../interfaces\nsource ./../interfaces.d/two\n",
            "etc/network/interfaces.d/two": f"source one\nsource-dir .\n{STANZA.format('eth0')}",
        },
    )
    assert len(files.naming([PHONES])) == 1


def test_ifupdown_ng_takes_every_name_of_a_folder(tmp_path: Path) -> None:
    files = put(tmp_path, {HERE: "source-directory more", "etc/network/more/a.bak": STANZA.format("eth0")})
    assert files.naming([PHONES]) == ()
    (tmp_path / "usr/share/ifupdown-ng").mkdir(parents=True)
    assert len(files.naming([PHONES])) == 1


PLACES = {
    "etc/systemd/network/a.network": NETWORKD,
    "etc/NetworkManager/system-connections/a": PROFILE,
    "etc/netplan/a.yaml": NETPLAN,
}


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("kind", ["fifo", "big", "folder", "nowhere", "zero", "loop", "utf-16"])
def test_what_is_no_file_of_a_manager_ends_nothing(tmp_path: Path, path: str, kind: str) -> None:
    files = put(tmp_path, {**PLACES, HERE: STANZA.format("eth0")})
    odd = tmp_path / path.replace("/a", "/b")
    match kind:
        case "fifo":
            os.mkfifo(odd, 0o600)
        case "big":
            odd.write_bytes(b"x" * 2_000_000)
            odd.chmod(0o600)
        case "utf-16":
            odd.write_bytes(PLACES[path].encode("utf-16"))
            odd.chmod(0o600)
        case "folder":
            odd.mkdir()
        case _:
            odd.symlink_to({"nowhere": "/nowhere", "zero": "/dev/zero", "loop": odd.name}[kind])
    assert len(files.naming([PHONES])) == 4
    unread = {each.path: each.unread for each in files.every() if each.unread}
    expected = {"big": "> 1 MiB", "fifo": "FIFO", "utf-16": "UTF-16"}
    assert unread == ({str(odd): expected[kind]} if kind in expected else {})
    # Nobody's profile is made of it.
    with pytest.raises(Refused, match="network-manager-unknown"):
        files.configuring("eth0")


@pytest.mark.parametrize(
    ("name", "mode", "is_read"),
    [("lan", 0o600, True), ("lan", 0o400, True), ("lan", 0o640, False), ("lan", 0o604, False)]
    + [(name, 0o600, False) for name in (".lan", "lan~", "lan.bak", "lan.pem", "lan.nmmeta")],
)
def test_networkmanager_takes_what_is_a_profile(tmp_path: Path, name: str, mode: int, is_read: bool) -> None:
    folder = "etc/NetworkManager/system-connections"
    files = put(tmp_path, {f"{folder}/{name}": PROFILE})
    (tmp_path / folder / name).chmod(mode)
    assert bool(files.naming([PHONES])) == is_read


@pytest.mark.parametrize("folder", ["etc", "run", "usr/lib"])
def test_networkmanager_may_have_its_profiles_elsewhere(tmp_path: Path, folder: str) -> None:
    files = put(
        tmp_path,
        {
            "etc/NetworkManager/NetworkManager.conf": "[keyfile]\nunmanaged-devices=none\n",
            f"{folder}/NetworkManager/conf.d/x.conf": "[keyfile]\npath=/srv/profiles\n",
            "srv/profiles/lan": PROFILE,
            "etc/NetworkManager/system-connections/lan": PROFILE,
        },
    )
    assert [each.path for each in files.naming([PHONES])] == [str(tmp_path / "srv/profiles/lan")]


@pytest.mark.parametrize("folder", ["etc", "run", "usr/local/lib", "usr/lib"])
def test_a_dropin_counts_wherever_it_lies(tmp_path: Path, folder: str) -> None:
    more = {f"{folder}/systemd/network/a.network.d/b.conf": NETWORKD_DROPIN}
    files = put(tmp_path, {"etc/systemd/network/a.network": "[Match]\nName=eth5\n", **more})
    assert [each.interface for each in files.naming([PHONES])] == ["eth5"]
    (tmp_path / "etc/systemd/network/a.network").write_text("")
    assert files.naming([PHONES]) == ()  # networkd passes over an empty file with all that hangs on it


GENERATED = "run/systemd/network/10-netplan-{}.network"
KEYED = "network:\n  ethernets:\n    {}:\n{}"
BY_MAC = '      match: {macaddress: "02:00:00:00:00:01"}\n'
ADDRESS = "      addresses: [192.0.2.10/24]\n"


@pytest.mark.parametrize(
    ("more", "paths"),
    [
        ({"etc/netplan/a.yaml": KEYED.format("lan0", BY_MAC + ADDRESS)}, ["a.yaml"]),
        (
            {
                "etc/netplan/a.yaml": KEYED.format("lan0", BY_MAC + "      set-name: eth0\n"),
                "etc/netplan/b.yaml": KEYED.format("lan0", ADDRESS),
                "etc/netplan/c.yaml": KEYED.format("lan0-x", ADDRESS),
            },
            ["b.yaml", "a.yaml"],
        ),
    ],
)
def test_netplans_files_are_found_by_the_key_that_it_made_its_own_of(
    tmp_path: Path, more: dict[str, str], paths: list[str]
) -> None:
    made = GENERATED.format("lan0")
    state = {"run/systemd/netif/links/7": f"NETWORK_FILE=/{made}\n", made: "[Match]\nName=eth0\n"}
    found = put(tmp_path, {**more, **state}).configuring("eth0")
    assert [os.path.basename(each.path) for each in found] == paths


def test_the_network_of_a_wireless_profile_is_no_part_of_its_key(tmp_path: Path) -> None:
    profile = f"[connection]\nuuid={UUID}\n[ipv4]\naddress1=192.0.2.10/24\n"
    files = put(
        tmp_path,
        {
            "etc/netplan/a.yaml": KEYED.format("wl0", ADDRESS).replace("ethernets", "wifis"),
            "run/NetworkManager/system-connections/netplan-wl0-our net.nmconnection": profile,
            "run/NetworkManager/devices/7": f"[device]\nconnection-uuid={UUID}\n",
        },
    )
    assert [os.path.basename(each.path) for each in files.configuring("eth0")] == ["a.yaml"]


@pytest.mark.parametrize(
    ("state", "line", "is_found"),
    [
        ("run/network/ifstate", "eth0=eth0", False),
        ("run/network/ifstate", "eth0=phones", True),
        ("run/ifstate", "eth0=phones 1 explicit", True),
        ("run/ifstate", "eth1=phones 1", False),
    ],
)
def test_a_mapping_gives_the_stanza_another_name(
    tmp_path: Path, state: str, line: str, *, is_found: bool
) -> None:
    files = put(tmp_path, {HERE: STANZA.format("phones"), state: f"lo=lo\n{line}\n"})
    if is_found:
        assert len(files.configuring("eth0")) == 1
    else:
        with pytest.raises(Refused, match="network-manager-unknown"):
            files.configuring("eth0")


@pytest.mark.parametrize(
    ("profiles", "found"),
    [
        ({"netplan-lan0": "[connection]\ninterface-name=eth0\n"}, "netplan-lan0"),
        ({"netplan-lan0": "[connection]\n[ethernet]\nmac-address=02:00:00:00:00:0A\n"}, "netplan-lan0"),
        ({"netplan-eth0": "[connection]\ninterface-name=eth1\n"}, ""),
        ({"netplan-a": "[connection]\n", "netplan-b": "[connection]\ninterface-name=eth0\n"}, "netplan-b"),
        ({"other": "[connection]\ninterface-name=eth0\n"}, ""),
        ({}, ""),
    ],
)
def test_netplans_profile_is_found_by_what_it_is_for(
    tmp_path: Path, profiles: dict[str, str], found: str
) -> None:
    for name, text in profiles.items():
        (tmp_path / f"{name}.nmconnection").write_text(text)
    profile = generated_profile(tmp_path, "eth0", "02:00:00:00:00:0a")
    assert (profile.stem if profile else "") == found


CLOUD = "# generated from information of the datasource (cloud-init)\n" + STANZA.format("eth0")
MARKED = STANZA.format("eth0") + "# --- BEGIN PVE ---\n\tpost-up true\n# --- END PVE ---\n"
IN_PROXMOX = {"run/systemd/container": "lxc\n", "etc/hosts": "# --- BEGIN PVE ---\n192.0.2.10 pbx\n"}
CONFIG = "etc/cloud/cloud.cfg.d/99.cfg"


@pytest.mark.parametrize(
    ("text", "more", "program"),
    [
        (STANZA.format("eth0"), {}, ""),
        (STANZA.format("eth0"), IN_PROXMOX, "Proxmox VE"),
        (STANZA.format("eth0"), {"etc/hosts": IN_PROXMOX["etc/hosts"]}, ""),
        (STANZA.format("eth0"), {**IN_PROXMOX, "etc/network/.pve-ignore.interfaces": ""}, ""),
        (MARKED, {}, "Proxmox VE"),
        (MARKED, {"etc/network/.pve-ignore.interfaces": ""}, ""),
        (MARKED, {"etc/network/.pve-ignore.hosts": ""}, "Proxmox VE"),
        (CLOUD, {}, ""),
        (CLOUD, {"etc/cloud/cloud.cfg": "a: b\n"}, "cloud-init"),
        (CLOUD, {"etc/cloud/cloud.cfg": "", "var/lib/dpkg/info/cloud-init.list": ""}, ""),
        (
            CLOUD,
            {"etc/cloud/cloud.cfg": "", "var/lib/dpkg/info/cloud-init.list": "", "usr/bin/cloud-init": ""},
            "cloud-init",
        ),
        (CLOUD, {"etc/cloud/cloud.cfg": "", "etc/cloud/cloud-init.disabled": ""}, ""),
        (CLOUD, {"etc/cloud/cloud.cfg": "", "proc/cmdline": "ro quiet cloud-init=disabled\n"}, ""),
        (CLOUD, {CONFIG: "network: {config: disabled}\n"}, ""),
        (CLOUD, {CONFIG: 'network: {config: "disabled"}\n'}, ""),
        (CLOUD, {CONFIG: "network:\n  # not here\n  config: 'disabled'\n"}, ""),
        (CLOUD, {CONFIG: "# network: {config: disabled}\n"}, "cloud-init"),
        (CLOUD, {CONFIG: "network: {config: [\n"}, "cloud-init"),
        (CLOUD, {CONFIG: "network: disabled\n"}, "cloud-init"),
    ],
)
def test_whoever_writes_a_file_anew_is_known_by_his_marks(
    tmp_path: Path, text: str, more: dict[str, str], program: str
) -> None:
    files = put(tmp_path, {HERE: text, **more})
    (file,) = files.every()
    assert files.generator(file) == program


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("run/systemd/network/a.network", "network-file-not-lasting"),
        ("usr/lib/systemd/network/a.network", "network-file-of-package"),
        ("usr/lib/NetworkManager/system-connections/a.nmconnection", "network-file-of-package"),
        ("usr/local/lib/systemd/network/a.network", ""),
        ("etc/systemd/network/\udce9.network", "network-file-name-unreadable"),
        ("etc/systemd/network/a.network", ""),
    ],
)
def test_a_change_that_does_not_last_is_told_before(tmp_path: Path, path: str, code: str) -> None:
    files = put(tmp_path, {path: PROFILE if "Network" in path else NETWORKD})
    (file,) = files.every()
    if code:
        with pytest.raises(Refused, match=code):
            files.check_writable(file)
    else:
        files.check_writable(file)
