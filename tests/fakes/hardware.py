"""The hardware below an installation in memory (port `Machine`)."""

from dataclasses import dataclass, field

from beistand.domain.machine import MachineSigns

CARD = "02:00:00:00:00:0a"


@dataclass
class FakeHardware:
    """`now` is what is seen; a test that swaps a card changes it."""

    now: MachineSigns = field(
        default_factory=lambda: MachineSigns(machine_id="1" * 32, cards=(CARD,), host="pbx-a")
    )

    def look(self, interface: str) -> MachineSigns:
        return self.now
