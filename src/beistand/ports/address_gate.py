"""The kernel's gate: whether the service addresses may speak, whoever put them on this machine (DESIGN "The gate")."""

from typing import Protocol

from beistand.domain.installation import Installation


class AddressGate(Protocol):
    """Shut before the network starts; what holds the address opens it, what gives it up shuts it. Any thread."""

    def let_speak(self) -> bool:
        """Let everything out, in one transaction; return whether that changed anything.

        Takes one grace period of the kernel, some milliseconds: it lies between the grant and its first frame.
        Raises Failed `gate-not-opened`.
        """

    def make_ready(self) -> None:
        """Have `let_speak` take half as long from now on: a click is about to be granted. It stays shut."""

    def silence(self, installation: Installation) -> bool:
        """Let nothing out that names a service address as its sender; return whether anything changed.

        Neither ARP nor packets, whatever interface, and no raw frame of the interfaces of Beistand that are there
        now. What goes to this machine itself passes. Cheap where it is so already: may be asked at every turn.
        Never raises: `missing` tells what could not be shut.
        """

    def missing(self) -> tuple[str, ...]:
        """Return what this machine cannot shut, of `arp`, `inet` and `netdev`; a machine without nftables: all."""

    def breaches(self) -> int:
        """Return how often somebody else had changed what `silence` made, since the last call."""


class RuleChanges(Protocol):
    """Changes of the kernel's rules, whoever makes them."""

    def wait(self, seconds: float) -> str | None:
        """Wait at most so long; return the name of the program that changed a rule, or None: nobody did.

        Empty where its name is not known. What happened since the last call, or since the making, counts.
        """
