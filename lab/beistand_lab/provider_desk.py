"""`python -m beistand_lab.provider_desk FOLDER ADDRESS FIRST_PORT COUNT PASSWORD`: the SIP provider's process.

It takes the registrations of trunks, each at a port of its own, and answers their calls. Without a password it
believes everybody. Requests go to FOLDER/events.jsonl as they arrived, with the `code` that was answered (0: none);
commands come by FOLDER/control.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any

from beistand_lab import sip_loop, sip_text
from beistand_lab.errors import LabError
from beistand_lab.sip_callee import Callee
from beistand_lab.sip_loop import Datagram, EventLog, Loop, Port
from beistand_lab.sip_text import SipText

_REALM = "provider"
_LONGEST_TERM = 120
"""Seconds that a registration lives, at most."""
_REGISTERS = {"accept": 200, "silent": 0}


class Desk:
    """One port of the provider: one trunk registers here."""

    def __init__(self, loop: Loop, log: EventLog, address: tuple[str, int], password: str) -> None:
        self.registers = 200
        """What a good REGISTER is answered; 0 is nothing."""
        self.last_registered = 0.0
        self._log, self._password = log, password
        self._port = Port(loop, address, self._take)
        # Sound is sent to a port where nobody listens; that is no news to anybody here.
        self._callee = Callee(loop, self._port, "provider", 30000 + address[1])

    def _take(self, datagram: Datagram) -> None:
        request = sip_text.parse(datagram.data)
        if request is None or request.status:
            return
        if request.method == "REGISTER":
            code = self._register(request, datagram)
        elif self._callee.take(request, datagram.sender, answers=True):
            code = 0 if request.method == "ACK" else 200
        else:
            code = 200 if request.method == "OPTIONS" else 405
            self._port.send(sip_text.response(request, code), datagram.sender)
        self._log.tell(
            request.method,
            datagram.time,
            port=self._port.address[1],
            source=list(datagram.sender),
            user=request.caller,
            contact=request.first("contact"),
            call_id=request.call_id,
            sequence=request.sequence,
            code=code,
        )

    def _register(self, request: SipText, datagram: Datagram) -> int:
        code = self.registers
        headers: list[str] = []
        if code == 200 and not self._is_known(request):
            code = 401
            headers = [f'WWW-Authenticate: Digest realm="{_REALM}", nonce="{request.call_id}", qop="auth"']
        elif code == 200:
            asked = request.first("expires")
            term = min(int(asked) if asked.isdecimal() else _LONGEST_TERM, _LONGEST_TERM)
            headers = [f"Contact: {request.first('contact')};expires={term}", f"Expires: {term}"]
            self.last_registered = datagram.time if term else 0.0
        if code:
            self._port.send(sip_text.response(request, code, headers=headers), datagram.sender)
        return code

    def _is_known(self, request: SipText) -> bool:
        fields = sip_text.parameters(request.first("authorization").removeprefix("Digest"))
        if not self._password:
            return True
        needed = {"username", "realm", "nonce", "uri", "response"} <= fields.keys()
        fresh = needed and fields["nonce"] == request.call_id
        return fresh and fields["response"] == sip_text.digest(fields, self._password, "REGISTER")


def obey(desks: dict[int, Desk], log: EventLog, command: dict[str, Any]) -> dict[str, Any]:
    """`accept`, `silent`, `refuse` with a `code`; or `status`."""
    do = command["do"]
    if do != "status":
        code = command.get("code", 0) if do == "refuse" else _REGISTERS.get(do)
        if code is None or (do == "refuse" and not 400 <= code <= 699):
            raise LabError(f"it knows no {do} {command.get('code', '')}".rstrip())
        for desk in desks.values():
            desk.registers = code
        log.tell(do, code=code)
    return {
        "answers": next(iter(desks.values())).registers,
        "registered": {str(port): desk.last_registered for port, desk in desks.items()},
    }


def main() -> None:
    folder, address, first, count, password = Path(sys.argv[1]), *sys.argv[2:]
    log = EventLog(folder / "events.jsonl")
    loop = Loop(log)
    ports = range(int(first), int(first) + int(count))
    desks = {port: Desk(loop, log, (address, port), password) for port in ports}
    sip_loop.serve(loop, folder / "control", functools.partial(obey, desks, log))
    loop.run()


if __name__ == "__main__":
    main()
