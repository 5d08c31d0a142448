"""The hardware below an installation."""

from typing import Protocol

from beistand.domain.machine import MachineSigns


class Machine(Protocol):
    def look(self, interface: str) -> MachineSigns:
        """Return the signs of this machine. Never raises: what cannot be read is left out.

        `interface` is the one of the own address: its MAC counts where no card says how it was made, as in a container,
        unless the kernel made it up. Cards behind a bond, a bridge or a VLAN count, those three themselves do not.
        """
