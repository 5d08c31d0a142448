"""SIP messages as a speaker reads and writes them: one message in a datagram, with its body and its login.

What passed the switch is read by sip_messages instead, which knows when and between whom.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence

_SHORT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "o": "event",
}
"""RFC 3261 section 7.3.3 and RFC 6665 section 8.2."""
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^",\s]+))')
_USER = re.compile(r"sips?:([^@>;\s]+)@")
_UNQUOTED = ("algorithm", "qop", "nc")
REASONS = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    401: "Unauthorized",
    403: "Forbidden",
    405: "Method Not Allowed",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    500: "Server Internal Error",
    503: "Service Unavailable",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class SipText:
    """One message. `status` is 0 in a request; `method` is the CSeq's in both kinds."""

    method: str
    status: int
    uri: str
    headers: Mapping[str, Sequence[str]]
    """By name in small letters, short names as their long ones."""
    body: str

    def first(self, name: str) -> str:
        """The first value of a header, empty where there is none."""
        values = self.headers.get(name)
        return values[0] if values else ""

    @property
    def call_id(self) -> str:
        return self.first("call-id")

    @property
    def sequence(self) -> int:
        """The CSeq's number."""
        return int(self.first("cseq").split()[0])

    @property
    def caller(self) -> str:
        """The user part of the From header."""
        return user(self.first("from"))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Login:
    user: str
    password: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """A request to be sent from an address and port of ours."""

    method: str
    uri: str
    source: str
    """`address:port` of the sender."""
    branch: str
    sender: str
    """The From header with its tag, and below the To header, with a tag inside of a dialog."""
    to: str
    call_id: str
    sequence: int
    headers: tuple[str, ...] = ()
    """Whole lines, Contact and credentials among them."""
    body: str = ""

    def encode(self) -> bytes:
        lines = (
            f"{self.method} {self.uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.source};branch=z9hG4bK{self.branch};rport",
            "Max-Forwards: 70",
            f"From: {self.sender}",
            f"To: {self.to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.sequence} {self.method}",
            *self.headers,
            f"Content-Length: {len(self.body.encode())}",
        )
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()


def parse(data: bytes) -> SipText | None:
    """The message in a datagram; None for keep-alives and for whatever is not SIP."""
    head, _, body = data.partition(b"\r\n\r\n")
    start, *lines = head.decode(errors="replace").replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.setdefault(_SHORT.get(name, name), []).append(value.strip())
    words = start.split(" ", 2)
    sequence = headers.get("cseq", [""])[0].split()
    needed = len(words) == 3 and len(sequence) == 2 and sequence[0].isdecimal()
    if not needed or not {"via", "from", "to", "call-id"} <= headers.keys():
        return None
    text = body.decode(errors="replace")
    if words[0] == "SIP/2.0" and words[1].isdecimal():
        return SipText(method=sequence[1], status=int(words[1]), uri="", headers=headers, body=text)
    if words[2] != "SIP/2.0":
        return None
    return SipText(method=words[0], status=0, uri=words[1], headers=headers, body=text)


def response(request: SipText, status: int, *, headers: Sequence[str] = (), body: str = "") -> bytes:
    """The answer to a request, with a tag of the answerer's that is the same all through a dialog."""
    to = request.first("to")
    if status != 100 and ";tag=" not in to:
        to += f";tag=r{zlib.crc32(request.call_id.encode()):08x}"
    lines = (
        f"SIP/2.0 {status} {REASONS.get(status, 'Refused')}",
        *(f"Via: {value}" for value in request.headers["via"]),
        *(f"Record-Route: {value}" for value in request.headers.get("record-route", ())),
        f"From: {request.first('from')}",
        f"To: {to}",
        f"Call-ID: {request.call_id}",
        f"CSeq: {request.first('cseq')}",
        *headers,
        f"Content-Length: {len(body.encode())}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def user(header: str) -> str:
    """The user part of the first SIP URI in a header, empty where it has none."""
    found = _USER.search(header)
    return found[1] if found else ""


def uri(header: str) -> str:
    """The URI between the angle brackets of a header, or the whole of one without them."""
    _, bracket, rest = header.partition("<")
    return rest.partition(">")[0] if bracket else header.partition(";")[0].strip()


def session(address: str, port: int) -> str:
    """A session description (RFC 8866) that offers, and takes, sound in G.711 at one port."""
    return (
        f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
    )


def parameters(header: str) -> dict[str, str]:
    """The parameters of a challenge, or of credentials (RFC 7616)."""
    return {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(header)}


def credentials(challenge: str, login: Login, method: str, uri: str) -> str:
    """The value of the header that answers a challenge (MD5, with `qop=auth` where that is offered)."""
    asked = parameters(challenge)
    fields = {"username": login.user, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri}
    if "qop" in asked:
        seed = f"{asked['nonce']}{login.user}{method}".encode()
        fields |= {"qop": "auth", "nc": "00000001", "cnonce": f"{zlib.crc32(seed):08x}"}
    if "opaque" in asked:
        fields["opaque"] = asked["opaque"]
    fields |= {"response": digest(fields, login.password, method), "algorithm": "MD5"}
    shown = (
        f"{name}={value}" if name in _UNQUOTED else f'{name}="{value}"' for name, value in fields.items()
    )
    return f"Digest {', '.join(shown)}"


def digest(fields: Mapping[str, str], password: str, method: str) -> str:
    """The response that belongs to the other fields of credentials (RFC 7616 section 3.4.1, RFC 2069)."""
    secret = _md5(f"{fields['username']}:{fields['realm']}:{password}")
    what = _md5(f"{method}:{fields['uri']}")
    if "qop" in fields:
        return _md5(f"{secret}:{fields['nonce']}:{fields['nc']}:{fields['cnonce']}:{fields['qop']}:{what}")
    return _md5(f"{secret}:{fields['nonce']}:{what}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
