"""Where the four network managers read their files, in which order, and which of them hide others.

A file that cannot be read is there all the same, with why: it must end nothing, and somebody has to know of it.
"""

from __future__ import annotations

import glob
import os
import pwd
import re
import stat
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from beistand.domain.network_file import Manager, NetworkFile
from beistand.domain.network_file_ifupdown import sources
from beistand.domain.network_file_keyfile import folder as folder_of
from beistand.domain.network_file_keyfile import is_made_up
from beistand.domain.network_file_networkd import interface_of
from beistand.domain.network_file_words import words

NETWORKD = (
    "etc/systemd/network",
    "run/systemd/network",
    "usr/local/lib/systemd/network",
    "usr/lib/systemd/network",
    "lib/systemd/network",
)
"""systemd.network(5): of files of one name the first counts."""
PROFILES = "etc/NetworkManager/system-connections"
MORE_PROFILES = (
    "run/NetworkManager/system-connections",
    "usr/lib/NetworkManager/system-connections",
)
CONFIGURATION = (
    "usr/lib/NetworkManager/conf.d",
    "run/NetworkManager/conf.d",
    "etc/NetworkManager/conf.d",
)
"""NetworkManager.conf(5): later ones count more, and /etc/NetworkManager/NetworkManager.conf counts before the last."""
NETPLAN = ("run/netplan", "etc/netplan", "usr/lib/netplan", "lib/netplan")
INTERFACES = "etc/network/interfaces"
_RUN_PARTS = re.compile(r"[a-zA-Z0-9_-]+")
"""Names that `source-directory` takes (interfaces(5)); ifupdown-ng takes all."""
_IFUPDOWN_NG = "usr/share/ifupdown-ng"
_LARGEST = 1 << 20
_MOST_FILES = 1000
"""Of one folder or pattern: nobody has more, and a look must end."""


def networkd_files(root: Path) -> Iterator[NetworkFile]:
    """Yield the .network files with their drop-ins behind them."""
    folders = [root / each for each in NETWORKD]
    for name, path in sorted(_first_of_name(folders, ".network").items()):
        file = read_file(path, Manager.NETWORKD, is_generated=_is_netplans(name))
        if not file.body and not file.unread:
            continue  # networkd passes over it, and over its drop-ins
        yield file
        dropins = _first_of_name([each / f"{name}.d" for each in folders], ".conf")
        for _, dropin in sorted(dropins.items()):
            yield read_file(
                dropin,
                Manager.NETWORKD,
                is_generated=_is_netplans(name) and dropin.is_relative_to(root / "run"),
                interface=interface_of(file.text),
            )


def profile_files(root: Path) -> Iterator[NetworkFile]:
    """Yield NetworkManager's profiles, those left out that it made up or does not take."""
    for folder in (_profile_folder(root), *(root / each for each in MORE_PROFILES)):
        is_etc = not any(folder == root / each for each in MORE_PROFILES)
        for name in _names(folder):
            if not _is_profile(name, is_etc=is_etc):
                continue
            is_generated = name.startswith("netplan-") and folder == root / MORE_PROFILES[0]
            file = read_file(folder / name, Manager.NETWORK_MANAGER, is_generated=is_generated)
            if _is_taken(file) and not is_made_up(file.text):
                yield file


def netplan_files(root: Path) -> Iterator[NetworkFile]:
    for _, path in sorted(_first_of_name([root / each for each in NETPLAN], ".yaml").items()):
        yield read_file(path, Manager.NETPLAN)


def interfaces_files(root: Path) -> Iterator[NetworkFile]:
    """Yield /etc/network/interfaces and what it sources, each once."""
    seen: set[str] = set()
    waiting = [root / INTERFACES]
    while waiting and len(seen) < _MOST_FILES:
        path = waiting.pop(0)
        real = os.path.realpath(path)
        if real in seen or not _is_file(path):
            continue
        seen.add(real)
        file = read_file(path, Manager.IFUPDOWN)
        yield file
        # What it sources comes behind it, before what others source.
        waiting = [*_sourced(root, path, file), *waiting]


KINDS: tuple[Callable[[Path], Iterator[NetworkFile]], ...] = (
    netplan_files,
    networkd_files,
    profile_files,
    interfaces_files,
)


