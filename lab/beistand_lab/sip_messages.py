"""SIP as it passed the switch, over UDP and, simply, over TCP."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from beistand_lab.frames import IpPacket

# A message begins where a start line does; in TCP several may share a segment. One that began in an
# earlier segment is seen by its start line there, with the headers that came along.
_START = re.compile(
    rb"^(?:(?P<method>[A-Z]{3,10}) (?P<uri>\S+) SIP/2\.0|SIP/2\.0 (?P<status>\d{3}) [^\r\n]*)\r\n",
    re.MULTILINE,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SipMessage:
    """A request (`status` is 0) or a response; `method` is the CSeq's in both."""

    time: float
    source: str
    destination: str
    source_port: int
    destination_port: int
    method: str
    status: int
    uri: str
    from_user: str
    to_user: str
    call_id: str
    headers: str

    def header(self, name: str) -> str:
        """The first value of a header, empty where there is none."""
        found = re.search(rf"^{re.escape(name)}\s*:\s*(.*)$", self.headers, re.IGNORECASE | re.MULTILINE)
        return found[1].strip() if found else ""


def sip_messages(packets: Iterable[IpPacket]) -> list[SipMessage]:
    """Every SIP message in these packets, retransmissions included, in order of time."""
    found = []
    for packet in packets:
        if b"SIP/2.0" not in packet.payload:
            continue
        starts = [*_START.finditer(packet.payload)]
        ends = [*(start.start() for start in starts[1:]), len(packet.payload)]
        for start, end in zip(starts, ends, strict=True):
            found.append(_message(packet, start, packet.payload[start.end() : end]))
    return found


def registers_answered(messages: Iterable[SipMessage]) -> list[SipMessage]:
    """The responses 200 to REGISTER: each is a phone that has just registered."""
    return [message for message in messages if message.method == "REGISTER" and message.status == 200]


def _message(packet: IpPacket, start: re.Match[bytes], rest: bytes) -> SipMessage:
    headers = rest.split(b"\r\n\r\n")[0].decode(errors="replace").replace("\r\n", "\n")

    def user(name: str) -> str:
        uri = re.search(rf"^{name}\s*:.*?sips?:([^@>;\s]*)@", headers, re.IGNORECASE | re.MULTILINE)
        return uri[1] if uri else ""

    sequence = re.search(r"^CSeq\s*:\s*\d+\s+(\w+)", headers, re.IGNORECASE | re.MULTILINE)
    identity = re.search(r"^Call-ID\s*:\s*(\S+)", headers, re.IGNORECASE | re.MULTILINE)
    return SipMessage(
        time=packet.time,
        source=packet.source,
        destination=packet.destination,
        source_port=packet.source_port,
        destination_port=packet.destination_port,
        method=(start["method"] or b"").decode() or (sequence[1] if sequence else ""),
        status=int(start["status"] or 0),
        uri=(start["uri"] or b"").decode(errors="replace"),
        from_user=user("From"),
        to_user=user("To"),
        call_id=identity[1] if identity else "",
        headers=headers,
    )
