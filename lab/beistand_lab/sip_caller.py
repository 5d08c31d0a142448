"""The asking end of SIP (RFC 3261 section 17.1): sends requests again until they are answered, and logs in."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable

from beistand_lab import sip_text
from beistand_lab.sip_loop import Loop, Port
from beistand_lab.sip_text import Login, Request, SipText

_T1, _T2, _LIMIT = 0.5, 4.0, 32.0
"""Seconds: the first wait for an answer, the longest between two tries, and the end of all tries."""

Heard = Callable[["Question", SipText | None], None]
"""Is called with each answer but challenges that were met; with None when none came within 32 s."""


@dataclasses.dataclass
class Question:
    """A request on its way to its final answer."""

    request: Request
    heard: Heard
    begin: float = dataclasses.field(default_factory=time.time)
    """When it was first sent, before any challenge, in epoch seconds."""
    was_challenged: bool = False
    is_provisional: bool = False
    is_final: bool = False


class Caller:
    """Sends the requests of one user from one port to one registrar."""

    _serial = itertools.count(time.time_ns() // 1_000_000)

    def __init__(self, loop: Loop, port: Port, registrar: tuple[str, int], login: Login) -> None:
        self.registrar, self.login = registrar, login
        self._loop, self._port = loop, port
        self._questions: dict[tuple[str, str, int], Question] = {}
        self.source = f"{port.address[0]}:{port.address[1]}"
        self.contact = f"Contact: <sip:{login.user}@{self.source}>"

    def begin(self, method: str, target: str, *, call_id: str = "", sequence: int = 1) -> Request:
        """A request outside of a dialog to a user at the registrar; without a user to the registrar itself."""
        serial = next(self._serial)
        host = self.registrar[0]
        return Request(
            method=method,
            uri=f"sip:{target}@{host}" if target else f"sip:{host}",
            source=self.source,
            branch=str(serial),
            sender=f"<sip:{self.login.user}@{host}>;tag=s{call_id or serial}",
            to=f"<sip:{target or self.login.user}@{host}>",
            call_id=call_id or f"{serial}-{self.login.user}@{self.source}",
            sequence=sequence,
            headers=(self.contact,),
        )

    def ask(self, request: Request, heard: Heard) -> Question:
        question = Question(request, heard)
        self._send(question)
        return question

    def take(self, answer: SipText) -> None:
        """An answer that arrived at the port; nothing where nobody asked."""
        question = self._questions.get((answer.call_id, answer.method, answer.sequence))
        if question is None:
            return
        request = question.request
        if answer.status < 200:
            question.is_provisional = True
            question.heard(question, answer)
            return
        if answer.method == "INVITE":
            self._acknowledge(request, answer)
        if question.is_final:  # the same answer again
            return
        question.is_final = True
        if answer.status in (401, 407) and not question.was_challenged:
            question.was_challenged, question.is_final, question.is_provisional = True, False, False
            question.request = self._with_credentials(request, answer)
            self._send(question)
        else:
            question.heard(question, answer)

    def cancel(self, question: Question) -> None:
        """Gives up a call that rings; its INVITE is then answered 487."""
        request = dataclasses.replace(question.request, method="CANCEL", headers=(), body="")
        self.ask(request, lambda *_: None)

    def hang_up(self, question: Question, answer: SipText, heard: Heard) -> None:
        """Ends a call that was answered."""
        request = dataclasses.replace(
            question.request,
            method="BYE",
            uri=sip_text.uri(answer.first("contact")) or question.request.uri,
            branch=str(next(self._serial)),
            to=answer.first("to"),
            sequence=question.request.sequence + 1,
            headers=(),
            body="",
        )
        self.ask(request, heard)

    def forget(self) -> None:
        """Asks nothing again, and hears no answer any more."""
        self._questions.clear()

    def _send(self, question: Question) -> None:
        request = question.request
        key = (request.call_id, request.method, request.sequence)
        self._questions[key] = question
        deadline = time.monotonic() + _LIMIT

        def send(again: float) -> None:
            is_over = question.is_final or question.request is not request
            if is_over or self._questions.get(key) is not question:
                return
            if time.monotonic() >= deadline:
                question.is_final = True
                question.heard(question, None)
                return
            if request.method == "INVITE" and question.is_provisional:
                return  # it rings: for as long as it likes
            self._port.send(request.encode(), self.registrar)
            longest = _LIMIT if request.method == "INVITE" else _T2
            self._loop.later(again, lambda: send(min(again * 2, longest)))

        send(_T1)
        # Long after the last packet that may belong to it: who calls for days must not grow for days.
        self._loop.later(4 * _LIMIT, lambda: self._drop(key, question))

    def _drop(self, key: tuple[str, str, int], question: Question) -> None:
        if question.is_final and self._questions.get(key) is question:
            del self._questions[key]

    def _acknowledge(self, request: Request, answer: SipText) -> None:
        """An ACK belongs to a refused INVITE's own branch, and is a request of its own after an accepted one."""
        is_accepted = answer.status < 300
        target = sip_text.uri(answer.first("contact")) if is_accepted else ""
        ack = dataclasses.replace(
            request,
            method="ACK",
            uri=target or request.uri,
            branch=str(next(self._serial)) if is_accepted else request.branch,
            to=answer.first("to"),
            headers=(),
            body="",
        )
        self._port.send(ack.encode(), self.registrar)

    def _with_credentials(self, request: Request, answer: SipText) -> Request:
        by_registrar = answer.status == 401
        challenge = answer.first("www-authenticate" if by_registrar else "proxy-authenticate")
        value = sip_text.credentials(challenge, self.login, request.method, request.uri)
        name = "Authorization" if by_registrar else "Proxy-Authorization"
        return dataclasses.replace(
            request,
            branch=str(next(self._serial)),
            sequence=request.sequence + 1,
            headers=(*request.headers, f"{name}: {value}"),
        )
