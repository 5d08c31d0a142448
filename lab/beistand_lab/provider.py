"""The SIP provider on the mail host: trunks of the PBX register there, and what it received can be read."""

from __future__ import annotations

from typing import Any

from beistand_lab.settings import Settings
from beistand_lab.station import Station

FIRST_PORT = 5071
_OWN_WORDS = frozenset({"accept", "refuse", "silent"})


class Provider(Station):
    """One provider with a port for each trunk. It dies with the lab; every process sees the same of it."""

    def __init__(self, settings: Settings, first_port: int = FIRST_PORT, count: int = 3) -> None:
        super().__init__(settings, "provider", "m")
        self.ports = tuple(range(first_port, first_port + count))

    def start(self, *, password: str = "") -> None:
        """Starts it anew, accepting; with a password it challenges each REGISTER."""
        address = self._settings.address(self._host)
        self._start("beistand_lab.provider_desk", address, self.ports[0], len(self.ports), password)

    def requests(self, after: float = 0) -> list[dict[str, Any]]:
        """Every request it received since a time: `time`, `what` (the method), `port`, `source`, `user`,
        `contact`, `call_id`, `sequence`, and the `code` that it answered, 0 for none.
        """
        return [event for event in self.events(after) if event["what"] not in _OWN_WORDS]

    def registered(self, after: float = 0) -> dict[int, float]:
        """For each port the time of the first REGISTER since a time that was accepted."""
        first: dict[int, float] = {}
        for event in self.events(after, "REGISTER"):
            if event["code"] == 200:
                first.setdefault(event["port"], event["time"])
        return first

    def refuse(self, code: int) -> None:
        """Answers each REGISTER with this code, from 400 to 699, until `accept`."""
        self.ask("refuse", code=code)

    def stay_silent(self) -> None:
        """Answers no REGISTER at all until `accept`."""
        self.ask("silent")

    def accept(self) -> None:
        """Accepts registrations again."""
        self.ask("accept")

    def status(self) -> dict[str, Any]:
        """`answers`, the code for a REGISTER; `registered`, for each port the last one accepted, 0 for none."""
        return self.ask("status")
