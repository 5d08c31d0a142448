"""A phone of another make than the lab's own three: PJSIP, over UDP, TCP or TLS, at the service address."""

from __future__ import annotations

import dataclasses
import json
import time

from beistand_lab import tones
from beistand_lab.errors import LabError
from beistand_lab.settings import PHONES, Settings, rtp_ports
from beistand_lab.station import Station

_TONE = 500
"""Hz, of a phone that is none of the lab's three."""
_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Account:
    """What the phone's process has to know."""

    number: int
    address: str
    port: int
    """Its own; 0 lets the kernel choose another one at each start."""
    registrar: str
    registrar_port: int
    transport: str
    interval: int
    rtp_port: int
    tone: str
    """A WAV file that it plays to whoever it speaks with."""


class PjsipPhone(Station):
    """One phone, with the password secretN for number N; 101 to 103 have the addresses and tones of the lab's own.

    Events: `register` (`code`, 0 when the connection ended; `active`), `incoming`, `dial`, and `call` (`state` as
    PJSIP names it: CALLING, EARLY, CONFIRMED, DISCONNECTED; `code`, `peer`).
    """

    def __init__(self, settings: Settings, number: int) -> None:
        super().__init__(settings, f"pjsip-{number}", "t")
        self.number = number
        is_ours = number in PHONES
        self.address = settings.phone_address(number) if is_ours else settings.address("t")
        self._rtp_port = rtp_ports(number)[0] if is_ours else 40000 + 2 * (number % 10000)

    def start(self, *, transport: str = "udp", interval: int = 60, port: int = 0) -> None:
        """Switches it on, off before where it was on; does not wait for its registration.

        `transport` is udp, tcp or tls; `port` is its own for UDP and for connections to it, 0 another each time.
        """
        if transport not in _PORTS:
            raise LabError(f"a phone knows no {transport!r}", "udp, tcp or tls")
        self.folder.mkdir(parents=True, exist_ok=True)
        tone = self.folder / "tone.wav"
        tones.write_tone(tone, tones.TONES.get(self.number, _TONE))
        account = Account(
            number=self.number,
            address=self.address,
            port=port,
            registrar=self._settings.service_address,
            registrar_port=_PORTS[transport],
            transport=transport,
            interval=interval,
            rtp_port=self._rtp_port,
            tone=str(tone),
        )
        (self.folder / "account.json").write_text(json.dumps(dataclasses.asdict(account)) + "\n")
        self._start("beistand_lab.pjsip_keeper")

    def register(
        self, *, transport: str = "udp", interval: int = 60, port: int = 0, seconds: float = 20
    ) -> float:
        """As `start`, and waits so many seconds until it is registered; returns when it was."""
        begin = time.time()
        self.start(transport=transport, interval=interval, port=port)
        registered = self.wait_for_event("register", begin, seconds, code=200, active=True)
        return float(registered["time"])

    def kill(self) -> None:
        """Takes its power away: its connections end with it, as a process's do, but it unregisters nothing."""
        self.stop()

    def dial(self, target: int | str) -> float:
        """Calls a number; returns when it was dialled. What happens is in the events."""
        begin = time.time()
        self.ask("dial", target=str(target))
        return begin

    def hang_up(self) -> None:
        """Ends all of its calls."""
        self.ask("hang-up")