def read_file(
    path: Path, manager: Manager, *, is_generated: bool = False, interface: str = ""
) -> NetworkFile:
    """Return the file; one that cannot be read says why."""
    body, unread, mode, uid, gid = b"", "", 0, 0, 0
    try:
        # A FIFO that nobody writes, or a device, must not stop us.
        with open(path, "rb", opener=_without_waiting) as file:
            seen = os.fstat(file.fileno())
            mode, uid, gid = stat.S_IMODE(seen.st_mode), seen.st_uid, seen.st_gid
            if not stat.S_ISREG(seen.st_mode):
                unread = "FIFO" if stat.S_ISFIFO(seen.st_mode) else stat.filemode(seen.st_mode)
            elif len(body := file.read(_LARGEST + 1)) > _LARGEST:
                body, unread = b"", f"> {_LARGEST >> 20} MiB"
            elif body.startswith((b"\xff\xfe", b"\xfe\xff")):
                body, unread = b"", "UTF-16"
    except OSError as error:
        body, unread = b"", error.strerror or str(error)
    return NetworkFile(
        path=str(path),
        manager=manager,
        body=body,
        mode=mode,
        uid=uid,
        gid=gid,
        interface=interface,
        is_generated=is_generated,
        unread=unread,
    )


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _names(folder: Path) -> list[str]:
    """Return the files of a folder; of one that cannot be listed there are none that anybody reads."""
    try:
        with os.scandir(folder) as entries:
            return sorted(each.name for each in islice(entries, _MOST_FILES) if _is_file(folder / each.name))
    except OSError:
        return []


def _is_file(path: Path) -> bool:
    """Tell whether a manager would open it: no folder, no link to nowhere, and no device, as /dev/null is one."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISDIR(mode) or stat.S_ISCHR(mode) or stat.S_ISBLK(mode))


def _first_of_name(folders: list[Path], ending: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        for name in _shown(folder, ending):
            found.setdefault(name, folder / name)
    # A link to /dev/null hides the files of its name, and is none itself.
    return {name: path for name, path in found.items() if _is_file(path)}


def _shown(folder: Path, ending: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            found = (each.name for each in entries)
            return list(
                islice((each for each in found if each.endswith(ending) and each[0] != "."), _MOST_FILES)
            )
    except OSError:
        return []


def _profile_folder(root: Path) -> Path:
    """Return where NetworkManager has its profiles in /etc; [keyfile] of its configuration may say otherwise."""
    more = _first_of_name([root / each for each in reversed(CONFIGURATION)], ".conf")
    files = [root / "etc/NetworkManager/NetworkManager.conf", *(more[name] for name in sorted(more))]
    said = [folder_of(read_file(each, Manager.NETWORK_MANAGER).text) for each in files if _is_file(each)]
    named = next((each for each in reversed(said) if each.startswith("/")), "")
    return root / (named.lstrip("/") or PROFILES)


def _is_profile(name: str, *, is_etc: bool) -> bool:
    # In /etc any name counts, but those of editors and of package managers (nm-settings-keyfile(5)).
    if not is_etc:
        return name.endswith(".nmconnection")
    left = (".rpmsave", ".rpmnew", ".dpkg-dist", ".dpkg-old", ".dpkg-new", ".bak", ".pem", ".der", "~")
    return not name.startswith(".") and not name.endswith((*left, ".nmmeta"))


def _is_taken(file: NetworkFile) -> bool:
    """Tell whether NetworkManager takes a profile of this owner and mode: it holds secrets, and is root's alone."""
    return file.uid in {0, os.geteuid()} and not file.mode & 0o077


def netplan_key(path: str) -> str:
    """Return by which key netplan knows what it generated this file of; of a wireless one its network behind it."""
    folder, name = os.path.split(path)
    stem = (name if name.startswith(("10-netplan-", "netplan-")) else os.path.basename(folder)).partition(
        "netplan-"
    )[2]
    return stem.removesuffix(".d").removesuffix(".network").removesuffix(".nmconnection")


def _is_netplans(name: str) -> bool:
    return name.startswith("10-netplan-")


def _sourced(root: Path, path: Path, file: NetworkFile) -> list[Path]:
    found: list[Path] = []
    for source in sources(file.text):
        for at, word in enumerate(words(source.said, _home)):
            for each in _matching(root, path.parent, word, is_first=at == 0):
                found += _inside(root, each) if source.is_directory else [each]
    return found


def _matching(root: Path, folder: Path, word: str, *, is_first: bool) -> list[Path]:
    # ifupdown puts its folder before the line, so before the first word; ifupdown2 and the other words begin at /.
    patterns = [root / word.lstrip("/")]
    if is_first and not word.startswith("/"):
        patterns.insert(0, folder / word)
    return [
        Path(each) for pattern in patterns for each in sorted(islice(glob.iglob(str(pattern)), _MOST_FILES))
    ]


def _inside(root: Path, folder: Path) -> list[Path]:
    takes_all = (root / _IFUPDOWN_NG).is_dir()
    return [folder / name for name in _names(folder) if takes_all or _RUN_PARTS.fullmatch(name)]


def _home(user: str) -> str:
    try:
        return pwd.getpwnam(user or "root").pw_dir
    except (KeyError, ValueError):
        return ""
