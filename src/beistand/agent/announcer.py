"""The thread that tells the network who has the service address, and defends it (DESIGN "Addresses")."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Protocol

from beistand.domain.errors import BeistandError
from beistand.operations.observe import phone_witnesses
from beistand.ports.clock import Clock
from beistand.ports.network import Arp
from beistand.ports.node import Node

FIRST_SECONDS = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Repeated, because Linux ignores a second change within a second, and switches and phones may drop one."""
TELL_SECONDS = frozenset({0.0, 2.0, 10.0})
"""Directed requests to gateway and phones: those that ignore gratuitous ARP learn from these (FIGURES 7)."""

LISTEN_SECONDS = 0.25
DEFENCE_SECONDS = 0.1
"""Up to ten answers a second keep 93 to 100 % of a client's traffic (FIGURES section 7) ..."""
LATER_DEFENCE_SECONDS = 1.0
"""... and one a second after a minute: a person was told."""
LONG_DEFENCE_SECONDS = 60.0
YIELD_SECONDS = 10.0
"""So long a claim that is probably right is not answered: the peer says within a second or two what is so."""
QUIET_SECONDS = 5.0
"""A rival that was silent for so long is gone: everything is announced anew."""


class Contention(Protocol):
    def note(self) -> None:
        """Learn what speaks for us now; called in each turn, by whoever takes it."""

    def is_lost(self, node: Node, mac: str, send: Callable[[Callable[[], None]], None]) -> bool:
        """Say to a rival what speaks for us, and give way where more speaks for it; return whether we did."""


def announcement_times() -> Iterator[float]:
    """Yield when to announce, in seconds from the start; never ends."""
    yield from FIRST_SECONDS
    moment = FIRST_SECONDS[-1]
    while True:
        moment += 60.0 if moment < 600.0 else 300.0
        yield moment


class Announcer:
    """One thread while serving. `start` and `stop` may be repeated, from any thread."""

    def __init__(
        self,
        arp: Arp,
        clock: Clock,
        alarm: Callable[[str], None] = lambda _mac: None,
        is_overruled: Callable[[str], bool] = lambda _mac: False,
        contention: Contention | None = None,
    ) -> None:
        """`alarm(mac)` is called once for each rival, from the announcing thread; with "" when it is gone.

        `is_overruled(mac)` tells whether this rival probably claims by right: then it is not contradicted at once.
        """
        self._arp = arp
        self._clock = clock
        self._about_rivals = _AboutRivals(alarm=alarm, is_overruled=is_overruled, contention=contention)
        self._lock = Lock()
        self._rival = _Rival()
        self._round: _Round | None = None

    def start(self, node: Node) -> None:
        """Begin with the first announcement; nothing changes while it runs."""
        if self._about_rivals.contention is not None:
            self._about_rivals.contention.note()
        with self._lock:
            if self._round is None or self._round.is_over:
                self._round = _Round(node, self._arp, self._clock, self._about_rivals, self._rival)
                Thread(target=self._round.run, name="announcer", daemon=True).start()

    def again(self, node: Node) -> None:
        """Begin anew with the whole schedule: who was cut off may have learnt something else meanwhile."""
        with self._lock:
            self._end_round()
        self.start(node)

    def stop(self) -> None:
        """Send nothing any more: when this returns, the last frame is out."""
        with self._lock:
            self._end_round()
            self._rival = _Rival()

    def _end_round(self) -> None:
        if self._round is not None:
            self._round.end()
            self._round = None


@dataclass(frozen=True, kw_only=True)
class _AboutRivals:
    """Who is told of a rival, and who knows what to do about it."""

    alarm: Callable[[str], None]
    is_overruled: Callable[[str], bool]
    contention: Contention | None


@dataclass
class _Rival:
    """Who else claims the address. It outlives a round: the next one has to notice that it is gone."""

    mac: str = ""
    since: float = 0.0
    last: float = 0.0


class _Round:
    """One run of the schedule, from a start to its stop."""

    def __init__(
        self,
        node: Node,
        arp: Arp,
        clock: Clock,
        about: _AboutRivals,
        rival: _Rival,
    ) -> None:
        self._node = node
        self._arp = arp
        self._clock = clock
        self._alarm, self._is_overruled, self._contention = about.alarm, about.is_overruled, about.contention
        self._ended = Event()
        self._sending = Lock()
        self._rival = rival

    @property
    def is_over(self) -> bool:
        return self._ended.is_set()

    def end(self) -> None:
        with self._sending:
            self._ended.set()

    def run(self) -> None:
        try:
            self._announce_all()
        finally:
            self._ended.set()  # whatever ended this thread: the next turn begins a new round

    def _announce_all(self) -> None:
        begin, times = self._clock.monotonic(), announcement_times()
        at = next(times)
        while not self.is_over:
            now = self._clock.monotonic()
            if now >= begin + at:
                self._announce(told=at in TELL_SECONDS)
                at = next(times)
            elif self._listen(min(LISTEN_SECONDS, begin + at - now)):
                begin, times = self._clock.monotonic(), announcement_times()
                at = next(times)

    def _announce(self, *, told: bool) -> None:
        for each in self._node.installation.service_addresses:
            self._send(lambda each=each: self._arp.announce(each.interface, each.address))  # type: ignore[misc]
        if told:
            targets = self._targets()
            for each in self._node.installation.service_addresses:
                self._send(lambda each=each: self._arp.tell(each.interface, each.address, targets))  # type: ignore[misc]

    def _send(self, act: Callable[[], None]) -> None:
        with self._sending:
            # Looked at under the same lock as `end`: a frame after the withdrawal would be a claim.
            if self.is_over:
                return
            if not self._node.addresses.held(self._node.installation):
                self._ended.set()
                return
            try:
                act()
            except BeistandError:
                return  # the link is down: the schedule goes on, carrier-up begins it anew

    def _targets(self) -> Sequence[str]:
        gateway = self._node.addresses.gateway()
        return [*([gateway] if gateway else []), *phone_witnesses(self._node)]

    def _listen(self, seconds: float) -> bool:
        """Listen for another holder and answer it; return whether one went quiet, so that all is told anew."""
        addresses = [each.address for each in self._node.installation.service_addresses]
        try:
            mac = self._arp.rival(self._node.installation.interface, addresses, seconds)
        except BeistandError:
            self._clock.wait(self._ended, seconds)
            return False
        now = self._clock.monotonic()
        if mac:
            self._defend(mac, now)
            return False
        if self._rival.mac and now - self._rival.last > QUIET_SECONDS:
            self._rival.mac = ""
            self._alarm("")
            return True
        return False

    def _defend(self, mac: str, now: float) -> None:
        if mac != self._rival.mac:
            self._rival.mac, self._rival.since = mac, now
            self._alarm(mac)
        self._rival.last = now
        lasts = now - self._rival.since
        if lasts > YIELD_SECONDS or not self._is_overruled(mac):
            self._announce(told=False)
        if self._contention is not None and self._contention.is_lost(self._node, mac, self._send):
            return
        is_long = lasts > LONG_DEFENCE_SECONDS
        self._clock.wait(self._ended, LATER_DEFENCE_SECONDS if is_long else DEFENCE_SECONDS)
