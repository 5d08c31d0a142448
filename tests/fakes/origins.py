"""Who brought addresses to a machine in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from beistand.domain.origin import Arrival, Trace
from fakes.network import Machine


@dataclass
class FakeOrigins:
    machine: Machine
    heard: dict[str, Arrival] = field(default_factory=dict)
    places: list[Trace] = field(default_factory=list)

    def arrivals(self, addresses: Sequence[str]) -> tuple[Arrival, ...]:
        there = [each for each in addresses if each in self.machine.held]
        return tuple(self.heard.get(each, Arrival(address=each, interface="eth0")) for each in there)

    def traces(self, addresses: Sequence[str]) -> tuple[Trace, ...]:
        return tuple(each for each in self.places if each.address in addresses)
