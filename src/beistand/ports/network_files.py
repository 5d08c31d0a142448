"""The files that give interfaces their addresses at boot, of the four network managers."""

from collections.abc import Collection
from typing import Protocol

from beistand.domain.network_file import Named, NetworkFile


class NetworkFiles(Protocol):
    def configuring(self, interface: str) -> tuple[NetworkFile, ...]:
        """Return the files by which its manager configures this interface, those with addresses first.

        netplan's own files, not what it generates from them. All are of one manager.
        Raises Refused `network-manager-unknown` where none of the four manages the interface,
        `network-files-disagree` where two do, and `network-file-not-understood` where one of them cannot be read at
        all; a line of one that cannot hinders nothing here.
        """

    def every(self) -> tuple[NetworkFile, ...]:
        """Return every network file that may have an effect, the generated ones too.

        Profiles that NetworkManager makes up for what others configured are none. A file that cannot be read is
        there with why (`unread`), and one that its manager would not take is not.
        """

    def naming(self, addresses: Collection[str]) -> tuple[Named, ...]:
        """Return every place that brings one of these addresses (no prefix length), the generated files left out."""

    def write(self, file: NetworkFile) -> None:
        """Make this the file, durably: body, mode, owner; a link stays one and its target is written.

        Raises Failed `file-not-written`.
        """

    def read(self, path: str) -> bytes | None:
        """Return what the file holds now; None: it is gone. Raises Failed `network-file-not-read`."""

    def check_writable(self, file: NetworkFile) -> None:
        """See that the file can be changed for good.

        Raises Refused `network-file-name-unreadable` where its name is no text, `network-file-not-lasting` where the
        next boot takes it away, `network-file-of-package` where an update does, and `network-file-read-only` where
        `write` would fail, for a reason that can be seen before.
        """

    def generator(self, file: NetworkFile) -> str:
        """Return the name of the program that writes this file anew, as at every boot; empty: nobody does."""
