"""Who writes a network file anew at every boot, by the marks that he leaves on the machine."""

from __future__ import annotations

import os
from pathlib import Path

from beistand.domain.network_file import NetworkFile

_LARGEST = 1 << 16
_PVE_MARK = "--- BEGIN PVE ---"
_PVE_FOLDERS = ("etc/network", "etc/systemd/network")


def generator(root: Path, file: NetworkFile) -> str:
    """Return who writes this file anew at every boot; empty: nobody does."""
    if _is_of_proxmox(root, file):
        return "Proxmox VE"
    is_by_name = "50-cloud-init" in os.path.basename(file.path)
    if (is_by_name or b"cloud-init" in file.body[:500]) and _has_cloud_init(root):
        return "cloud-init"
    return ""


def _is_of_proxmox(root: Path, file: NetworkFile) -> bool:
    """Tell whether the host of a Proxmox container writes the file at each of its starts (pve-container).

    It marks only the lines that it needs beyond an address, in this file or in others of the container.
    """
    folder, name = os.path.split(file.path)
    if os.path.lexists(os.path.join(folder, f".pve-ignore.{name}")):
        return False
    if _PVE_MARK.encode() in file.body:
        return True
    is_its = folder in {str(root / each) for each in _PVE_FOLDERS}
    is_container = _text(root / "run/systemd/container").strip() == "lxc"
    return is_its and is_container and _PVE_MARK in _text(root / "etc/hosts")


def _has_cloud_init(root: Path) -> bool:
    """Tell whether cloud-init is there and was not told to leave the network alone."""
    folder = root / "etc/cloud"
    is_gone = (root / "var/lib/dpkg/info/cloud-init.list").exists() and not (
        root / "usr/bin/cloud-init"
    ).exists()
    if is_gone or not folder.is_dir() or (folder / "cloud-init.disabled").exists():
        return False
    words = _text(root / "proc/cmdline").split()
    if {"cloud-init=disabled", "network-config=disabled"}.intersection(words):
        return False
    files = (folder / "cloud.cfg", *sorted((folder / "cloud.cfg.d").glob("*.cfg")))
    return not any(_says_no_network(_text(each)) for each in files)


def _says_no_network(text: str) -> bool:
    if "network" not in text:
        return False
    # Loaded where cloud-init is only.
    import yaml

    try:
        said = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        return False
    network = said.get("network") if isinstance(said, dict) else None
    return isinstance(network, dict) and network.get("config") == "disabled"


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode(errors="replace")
    except OSError:
        return ""
