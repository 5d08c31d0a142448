"""What brings addresses to this machine."""

from collections.abc import Sequence
from typing import Protocol

from beistand.domain.origin import Arrival, Trace


class Origins(Protocol):
    def arrivals(self, addresses: Sequence[str]) -> tuple[Arrival, ...]:
        """Return how those of these addresses that stand on this machine now came here; takes milliseconds.

        Who added it is known where the kernel was heard at that moment, and the process still lived.
        """

    def traces(self, addresses: Sequence[str]) -> tuple[Trace, ...]:
        """Return the places that name one of these addresses and could bring it, comments left out.

        Files of network managers, settings of running programs that move addresses, scripts that something starts
        by itself, leases. Takes a second at most; what is too big or too much is left out.
        """
