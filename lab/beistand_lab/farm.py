"""The phone farm: many SIP phones over UDP in one process, for a house that three phones do not fill."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from beistand_lab.commands import wait_for
from beistand_lab.settings import Settings
from beistand_lab.station import Station

FIRST, COUNT = 1000, 200
PACE = 0.004
"""Seconds between two phones that do the same."""
Number = int | str


class Farm(Station):
    """Phones `first`, `first` + 1 and so on; number N logs in as N with the password secretN.

    It dies with the lab; every process sees the same of it. Events have `time` (of packets: when the kernel got
    them), `what`, and `number`:

    - a request received is named by its method and has `caller` and `call_id`; NOTIFY has `event`, `entity`,
      `state` and `subscription`, too;
    - `response` has `method`, `code` (0: none came), `target`, `seconds` since the first try, and `call_id`;
    - `dial` has `target` and `call_id`; `command` is what the farm was told.
    """

    def __init__(self, settings: Settings, first: int = FIRST, count: int = COUNT) -> None:
        super().__init__(settings, "farm", "t")
        self.numbers = tuple(str(number) for number in range(first, first + count))

    def start(self) -> None:
        """Starts it anew; its phones are on, and registered nowhere."""
        settings = self._settings
        addresses = (settings.address(self._host), settings.service_address)
        self._start("beistand_lab.farm_keeper", *addresses, self.numbers[0], len(self.numbers))

    def register(
        self,
        numbers: Iterable[Number] | None = None,
        *,
        expires: int = 3600,
        renew: bool = True,
        seconds: float = 30,
    ) -> float:
        """Registers these phones, else all that are on; `renew` lets them do so again before each term ends.

        Returns when it was told; waits so many seconds until each is registered (0: not at all), else ConditionNotMet.
        """
        begin = time.time()
        chosen = _texts(numbers)
        self.ask("register", numbers=chosen, expires=expires, renew=renew, pace=PACE)
        if seconds:
            on = [name for name, phone in self.phones().items() if phone["on"]]
            wanted = set(on if chosen is None else chosen)
            what = f"{len(wanted)} phones of the farm to register; see {self.folder}"
            wait_for(lambda: self.registered(begin).keys() >= wanted, seconds, what)
        return begin

    def registered(self, after: float = 0) -> dict[str, float]:
        """For each phone when its first REGISTER since a time was accepted."""
        return self._first_answers(after, "REGISTER")

    def subscribe(
        self,
        pairs: Iterable[tuple[Number, Number]],
        event: str = "presence",
        *,
        seconds: float = 30,
    ) -> float:
        """Lamps: each first number watches the second; `event` is presence (PIDF), dialog or message-summary.

        Returns when it was told; waits so many seconds until each is accepted (0: not at all), else ConditionNotMet.
        """
        begin = time.time()
        texts = [(str(watcher), str(watched)) for watcher, watched in pairs]
        self.ask("subscribe", pairs=texts, event=event, pace=PACE)
        if seconds:
            what = f"{len(texts)} subscriptions; see {self.folder}"
            wait_for(lambda: len(self._accepted(begin, "SUBSCRIBE")) >= len(texts), seconds, what)
        return begin

    def lamps(self, after: float = 0, event: str = "presence") -> dict[tuple[str, str], dict[str, Any]]:
        """For each watcher and watched the last NOTIFY since a time."""
        events = [each for each in self.events(after, "NOTIFY") if each["event"] == event]
        return {(each["number"], each["entity"]): each for each in events}

    def call(self, number: Number, target: Number, *, then: str = "cancel") -> float:
        """Phone `number` calls; `then` it does `cancel` when it rings, `hang-up` when answered, or `keep`.

        Returns when it was told; what happens is in the events.
        """
        begin = time.time()
        self.ask("call", number=str(number), target=str(target), then=then)
        return begin

    def hang_up(self, numbers: Iterable[Number] | None = None) -> None:
        """Ends the calls that these phones made and kept."""
        self.ask("hang-up", numbers=_texts(numbers))

    def answer(self, *, answers: bool) -> None:
        """Whether all phones answer their calls, or ring until the caller gives up; they answer at first."""
        self.ask("answers", answers=answers)

    def rung(self, after: float, caller: Number | None = None) -> dict[str, float]:
        """For each phone when its first INVITE since a time arrived, of one caller or of any."""
        first: dict[str, float] = {}
        for event in self.events(after, "INVITE"):
            if caller is None or event["caller"] == str(caller):
                first.setdefault(event["number"], event["time"])
        return first

    def switch_off(self, numbers: Iterable[Number]) -> None:
        """Pulls the plugs of these phones: their ports are closed, and they say nothing to anybody."""
        self.ask("off", numbers=[str(number) for number in numbers])

    def switch_on(self, numbers: Iterable[Number], *, new_port: bool = True, register: bool = True) -> float:
        """Plugs them in again; they register as they did before, from another port unless not `new_port`.

        Returns when it was told.
        """
        begin = time.time()
        texts = [str(number) for number in numbers]
        self.ask("on", numbers=texts, new_port=new_port, register=register, pace=PACE)
        return begin

    def phones(self) -> dict[str, dict[str, Any]]:
        """For each phone `on`, `port`, `registered` and `calls`, as itself sees it."""
        answer: dict[str, dict[str, Any]] = self.ask("status")["phones"]
        return answer

    def _first_answers(self, after: float, method: str) -> dict[str, float]:
        first: dict[str, float] = {}
        for event in self._accepted(after, method):
            first.setdefault(event["number"], event["time"])
        return first

    def _accepted(self, after: float, method: str) -> Sequence[dict[str, Any]]:
        told = self.events(after, "response")
        return [each for each in told if each["method"] == method and 200 <= each["code"] < 300]


def _texts(numbers: Iterable[Number] | None) -> list[str] | None:
    return None if numbers is None else [str(number) for number in numbers]
