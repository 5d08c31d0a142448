"""How the lab's speakers read SIP, answer it, and log in."""

import pytest

from beistand_lab import sip_text
from beistand_lab.sip_text import Login

_INVITE = (
    b"INVITE sip:1000@10.0.0.50:7000 SIP/2.0\r\nv: SIP/2.0/UDP 10.0.0.10:5060;branch=z9hG4bK1\r\n"
    b'Via: SIP/2.0/UDP 10.0.0.11;branch=z9hG4bK0\r\nf: "Phone" <sip:1150@10.0.0.10>;tag=a\r\n'
    b"To: <sip:1000@10.0.0.50>\r\ni: one@10.0.0.10\r\nCSEQ: 7 INVITE\r\nContact: <sip:asterisk@10.0.0.10:5060>\r\n"
    b"l: 4\r\n\r\nv=0\n"
)


def _invite() -> sip_text.SipText:
    message = sip_text.parse(_INVITE)
    assert message is not None
    return message


def test_short_and_long_names_of_headers_are_the_same() -> None:
    message = _invite()
    assert (message.method, message.status, message.uri) == ("INVITE", 0, "sip:1000@10.0.0.50:7000")
    assert (message.call_id, message.sequence, message.caller) == ("one@10.0.0.10", 7, "1150")
    assert len(message.headers["via"]) == 2
    assert message.body == "v=0\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\x00",
        b"INVITE sip:1 SIP/2.0\r\n\r\n",
        b"hello\r\nCSeq: 1 X\r\n\r\n",
        _INVITE.replace(b"7 INVITE", b"INVITE"),
        _INVITE.replace(b" SIP/2.0\r\nv:", b" HTTP/1.1\r\nv:"),
    ],
)
def test_what_is_no_sip_is_no_message(data: bytes) -> None:
    assert sip_text.parse(data) is None


def test_an_answer_belongs_to_its_request_and_keeps_its_tag() -> None:
    ringing, answered = (sip_text.parse(sip_text.response(_invite(), code)) for code in (180, 200))
    assert ringing is not None
    assert answered is not None
    assert (answered.status, answered.method, answered.sequence) == (200, "INVITE", 7)
    assert answered.headers["via"] == _invite().headers["via"]
    assert ";tag=" in answered.first("to")
    assert ringing.first("to") == answered.first("to")


def test_trying_has_no_tag() -> None:
    trying = sip_text.parse(sip_text.response(_invite(), 100))
    assert trying is not None
    assert trying.first("to") == "<sip:1000@10.0.0.50>"


@pytest.mark.parametrize(
    ("header", "uri", "user"),
    [
        ("<sip:1000@10.0.0.1:5060;transport=tcp>;expires=60", "sip:1000@10.0.0.1:5060;transport=tcp", "1000"),
        ("sip:trunk0@10.0.0.1;tag=x", "sip:trunk0@10.0.0.1", "trunk0"),
        ("<sip:10.0.0.1>", "sip:10.0.0.1", ""),
    ],
)
def test_a_uri_is_read_from_a_header(header: str, uri: str, user: str) -> None:
    assert (sip_text.uri(header), sip_text.user(header)) == (uri, user)


def test_the_digest_is_that_of_the_rfc() -> None:
    """RFC 2617 section 3.5."""
    fields = {
        "username": "Mufasa",
        "realm": "testrealm@host.com",
        "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "uri": "/dir/index.html",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "0a4f113b",
    }
    assert sip_text.digest(fields, "Circle Of Life", "GET") == "6629fae49393a05397450978507c4ef1"


@pytest.mark.parametrize("more", ["", ', qop="auth"', ', opaque="5c,c"', ',algorithm=MD5,qop="auth"'])
def test_credentials_answer_their_challenge(more: str) -> None:
    challenge = f'Digest realm="asterisk", nonce="1/ab=="{more}'
    login = Login(user="1000", password="secret1000")
    value = sip_text.credentials(challenge, login, "REGISTER", "sip:10.0.0.10")
    fields = sip_text.parameters(value.removeprefix("Digest"))
    assert fields["response"] == sip_text.digest(fields, "secret1000", "REGISTER")
    assert (fields["nonce"], fields["uri"]) == ("1/ab==", "sip:10.0.0.10")
    assert fields.get("opaque") == ("5c,c" if "opaque" in more else None)
    assert ("nc" in fields) == ("qop" in more)
