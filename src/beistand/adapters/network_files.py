"""The network files of this machine, and which of them its managers use now."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from beistand.adapters.durable_file import write_durably
from beistand.adapters.network_file_generators import generator
from beistand.adapters.network_file_places import (
    KINDS,
    interfaces_files,
    netplan_files,
    netplan_key,
    networkd_files,
    profile_files,
)
from beistand.domain.errors import Failed, Refused
from beistand.domain.network_file import Named, NetworkFile, NotUnderstood, Unclear
from beistand.domain.network_file_edit import configured, named
from beistand.domain.network_file_ifupdown import interfaces
from beistand.domain.network_file_keyfile import matches, uuid
from beistand.domain.network_file_netplan import names

T = TypeVar("T")

IFSTATES = ("run/network/ifstate", "run/ifstate")
"""Where ifupdown and ifupdown-ng write down what is up, and as which stanza."""


class SystemNetworkFiles:
    """Implements NetworkFiles; what a manager uses is what it says itself in /run."""

    def __init__(self, root: Path = Path("/"), index: Callable[[str], int] = socket.if_nametoindex) -> None:
        self._root = root
        self._index = index

    def configuring(self, interface: str) -> tuple[NetworkFile, ...]:
        used = [*self._of_networkd(interface), *self._of_profiles(interface), *self._of_interfaces(interface)]
        if made := [each for each in used if each.is_generated]:
            used = [each for each in used if not each.is_generated] + self._of_netplan(interface, made)
        if not used:
            raise Refused("network-manager-unknown", interface=interface)
        if len({each.manager for each in used}) > 1:
            paths = ", ".join(each.shown for each in used)
            raise Refused("network-files-disagree", interface=interface, paths=paths)
        return tuple(sorted(used, key=lambda each: not configured(each)))

    def every(self) -> tuple[NetworkFile, ...]:
        return tuple(file for kind in KINDS for file in kind(self._root))

    def naming(self, addresses: Collection[str]) -> tuple[Named, ...]:
        files = (each for each in self.every() if not each.is_generated)
        return tuple(place for file in files for place in named(file, addresses))

    def write(self, file: NetworkFile) -> None:
        path = Path(os.path.realpath(file.path))
        write_durably(path, file.body, mode=file.mode, owner=(file.uid, file.gid))

    def read(self, path: str) -> bytes | None:
        try:
            return Path(path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Failed("network-file-not-read", path=path, why=error.strerror or str(error)) from error

    def check_writable(self, file: NetworkFile) -> None:
        path = Path(os.path.realpath(file.path))
        if file.shown != file.path:
            raise Refused("network-file-name-unreadable", path=file.shown)
        if path.is_relative_to(self._root / "run"):
            raise Refused("network-file-not-lasting", path=file.path)
        if any(path.is_relative_to(self._root / each) for each in ("usr/lib", "lib")):
            raise Refused("network-file-of-package", path=file.path, name=path.name)
        folder = path.parent
        try:
            # What a write does first: shows a read-only file system and a folder that takes nothing.
            with tempfile.TemporaryFile(dir=folder) as draft:
                draft.write(file.body)
        except OSError as error:
            why = error.strerror or str(error)
            raise Refused("network-file-read-only", path=file.path, why=why) from error

    def generator(self, file: NetworkFile) -> str:
        return generator(self._root, file)

    def _of_networkd(self, interface: str) -> list[NetworkFile]:
        said = self._said(f"run/systemd/netif/links/{self._number(interface)}")
        main = said.get("NETWORK_FILE", "")
        if not main or said.get("ADMIN_STATE") == "unmanaged":
            return []
        folder = f"{os.path.basename(main)}.d"
        return [
            each
            for each in networkd_files(self._root)
            if os.path.basename(each.path) == os.path.basename(main)
            or os.path.basename(os.path.dirname(each.path)) == folder
        ]

    def _of_profiles(self, interface: str) -> list[NetworkFile]:
        said = self._said(f"run/NetworkManager/devices/{self._number(interface)}")
        wanted = said.get("connection-uuid", "")
        if not wanted:
            return []
        every = [each for each in profile_files(self._root) if not each.unread]
        known = [each for each in every if _asked(each, uuid) == wanted]

        def fits(text: str) -> bool:
            return matches(text, interface, "")

        # A profile without an identity gets one that stands nowhere.
        return known[:1] or [each for each in every if not _asked(each, uuid) and _asked(each, fits)]

    def _of_interfaces(self, interface: str) -> list[NetworkFile]:
        if not any(interface in self._said(each) for each in IFSTATES):
            return []
        names = self._names_of(interface)
        return [
            each
            for each in interfaces_files(self._root)
            if names.intersection(_asked(each, interfaces))
            or any(one.interface.partition(":")[0] in names for one in configured(each))
        ]

    def _names_of(self, interface: str) -> set[str]:
        """Return the interface's name and that of its stanza, which a mapping may have chosen."""
        logical = (self._said(each).get(interface, "").split() for each in IFSTATES)
        return {interface, *(words[0] for words in logical if words)}

    def _of_netplan(self, interface: str, made: list[NetworkFile]) -> list[NetworkFile]:
        """Return netplan's own files of the interface: several may speak of one key, and one of them of its name."""
        stems = {netplan_key(each.path) for each in made}
        known = {each.path: (each, _asked(each, names)) for each in netplan_files(self._root)}
        every = {key for _, pairs in known.values() for key, _ in pairs}
        # Of a wireless network the file's name has the network's behind the key.
        keys = (stems & every) or {key for key in every for stem in stems if stem.startswith(f"{key}-")}
        return [
            file
            for file, pairs in known.values()
            if any(key in keys or interface in (key, name) for key, name in pairs)
        ]

    def _number(self, interface: str) -> int:
        try:
            return self._index(interface)
        except OSError:
            return 0

    def _said(self, path: str) -> dict[str, str]:
        """Return what a manager wrote down about its state: `key=value` lines."""
        try:
            text = (self._root / path).read_text(errors="replace")
        except OSError:
            return {}
        pairs = (line.partition("=") for line in text.splitlines())
        return {key.strip(): value.strip() for key, _, value in pairs}


def _asked(file: NetworkFile, question: Callable[[str], T]) -> T:
    try:
        return question(file.text)
    except Unclear as unclear:
        raise NotUnderstood(file.path, unclear.line, unclear.what) from None
