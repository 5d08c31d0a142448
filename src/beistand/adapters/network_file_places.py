"""Where the four network managers read their files, in which order, and which of them hide others."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from beistand.domain.errors import Failed
from beistand.domain.network_file import Manager, NetworkFile, Unclear
from beistand.domain.network_file_ifupdown import sources
from beistand.domain.network_file_keyfile import is_made_up
from beistand.domain.network_file_networkd import interface_of

NETWORKD = (
    "etc/systemd/network",
    "run/systemd/network",
    "usr/local/lib/systemd/network",
    "usr/lib/systemd/network",
)
"""systemd.network(5): of files of one name the first counts."""
PROFILES = (
    "etc/NetworkManager/system-connections",
    "run/NetworkManager/system-connections",
    "usr/lib/NetworkManager/system-connections",
)
NETPLAN = ("run/netplan", "etc/netplan", "usr/lib/netplan", "lib/netplan")
INTERFACES = "etc/network/interfaces"
_RUN_PARTS = re.compile(r"[a-zA-Z0-9_-]+")
"""Names that `source-directory` takes (interfaces(5))."""
_LARGEST = 1 << 20
_NO_NETWORK = re.compile(r"^network:\s*\{?\s*config:\s*disabled", re.MULTILINE)
"""What an administrator writes to keep cloud-init from the network files."""


def networkd_files(root: Path) -> Iterator[NetworkFile]:
    """Yield the .network files with their drop-ins behind them."""
    folders = [root / each for each in NETWORKD]
    for name, path in sorted(_first_of_name(folders, ".network").items()):
        file = read_file(path, Manager.NETWORKD, is_generated=_is_netplans(name))
        yield file
        dropins = _first_of_name([each / f"{name}.d" for each in folders], ".conf")
        for _, dropin in sorted(dropins.items()):
            yield read_file(
                dropin,
                Manager.NETWORKD,
                is_generated=_is_netplans(name) and dropin.is_relative_to(root / "run"),
                interface=_interface(file),
            )


def profile_files(root: Path) -> Iterator[NetworkFile]:
    """Yield NetworkManager's profiles, those left out that it made up."""
    for folder in PROFILES:
        for name in _names(root / folder):
            if not _is_profile(name, is_etc=folder.startswith("etc")):
                continue
            is_generated = name.startswith("netplan-") and folder.startswith("run")
            file = read_file(root / folder / name, Manager.NETWORK_MANAGER, is_generated=is_generated)
            if not _is_made_up(file):
                yield file


def netplan_files(root: Path) -> Iterator[NetworkFile]:
    for _, path in sorted(_first_of_name([root / each for each in NETPLAN], ".yaml").items()):
        yield read_file(path, Manager.NETPLAN)


def interfaces_files(root: Path) -> Iterator[NetworkFile]:
    """Yield /etc/network/interfaces and what it sources, each once."""
    seen: set[str] = set()
    waiting = [root / INTERFACES]
    while waiting:
        path = waiting.pop(0)
        real = os.path.realpath(path)
        if real in seen or not path.is_file():
            continue
        seen.add(real)
        file = read_file(path, Manager.IFUPDOWN)
        yield file
        waiting += _sourced(root, path, file)


def generator(root: Path, file: NetworkFile) -> str:
    """Return who writes this file anew at every boot by the marks that he leaves; empty: nobody."""
    if b"--- BEGIN PVE ---" in file.body:
        return "Proxmox VE"
    is_by_name = "50-cloud-init" in os.path.basename(file.path)
    if not is_by_name and b"cloud-init" not in file.body[:500]:
        return ""
    folder = root / "etc/cloud"
    said = [_text(each) for each in (folder / "cloud.cfg", *sorted((folder / "cloud.cfg.d").glob("*.cfg")))]
    is_off = (folder / "cloud-init.disabled").exists() or any(_NO_NETWORK.search(each) for each in said)
    return "" if is_off else "cloud-init"


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


KINDS: tuple[Callable[[Path], Iterator[NetworkFile]], ...] = (
    netplan_files,
    networkd_files,
    profile_files,
    interfaces_files,
)


def read_file(
    path: Path, manager: Manager, *, is_generated: bool = False, interface: str = ""
) -> NetworkFile:
    """Raise Failed `network-file-not-read`."""
    try:
        with path.open("rb") as file:
            body, seen = file.read(_LARGEST + 1), os.fstat(file.fileno())
    except OSError as error:
        raise Failed("network-file-not-read", path=str(path), why=error.strerror or str(error)) from error
    if len(body) > _LARGEST:
        raise Failed("network-file-not-read", path=str(path), why=f"> {_LARGEST}")
    return NetworkFile(
        path=str(path),
        manager=manager,
        body=body,
        mode=stat.S_IMODE(seen.st_mode),
        uid=seen.st_uid,
        gid=seen.st_gid,
        interface=interface,
        is_generated=is_generated,
    )


def _names(folder: Path) -> list[str]:
    try:
        return sorted(each for each in os.listdir(folder) if (folder / each).is_file())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise Failed("network-file-not-read", path=str(folder), why=error.strerror or str(error)) from error


def _first_of_name(folders: list[Path], ending: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        for name in _shown(folder, ending):
            found.setdefault(name, folder / name)
    # A link to /dev/null hides the files of its name, and is none itself.
    return {name: path for name, path in found.items() if path.is_file()}


def _shown(folder: Path, ending: str) -> list[str]:
    try:
        return [each for each in os.listdir(folder) if each.endswith(ending) and not each.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise Failed("network-file-not-read", path=str(folder), why=error.strerror or str(error)) from error


def _is_profile(name: str, *, is_etc: bool) -> bool:
    # In /etc any name counts, but those of editors and of package managers (nm-settings-keyfile(5)).
    if not is_etc:
        return name.endswith(".nmconnection")
    left = (".rpmsave", ".rpmnew", ".dpkg-dist", ".dpkg-old", ".dpkg-new", ".bak", ".pem", ".der", "~")
    return not name.startswith(".") and not name.endswith(left)


def _is_made_up(file: NetworkFile) -> bool:
    try:
        return is_made_up(file.text)
    except Unclear:
        return False  # whoever wants its addresses is told that it cannot be read


def _interface(file: NetworkFile) -> str:
    try:
        return interface_of(file.text)
    except Unclear:
        return ""


def _is_netplans(name: str) -> bool:
    return name.startswith("10-netplan-")


def _sourced(root: Path, path: Path, file: NetworkFile) -> list[Path]:
    found: list[Path] = []
    for kind, pattern in sources(file.text):
        whole = str(root / pattern.lstrip("/")) if pattern.startswith("/") else str(path.parent / pattern)
        for each in sorted(glob.glob(whole)):
            if kind == "source-directory":
                found += [Path(each) / name for name in _names(Path(each)) if _RUN_PARTS.fullmatch(name)]
            else:
                found.append(Path(each))
    return found
