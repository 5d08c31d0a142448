"""What configures an appliance's interface: one of Debian's four network managers, each as Debian enables it.

systemd-networkd comes with systemd; the packages of the others are laid over the appliance's root, like
Asterisk's, and only where one of them is wanted. This machine gets none of them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from beistand_lab import commands, control_groups
from beistand_lab.settings import Settings

PACKAGES = ("ifupdown", "network-manager", "netplan.io", "isc-dhcp-client", "keepalived")
"""The managers, and what else may bring an address to a machine."""
ASIDE = "ifupdown-ng"
"""It cannot lie beside ifupdown: it waits in `/usr/lib`, from where `take_ifupdown_ng` puts it in its place."""
_LAYOUT = b"2"  # changes when the arrangement below does
_UNIT_FOLDERS = ("multi-user.target.wants", "network-online.target.wants")
_ENABLED = {
    "systemd-networkd": ("systemd-networkd.service",),
    "ifupdown": ("networking.service",),
    "networkmanager": ("NetworkManager.service",),
    # netplan itself is a generator: it makes files for one of the others at every boot.
    "netplan": ("systemd-networkd.service",),
    "netplan-nm": ("NetworkManager.service",),
}
_TEXTS = Path(__file__).with_name("network_files")
_FILES = {
    "systemd-networkd": "systemd/network/10-eth0.network",
    "ifupdown": "network/interfaces",
    "networkmanager": "NetworkManager/system-connections/eth0.nmconnection",
    "netplan": "netplan/01-netcfg.yaml",
    "netplan-nm": "netplan/01-network-manager-all.yaml",
}
Say = Callable[[str], None]


def layer(build: Path, say: Say, packages: Sequence[str] = PACKAGES) -> Path:
    """The folder to lay over a root; made once for each release of this machine's Debian."""
    release = Path("/etc/os-release").read_bytes()
    digest = hashlib.sha256(b" ".join([release, _LAYOUT, *map(str.encode, packages)])).hexdigest()[:16]
    finished = build / f"managers-{digest}"
    if not finished.is_dir():
        say(f"fetching {', '.join(packages)} (once)")
        work = build / "half-managers"
        shutil.rmtree(work, ignore_errors=True)
        for deb in _fetch(work, packages):
            commands.run(["dpkg-deb", "-x", str(deb), str(work / "x")])
        _arrange(work / "x", work / "layer")
        if ASIDE not in packages:
            for deb in _fetch(work / "aside", [ASIDE]):
                commands.run(["dpkg-deb", "-x", str(deb), str(work / "y")])
            _arrange(work / "y", work / "layer/usr/lib" / ASIDE)
        (work / "layer").rename(finished)
        shutil.rmtree(work)
    return finished


def configure(settings: Settings, appliance: str, root: Path) -> None:
    """Writes the own address where the appliance's manager looks for it, and has the manager started."""
    manager = settings.manager_of(appliance)
    address, gateway = f"{settings.address(appliance)}/24", settings.gateway
    file = root / file_of(manager).lstrip("/")
    for folder in (file.parent, root / "etc/network/interfaces.d"):
        folder.mkdir(parents=True, exist_ok=True)
    file.write_text((_TEXTS / manager).read_text().format(address=address, gateway=gateway))
    if manager in {"networkmanager", "netplan", "netplan-nm"}:
        file.chmod(0o600)  # NetworkManager ignores a file that others may read, netplan warns of it
    if manager.startswith("netplan"):
        # Its programs look for their library in a list that installation scripts bring up to date.
        commands.run(["chroot", str(root), "ldconfig"], group=control_groups.group_name(settings.name))
        _without_udev(root)
    for unit in _ENABLED[manager]:
        for target in _UNIT_FOLDERS:
            wants = root / "etc/systemd/system" / target
            wants.mkdir(parents=True, exist_ok=True)
            (wants / unit).symlink_to(f"/lib/systemd/system/{unit}")


def _without_udev(root: Path) -> None:
    """Lets `netplan apply` pass over udev, which no container has: there is no device to rename here."""
    program = root / "usr/local/sbin/udevadm"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text('#!/bin/sh\n[ "$1" = trigger ] || exec /usr/bin/udevadm "$@"\n')
    program.chmod(0o755)


def take_ifupdown_ng(root: str) -> list[str]:
    """Return the command that puts ifupdown-ng in the place of ifupdown, below this folder of an appliance."""
    return ["cp", "-a", "--remove-destination", f"/usr/lib/{ASIDE}/.", root]


def file_of(manager: str) -> str:
    """Where the own address of an appliance under this manager stands."""
    return f"/etc/{_FILES[manager]}"


def _fetch(work: Path, packages: Sequence[str]) -> list[Path]:
    """The packages and what they need that this machine lacks, by its own package client."""
    cache = work / "cache"
    (cache / "archives/partial").mkdir(parents=True)
    (work / "lists/partial").mkdir(parents=True)
    options = ["-o", f"Dir::Cache={cache}", "-o", f"Dir::State::lists={work / 'lists'}"]
    options += ["-o", "APT::Sandbox::User=root", "-o", "APT::Update::Post-Invoke-Success::="]
    install = ["install", "--yes", "--no-install-recommends", "--download-only"]
    for words in (["update"], [*install, *packages]):
        # The person's own environment: it may name the proxy that leads to the mirror.
        commands.run(
            ["apt-get", "-qq", *options, *words],
            timeout=600,
            environment={**os.environ, "LANG": "C.UTF-8"},
        )
    return sorted((cache / "archives").glob("*.deb"))


def _arrange(tree: Path, target: Path) -> None:
    for source, to in (("usr", "usr"), ("lib", "usr/lib"), ("sbin", "usr/sbin"), ("bin", "usr/bin")):
        if (tree / source).is_dir():
            (target / to).mkdir(parents=True, exist_ok=True)
            commands.run(["cp", "-a", f"{tree / source}/.", str(target / to)])
    commands.run(["cp", "-a", str(tree / "etc"), str(target)])
    for name in ("doc", "man", "locale"):
        shutil.rmtree(target / "usr/share" / name, ignore_errors=True)
