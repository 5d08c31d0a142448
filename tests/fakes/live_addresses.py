"""The addresses on one interface in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field

from beistand.domain.errors import Failed
from beistand.domain.installation import Installation
from beistand.ports.live_addresses import LiveAddress
from fakes.network import Effect, at_once


@dataclass
class FakeLiveAddresses:
    """`changed` is called after every change: other parts of the machine see its addresses, too."""

    there: list[str] = field(default_factory=list)
    """With prefix length, the primary one first."""
    leased: set[str] = field(default_factory=set)
    without_route: set[str] = field(default_factory=set)
    interface: str = "eth0"
    effect: Effect = at_once
    changed: Callable[[], object] = lambda: None

    def on(self, interface: str) -> tuple[LiveAddress, ...]:
        if interface != self.interface:
            raise Failed("interface-missing", interface=interface)
        return tuple(
            LiveAddress(
                address=each, is_static=each not in self.leased, has_route=each not in self.without_route
            )
            for each in self.there
        )

    def add(self, interface: str, address: str, *, has_route: bool = True) -> None:
        self.on(interface)
        if address not in self.there:
            self.without_route |= set() if has_route else {address}
            self.effect(lambda: self.there.append(address))
            self.changed()

    def remove(self, interface: str, address: str) -> None:
        self.on(interface)
        if address in self.there:
            self.effect(lambda: self.there.remove(address))
            self.changed()

    def give_back(self, installation: Installation) -> None:
        for each in installation.service_addresses:
            self.remove(self.interface, f"{each.address}/32")
