"""REGISTERs that a test sends."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event

from beistand.domain.errors import CommandFailed
from beistand.ports.registers import Seen


@dataclass
class FakeRegisters:
    coming: SimpleQueue[Seen] = field(default_factory=SimpleQueue)
    held_up: frozenset[str] = frozenset()
    """Hosts."""
    passing: set[tuple[str, int]] = field(default_factory=set)
    """Ports whose first one was held up."""
    is_listening: bool = False
    wait: Callable[[float], object] = lambda _: Event().wait(0.01)
    """What passes the time until the next one."""
    has_filter: bool = True
    """The kernel can hold them up."""

    def send(self, source: str, port: int, datagram: bytes) -> bool:
        """Let one come; return whether the PBX gets it."""
        is_register = datagram.startswith(b"REGI")
        if self.is_listening and is_register:
            self.coming.put(Seen(source=source, port=port, datagram=datagram))
        if not is_register or source not in self.held_up or (source, port) in self.passing:
            return True
        self.passing.add((source, port))
        return False

    @contextmanager
    def listen(self, interface: str, addresses: Sequence[str], port: int) -> Iterator["FakeRegisters"]:
        self.is_listening = True
        try:
            yield self
        finally:
            self.is_listening = False

    def next(self, seconds: float) -> Seen | None:
        try:
            return self.coming.get_nowait()
        except Empty:
            self.wait(seconds)
            return None

    def hold_up(self, hosts: Sequence[str], addresses: Sequence[str], port: int, seconds: int) -> None:
        if not self.has_filter:
            raise CommandFailed("command-missing", program="nft")
        self.held_up, self.passing = frozenset(hosts), set()

    def let_pass(self) -> None:
        self.held_up, self.passing = frozenset(), set()
