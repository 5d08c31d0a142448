"""What stands on an interface right now, whoever put it there."""

from typing import Protocol

from beistand.domain.installation import Installation
from beistand.domain.value import Value


class LiveAddress(Value, frozen=True, kw_only=True):
    address: str
    """With its prefix length."""
    is_static: bool
    """Without a lifetime: nobody leased it."""
    has_route: bool = True
    """The kernel makes the route to its network; NetworkManager does that itself (`noprefixroute`)."""


class LiveAddresses(Protocol):
    """Addresses of an interface, by netlink, whatever the network files say. Every call is idempotent."""

    def on(self, interface: str) -> tuple[LiveAddress, ...]:
        """Return the IPv4 addresses. Raises Failed `interface-missing`."""

    def add(self, interface: str, address: str, *, has_route: bool = True) -> None:
        """Add it (with prefix length), beside others with the same IP. Raises Failed `address-not-added`."""

    def remove(self, interface: str, address: str) -> None:
        """Take exactly this one away; others of its subnet stay (promote_secondaries). Raises Failed
        `address-not-removed`.
        """

    def give_back(self, installation: Installation) -> None:
        """Leave the service addresses to the network files: the routes' source as before `hold`, no /32.

        An address that stands there with another prefix length stays, and has no gap. Raises Failed
        `address-not-removed`.
        """
