"""The network managers themselves: what makes them take what their files say."""

from typing import Protocol


class NetworkManagers(Protocol):
    def apply(self, manager: str, interface: str, paths: tuple[str, ...]) -> None:
        """Have the manager take these changed files, with the link up all the while.

        Returns when it was told; the effect may come later. For one that only acts at `ifup` nothing is done: the
        addresses on the interface are the caller's. Raises CommandFailed, Failed `network-manager-unknown`.
        """
