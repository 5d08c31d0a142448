"""`python -m beistand_lab.farm_keeper FOLDER ADDRESS REGISTRAR FIRST COUNT`: all phones of the farm.

Each phone has a UDP port of its own. Events go to FOLDER/events.jsonl, commands come by FOLDER/control.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from beistand_lab import sip_loop
from beistand_lab.errors import LabError
from beistand_lab.farm_phone import ACCEPTED, FarmPhone, Farmyard, Paced, Registering
from beistand_lab.sip_loop import EventLog, Loop

FIRST_PORT = 7000
RTP_PORT = 6998
_MOST_PHONES = 1000
_TURNS = 20
"""Ports that a phone has had before it gets its first one again."""


class Keeper:
    def __init__(self, yard: Farmyard, first: int, count: int) -> None:
        self._yard = yard
        self._turns = dict.fromkeys(range(count), 0)
        self._places = {str(first + place): place for place in range(count)}
        self.phones = {
            number: FarmPhone(yard, number, FIRST_PORT + place) for number, place in self._places.items()
        }

    def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """A command has a `do`, and the fields that farm.Farm sends with it."""
        do = command["do"]
        match do:
            case "register":
                how = Registering(command["expires"], command["renew"])
                self._one_by_one(command, lambda phone: phone.register(how))
            case "subscribe" if command["event"] in ACCEPTED:
                self._subscribe(command["pairs"], command["event"], command["pace"])
            case "call":
                self._phone(command["number"]).call(command["target"], command["then"])
            case "hang-up":
                for phone in self._chosen(command):
                    phone.hang_up()
            case "answers":
                self._yard.answers = command["answers"]
            case "off":
                for phone in self._chosen(command):
                    phone.switch_off()
            case "on":
                self._switch_on(command)
            case "status":
                return {"phones": {number: phone.status() for number, phone in self.phones.items()}}
            case _:
                raise LabError(f"the farm knows no {do} {command.get('event', '')}".rstrip())
        self._yard.log.tell("command", **command)
        return {}

    def _switch_on(self, command: dict[str, Any]) -> None:
        for phone in self._chosen(command):
            if phone.is_on:
                raise LabError(f"phone {phone.number} is on")
            place = self._places[phone.number]
            self._turns[place] = (self._turns[place] + bool(command["new_port"])) % _TURNS
            phone.switch_on(FIRST_PORT + place + _MOST_PHONES * self._turns[place])
        if command["register"]:
            self._one_by_one(command, FarmPhone.register_as_before)

    def _phone(self, number: str) -> FarmPhone:
        if number not in self.phones:
            raise LabError(f"the farm has no phone {number}")
        return self.phones[number]

    def _chosen(self, command: dict[str, Any]) -> list[FarmPhone]:
        numbers: Iterable[str] | None = command["numbers"]
        return [self._phone(number) for number in (self.phones if numbers is None else numbers)]

    def _one_by_one(self, command: dict[str, Any], do: Paced) -> None:
        """Those that are on, each a moment after the other, as no two real phones are at once."""
        for place, phone in enumerate(self._chosen(command)):
            self._yard.loop.later(place * command["pace"], lambda phone=phone: _if_on(phone, do))  # type: ignore[misc]

    def _subscribe(self, pairs: list[tuple[str, str]], event: str, pace: float) -> None:
        for place, (number, target) in enumerate(pairs):
            phone = self._phone(number)

            def ask(phone: FarmPhone = phone, target: str = target) -> None:
                _if_on(phone, lambda phone: phone.subscribe(target, event))

            self._yard.loop.later(place * pace, ask)


def _if_on(phone: FarmPhone, do: Paced) -> None:
    if phone.is_on:
        do(phone)


def main() -> None:
    folder, address, registrar, first, count = Path(sys.argv[1]), *sys.argv[2:]
    log = EventLog(folder / "events.jsonl")
    loop = Loop(log)
    # The sound of all calls goes here and is not read: a phone that listens, and nothing else to do for it.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sound:
        sound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sound.bind((address, RTP_PORT))
        yard = Farmyard(loop, log, address, (registrar, 5060), RTP_PORT)
        keeper = Keeper(yard, int(first), min(int(count), _MOST_PHONES))
        sip_loop.serve(loop, folder / "control", keeper.obey)
        loop.run()


if __name__ == "__main__":
    main()
