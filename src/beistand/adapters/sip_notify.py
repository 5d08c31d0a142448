"""Telling phones to look at their configuration, and so at their registration, anew (port `PhoneTeller`).

NOTIFY with `Event: check-sync` outside of any subscription: what makers of phones agreed on long before
RFC 6665 (section 3.2.1) wanted a subscription for it.
"""

import os
import re
import selectors
import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from time import monotonic

from beistand.domain.phones import phone, request_uri
from beistand.ports.mail import Notified

AGAIN_SECONDS = 0.5
"""T1 of RFC 3261 section 17.1.2.2: the wait before the first repetition; it doubles each time."""
MOST_PHONES = 2000
MOST_CONNECTIONS = 200
_CALL = re.compile(rb"^(?:Call-ID|i)\s*:\s*([0-9a-f]{32})@", re.IGNORECASE | re.MULTILINE)


@dataclass(kw_only=True)
class _Told:
    target: tuple[str, int]
    request: bytes
    is_answered: bool = False


class SipPhoneTeller:
    def check_sync(self, address: str, uris: Sequence[str], seconds: float) -> Notified:
        """TLS phones are left out: their certificate is a matter between them and the PBX."""
        told: dict[str, _Told] = {}
        try:
            with ExitStack() as stack, selectors.DefaultSelector() as selector:
                self._tell(address, uris, seconds, told, stack, selector)
        except OSError:
            pass  # the address went away meanwhile: those who were told were told
        return Notified(phones=len(told), answered=sum(each.is_answered for each in told.values()))

    def _tell(
        self,
        address: str,
        uris: Sequence[str],
        seconds: float,
        told: dict[str, _Told],
        stack: ExitStack,
        selector: selectors.BaseSelector,
    ) -> None:
        end = monotonic() + seconds
        udp = stack.enter_context(_socket(address, socket.SOCK_DGRAM))
        selector.register(udp, selectors.EVENT_READ, None)
        by_datagram: list[_Told] = []
        for uri in dict.fromkeys(request_uri(each) for each in uris[:MOST_PHONES]):
            one = phone(uri)
            if one is None or one.is_secure:
                continue
            call, target = os.urandom(16).hex(), (one.address, one.port)
            if not one.is_connected:
                told[call] = _Told(target=target, request=_notify(udp, "UDP", uri, call))
                by_datagram.append(told[call])
            elif len(selector.get_map()) <= MOST_CONNECTIONS and (line := _begun(address, target, stack)):
                request = _notify(line, "TCP", uri, call)
                told[call] = _Told(target=target, request=request)
                selector.register(line, selectors.EVENT_READ | selectors.EVENT_WRITE, request)
        _exchange(udp, by_datagram, told, selector, end)


def _exchange(
    udp: socket.socket,
    by_datagram: list[_Told],
    told: dict[str, _Told],
    selector: selectors.BaseSelector,
    end: float,
) -> None:
    """Send, repeat what needs it, and note the answers, until all have answered or the time is over."""
    wait, again = AGAIN_SECONDS, 0.0
    while (now := monotonic()) < end and not all(each.is_answered for each in told.values()):
        if now >= again:
            for each in by_datagram:
                if not each.is_answered:
                    with suppress(OSError):  # one that cannot be reached must not keep the others from theirs
                        udp.sendto(each.request, each.target)
            again, wait = now + wait, wait * 2
        for key, events in selector.select(max(0.0, min(again, end) - now)):
            line = key.fileobj
            assert isinstance(line, socket.socket)
            try:
                if events & selectors.EVENT_WRITE:
                    line.sendall(key.data)
                    selector.modify(line, selectors.EVENT_READ, None)
                if events & selectors.EVENT_READ:
                    answer = line.recv(65536)
                    _note(answer, told)
                    if not answer and line is not udp:
                        selector.unregister(line)
            except OSError:
                if line is not udp:
                    selector.unregister(line)


def _note(answer: bytes, told: dict[str, _Told]) -> None:
    # Told apart by Call-ID, not by source: a phone may answer from another port.
    if answer.startswith(b"SIP/2.0 ") and (found := _CALL.search(answer)):
        one = told.get(found[1].decode())
        if one is not None:
            one.is_answered = True


def _begun(address: str, target: tuple[str, int], stack: ExitStack) -> socket.socket | None:
    """Return a connection under way; None where that fails at once."""
    line = stack.enter_context(_socket(address, socket.SOCK_STREAM))
    try:
        line.connect(target)
    except BlockingIOError:
        return line
    except OSError:
        return None
    return line


def _socket(address: str, kind: socket.SocketKind) -> socket.socket:
    made = socket.socket(socket.AF_INET, kind)
    try:
        made.bind((address, 0))
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def _notify(line: socket.socket, transport: str, uri: str, call: str) -> bytes:
    host, port = line.getsockname()
    return (
        f"NOTIFY {uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} {host}:{port};branch=z9hG4bK{call};rport\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <sip:{host}>;tag={call[:16]}\r\n"
        f"To: <{uri}>\r\n"
        f"Call-ID: {call}@{host}\r\n"
        "CSeq: 1 NOTIFY\r\n"
        f"Contact: <sip:{host}:{port};transport={transport.lower()}>\r\n"
        "Event: check-sync\r\n"
        "Subscription-State: terminated;reason=timeout\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()
