"""REGISTERs of phones, seen before the PBX has them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from beistand.domain.value import Value


class Seen(Value, frozen=True, kw_only=True):
    """One datagram that begins like a REGISTER; anybody may have sent it."""

    source: str
    port: int
    datagram: bytes


class Ear(Protocol):
    def next(self, seconds: float) -> Seen | None:
        """Return the next one; None: none came for so long. Raises Failed `interface-down`."""


class Registers(Protocol):
    """REGISTERs by UDP to the service addresses, on one interface."""

    def listen(self, interface: str, addresses: Sequence[str], port: int) -> AbstractContextManager[Ear]:
        """Hear them, held up ones too, until the context ends. Raises Failed `interface-down`."""

    def hold_up(self, hosts: Sequence[str], addresses: Sequence[str], port: int, seconds: int) -> None:
        """Have the kernel drop the first one that comes from each port of these hosts, for so many seconds.

        The phone repeats it after 0.5 s (RFC 3261 section 17.1.2.1); nothing is dropped of anybody else. It ends by
        itself. Called again it begins anew. Raises CommandFailed where the kernel cannot do it.
        """

    def let_pass(self) -> None:
        """Hold up nothing any more. Raises CommandFailed."""
