"""The called end of SIP calls (RFC 3261 sections 9.2, 13.3, 15.1.2): rings, answers, and is told of the end."""

from __future__ import annotations

import dataclasses

from beistand_lab import sip_text
from beistand_lab.sip_loop import Loop, Port
from beistand_lab.sip_text import SipText

_FIRST_AGAIN = 0.5
_LAST_AGAIN = 16.0
"""Seconds after which an answer is sent again that nobody acknowledged, doubled each time."""


@dataclasses.dataclass
class _Call:
    request: SipText
    sender: tuple[str, int]
    last_answer: bytes = b""
    is_answered: bool = False
    is_acknowledged: bool = False


class Callee:
    """Takes the calls that arrive at a port, as many as come at once."""

    def __init__(self, loop: Loop, port: Port, user: str, rtp_port: int) -> None:
        self._loop, self._port = loop, port
        self._contact = f"Contact: <sip:{user}@{port.address[0]}:{port.address[1]}>"
        self._session = sip_text.session(port.address[0], rtp_port)
        self._calls: dict[str, _Call] = {}

    @property
    def calls(self) -> int:
        """Calls that ring or are answered."""
        return len(self._calls)

    def take(self, request: SipText, sender: tuple[str, int], *, answers: bool) -> bool:
        """Deals with INVITE, ACK, CANCEL and BYE; False for any other request.

        `answers` says whether a call is answered at once; else it rings until the caller gives up.
        """
        call = self._calls.get(request.call_id)
        match request.method:
            case "INVITE":
                self._ring(request, sender, answers=answers)
            case "ACK" if call:
                call.is_acknowledged = True
            case "ACK":
                pass
            case "CANCEL" | "BYE" if call:
                self._end(request, call, sender)
            case "CANCEL" | "BYE":
                self._port.send(sip_text.response(request, 481), sender)
            case _:
                return False
        return True

    def _ring(self, request: SipText, sender: tuple[str, int], *, answers: bool) -> None:
        known = self._calls.get(request.call_id)
        if known and known.request.sequence == request.sequence:  # the same again: so is the answer
            self._port.send(known.last_answer, sender)
            return
        call = _Call(request, sender)
        self._calls[request.call_id] = call
        if known:  # a change of the session that goes on
            self._answer(call)
            return
        self._port.send(sip_text.response(request, 100), sender)
        call.last_answer = sip_text.response(request, 180, headers=[self._contact])
        self._port.send(call.last_answer, sender)
        if answers:
            self._answer(call)

    def _answer(self, call: _Call) -> None:
        headers = [self._contact, "Content-Type: application/sdp"]
        call.last_answer = sip_text.response(call.request, 200, headers=headers, body=self._session)
        call.is_answered = True
        self._send_until_acknowledged(call, _FIRST_AGAIN)

    def _send_until_acknowledged(self, call: _Call, again: float) -> None:
        if call.is_acknowledged or self._calls.get(call.request.call_id) is not call:
            return
        self._port.send(call.last_answer, call.sender)
        if again <= _LAST_AGAIN:
            self._loop.later(again, lambda: self._send_until_acknowledged(call, again * 2))

    def _end(self, request: SipText, call: _Call, sender: tuple[str, int]) -> None:
        self._port.send(sip_text.response(request, 200), sender)
        if request.method == "CANCEL" and call.is_answered:
            return  # too late: the caller has to hang up
        del self._calls[request.call_id]
        if request.method == "CANCEL":
            self._port.send(sip_text.response(call.request, 487), call.sender)
