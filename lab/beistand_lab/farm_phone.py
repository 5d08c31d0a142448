"""One phone of the farm: what a SIP phone does by itself, and what a person does with it.

It answers what it receives and nothing else: switched off, its port is closed and it knows nothing any more.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable
from typing import Any

from beistand_lab import sip_text
from beistand_lab.errors import LabError
from beistand_lab.sip_callee import Callee
from beistand_lab.sip_caller import Caller, Question
from beistand_lab.sip_loop import Datagram, EventLog, Loop, Port
from beistand_lab.sip_text import Login, SipText

RENEWED_AT = 0.8
"""Share of its term after which a registration is renewed."""
TRY_AGAIN_SECONDS = 10.0
"""After a registration that failed."""
ACCEPTED = {
    "presence": "application/pidf+xml",
    "dialog": "application/dialog-info+xml",
    "message-summary": "application/simple-message-summary",
}
_STATE = {
    "presence": re.compile(r"<note>([^<]*)<"),
    "dialog": re.compile(r"<state>([^<]*)<"),
    "message-summary": re.compile(r"Messages-Waiting: *(\w+)"),
}
_ENTITY = re.compile(r'entity="(?:sips?:)?([^"@]*)')


@dataclasses.dataclass
class Farmyard:
    """What all phones of the farm share."""

    loop: Loop
    log: EventLog
    address: str
    registrar: tuple[str, int]
    rtp_port: int
    answers: bool = True
    """Whether calls are answered; else they ring until the caller gives up."""


@dataclasses.dataclass(frozen=True)
class Registering:
    """How a phone registers: the term that it asks for, and whether it does so again by itself."""

    expires: int = 3600
    renew: bool = True


class FarmPhone:
    def __init__(self, yard: Farmyard, number: str, first_port: int) -> None:
        self.number = number
        self.port_number = first_port
        self.registered_until = 0.0
        self._yard = yard
        self._port: Port | None = None
        self._registering = Registering()
        self._registrations = 0
        self._sequence = 0
        self._calls: list[tuple[Question, SipText]] = []
        self.switch_on(first_port)

    @property
    def is_on(self) -> bool:
        return self._port is not None

    @property
    def is_registered(self) -> bool:
        return self.is_on and time.time() < self.registered_until

    def switch_on(self, port: int) -> None:
        """Nothing is known of what was before it was switched off."""
        self.port_number = port
        self._port = Port(self._yard.loop, (self._yard.address, port), self._take)
        login = Login(user=self.number, password=f"secret{self.number}")
        self._caller = Caller(self._yard.loop, self._port, self._yard.registrar, login)
        self._callee = Callee(self._yard.loop, self._port, self.number, self._yard.rtp_port)
        self._registration = f"register-{self.number}-{time.time_ns()}"

    def switch_off(self) -> None:
        """As when its plug is pulled: it says nothing to anybody."""
        if self._port:
            self._caller.forget()
            self._port.close()
        self._port = None
        self.registered_until = 0.0
        self._calls.clear()

    def register(self, how: Registering) -> None:
        self._require_power()
        self._registering = how
        self._registrations += 1
        self._sequence += 2  # each may need one more for its credentials
        request = self._caller.begin("REGISTER", "", call_id=self._registration, sequence=self._sequence)
        request = dataclasses.replace(request, headers=(*request.headers, f"Expires: {how.expires}"))
        self._caller.ask(request, self._heard_registrar)

    def register_as_before(self) -> None:
        self.register(self._registering)

    def subscribe(self, target: str, event: str) -> None:
        """Asks for the lamp of a number, or of the number's mailbox."""
        self._require_power()
        lines = (f"Event: {event}", f"Accept: {ACCEPTED[event]}", "Expires: 3600")
        request = self._caller.begin("SUBSCRIBE", target)
        request = dataclasses.replace(request, headers=(*request.headers, *lines))
        self._caller.ask(request, self._heard)

    def call(self, target: str, then: str) -> None:
        """`then` is `cancel` (when it rings), `hang-up` (when it is answered) or `keep`."""
        self._require_power()
        request = self._caller.begin("INVITE", target)
        request = dataclasses.replace(
            request,
            headers=(*request.headers, "Content-Type: application/sdp"),
            body=sip_text.session(self._yard.address, self._yard.rtp_port),
        )
        self._tell("dial", target=target, call_id=request.call_id)
        self._caller.ask(request, lambda question, answer: self._heard_callee(question, answer, then))

    def hang_up(self) -> None:
        """Ends the calls that it made and kept."""
        for question, answer in self._calls:
            self._caller.hang_up(question, answer, self._heard)
        self._calls.clear()

    def status(self) -> dict[str, Any]:
        return {
            "on": self.is_on,
            "port": self.port_number,
            "registered": self.is_registered,
            "calls": len(self._calls) + self._callee.calls if self.is_on else 0,
        }

    def _require_power(self) -> None:
        if not self.is_on:
            raise LabError(f"phone {self.number} is off")

    def _tell(self, what: str, at: float = 0, **fields: Any) -> None:
        self._yard.log.tell(what, at, number=self.number, **fields)

    def _take(self, datagram: Datagram) -> None:
        message = sip_text.parse(datagram.data)
        if message is None:
            return
        if message.status:
            self._heard_at = datagram.time
            self._caller.take(message)
            return
        details = _notified(message) if message.method == "NOTIFY" else {}
        caller, call_id = message.caller, message.call_id
        self._tell(message.method, datagram.time, caller=caller, call_id=call_id, **details)
        taken = self._callee.take(message, datagram.sender, answers=self._yard.answers)
        if not taken and self._port:
            code = 200 if message.method in {"OPTIONS", "NOTIFY"} else 405
            self._port.send(sip_text.response(message, code), datagram.sender)

    def _heard(self, question: Question, answer: SipText | None) -> None:
        """Tells of an answer, or that there was none (code 0)."""
        request = question.request
        at = self._heard_at if answer else time.time()
        fields = {"method": request.method, "code": answer.status if answer else 0}
        target = sip_text.user(request.to)
        seconds = round(at - question.begin, 4)
        self._tell("response", at, **fields, target=target, seconds=seconds, call_id=request.call_id)

    def _heard_registrar(self, question: Question, answer: SipText | None) -> None:
        self._heard(question, answer)
        is_accepted = answer is not None and answer.status == 200
        wait = TRY_AGAIN_SECONDS
        if answer is not None and is_accepted:
            term = _term(answer)
            self.registered_until = time.time() + term if self._registering.expires else 0.0
            wait = term * RENEWED_AT
        if self._registering.renew and self._registering.expires:
            port, serial = self._port, self._registrations
            self._yard.loop.later(wait, lambda: self._renew(port, serial))

    def _renew(self, port: Port | None, serial: int) -> None:
        # Not if it was switched off, or registered again, in between.
        if self._port is port and self._port and serial == self._registrations:
            self.register_as_before()

    def _heard_callee(self, question: Question, answer: SipText | None, then: str) -> None:
        self._heard(question, answer)
        if answer is None:
            return
        if answer.status in {180, 183} and then == "cancel":
            self._caller.cancel(question)
        elif 200 <= answer.status < 300 and then == "keep":
            self._calls.append((question, answer))
        elif 200 <= answer.status < 300:
            self._caller.hang_up(question, answer, self._heard)


def _term(answer: SipText) -> float:
    """Seconds that a registration lives, as the registrar said; an hour where it did not."""
    found = re.search(r";expires=(\d{1,9})", answer.first("contact")) or re.match(
        r"(\d{1,9})", answer.first("expires")
    )
    return float(found[1]) if found else 3600.0


def _notified(message: SipText) -> dict[str, str]:
    """What a lamp shows: `event`, whose it is (`entity`), its `state`, and the `subscription`."""
    event = message.first("event").partition(";")[0].strip()
    state = _STATE[event].search(message.body) if event in _STATE else None
    entity = _ENTITY.search(message.body)
    return {
        "event": event,
        "entity": entity[1] if entity else message.caller,  # a mailbox is told by its owner's number
        "state": state[1] if state else "",
        "subscription": message.first("subscription-state"),
    }


Paced = Callable[[FarmPhone], None]
"""What many phones do, each a moment after the other."""
