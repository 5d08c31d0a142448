"""Which contact makes way for which REGISTER (B8)."""

import pytest

from beistand.domain.make_way import (
    LONGEST,
    Aside,
    Register,
    commands,
    hosts,
    in_the_way,
    question,
    register,
    room,
    watched,
)
from beistand.domain.phones import Contact
from beistand.domain.profile import MakeWay

HOST, OTHER = "192.0.2.50", "192.0.2.66"
MAKE_WAY = MakeWay(room="show {aor}", most="max_contacts", replaces="remove_existing")


def datagram(
    to: str = "<sip:101@192.0.2.10>",
    contact: str = f"<sip:101@{HOST}:7001>",
    begin: str = "REGISTER sip:192.0.2.10",
) -> bytes:
    lines = (
        f"{begin} SIP/2.0",
        "Via: SIP/2.0/UDP x;rport",
        f"To: {to}",
        f"Contact: {contact}",
        "CSeq: 1 REGISTER",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def contact(uri: str = f"sip:101@{HOST}:7000", aor: str = "101", key: str = "", **fields: bool) -> Contact:
    return Contact(
        uri=uri, aor=aor, endpoint=aor, key=key or f"/registrar/contact/{aor};@{'0' * 32}", **fields
    )


@pytest.mark.parametrize(
    ("to", "user"),
    [
        ("<sip:101@192.0.2.10>", "101"),
        ("sip:101@192.0.2.10", "101"),
        ("sips:101@192.0.2.10;user=phone", "101"),
        ('"Anna <sip:666@x>" <sip:101@192.0.2.10>', "101"),
        ('"A \\" <sip:666@x>" <sip:101@192.0.2.10>;tag=1', "101"),
        ("Anna <SIP:front-desk_1@pbx.example>", "front-desk_1"),
        ("<sip:192.0.2.10>", None),
        ("<tel:101>", None),
        ("<sip:1'1@192.0.2.10>", None),
        ('<sip:1"1@192.0.2.10>', None),
        ("<sip:1 1@192.0.2.10>", None),
        ("<sip:1*@192.0.2.10>", None),
        ("<sip:{key}@192.0.2.10>", None),
        (f"<sip:{'1' * 81}@192.0.2.10>", None),
        ("<sip:101", None),
        ('"', None),
        ("", None),
    ],
)
def test_the_to_header_names_the_phone(to: str, user: str | None) -> None:
    found = register(datagram(to), HOST, 7001)
    assert (found.user if found else None) == user


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"REGISTER ",
        b"REGISTER \0" * 10000,
        b"REGISTER sip:x SIP/2.0\r\n" + b"To\r\n" * 5000,
        b"REGISTER " + b"\xff" * 5000,
        datagram(begin="INVITE sip:192.0.2.10"),
        datagram(begin="register sip:192.0.2.10"),
        datagram(contact="*"),
        datagram(contact=""),
        b"REGISTER sip:x SIP/2.0\r\nX: " + b"x" * LONGEST + b"\r\n" + datagram()[25:],
    ],
)
def test_what_names_no_phone_and_no_place_is_nothing(data: bytes) -> None:
    assert register(data, HOST, 7001) is None


def test_short_names_of_headers_are_known() -> None:
    data = datagram().replace(b"To:", b"t:").replace(b"Contact:", b"m :")
    found = register(data, HOST, 7001)
    assert found == Register(
        user="101", domain="192.0.2.10", source=HOST, port=7001, contact=f"sip:101@{HOST}:7001"
    )


@pytest.mark.parametrize(
    ("known", "source", "port", "asked", "makes_way"),
    [
        (contact(), HOST, 7001, f"<sip:101@{HOST}:7001>", True),
        # The very same: as the source of the packet, or as the phone writes it.
        (contact(), HOST, 7000, f"<sip:101@{HOST}:7000>", False),
        (contact(), HOST, 7000, "<sip:101@10.0.0.5:5060>", False),
        (contact(), HOST, 34567, f"<sip:101@{HOST}:7000>", False),
        # The same place, yet no contact that the PBX takes for the same.
        (contact(), HOST, 7000, f"<sip:101-0x5c2a@{HOST}:7000>", True),
        (contact(f"sip:101@{HOST}:7000;line=abc"), HOST, 7000, f"<sip:101@{HOST}:7000;line=def>", True),
        (contact(f"sip:101@{HOST}:7000^3Bline=abc"), HOST, 7000, f"<sip:101@{HOST}:7000;line=ABC>", False),
        (
            contact(f"sip:101@{HOST}:7000;x-ast-orig-host=10.0.0.5"),
            HOST,
            7000,
            f"<sip:101@{HOST}:7000>",
            False,
        ),
        # A name of the phone's own network: the source decides.
        (contact(), HOST, 7001, "<sip:101@phone.local:5060>", True),
        (contact(), HOST, 7000, "<sip:101@phone.local:5060>", False),
        # Nobody else's.
        (contact(), OTHER, 7001, f"<sip:101@{OTHER}:7001>", False),
        (contact(), OTHER, 7001, f"<sip:101@{HOST}:7001>", False),
        (contact(aor="102"), HOST, 7001, f"<sip:101@{HOST}:7001>", False),
        (contact(aor="1011"), HOST, 7001, f"<sip:101@{HOST}:7001>", False),
        (contact(aor="101@192.0.2.10"), HOST, 7001, f"<sip:101@{HOST}:7001>", True),
        (contact(aor="101@elsewhere"), HOST, 7001, f"<sip:101@{HOST}:7001>", False),
    ],
)
def test_a_contact_makes_way(known: Contact, source: str, port: int, asked: str, *, makes_way: bool) -> None:
    found = register(datagram(contact=asked), source, port)
    assert found is not None
    assert in_the_way(found, [known]) == ((known,) if makes_way else ())


def test_nothing_makes_way_where_one_contact_is_renewed() -> None:
    known = [contact(), contact(f"sip:101@{HOST}:7001")]
    found = register(datagram(), HOST, 7001)
    assert found is not None
    assert in_the_way(found, known) == ()


@pytest.mark.parametrize(
    ("each", "is_watched"),
    [
        (contact(), True),
        (contact(survives=False), False),
        (contact(f"sip:101@{HOST}:7000;transport=tcp"), False),
        (contact(f"sips:101@{HOST}:7000"), False),
        (contact("sip:101@phone.local"), False),
        (contact(aor="o'neill"), False),
        (contact(aor=""), False),
        (contact(key="/registrar/contact/101;@' or 1"), False),
        (contact(key='/registrar/contact/101;@"'), False),
    ],
)
def test_contacts_by_udp_with_usable_names_are_watched(each: Contact, *, is_watched: bool) -> None:
    assert watched([each]) == ((each,) if is_watched else ())


def test_hosts_are_named_once() -> None:
    assert hosts([contact(), contact(f"sip:102@{HOST}:7002"), contact(f"sip:103@{OTHER}")]) == (HOST, OTHER)


@pytest.mark.parametrize(
    ("answer", "most"),
    [
        (" max_contacts         : 1\n remove_existing      : false\n", 1),
        (" max_contacts         : 5\n", 5),
        (" max_contacts         : 1\n remove_existing      : true\n", 0),
        ("Unable to find object 101.\n", None),
        ("No such command 'pjsip show aor 101'\n", None),
        (" max_contacts : many\n", None),
        (" max_contacts : " + "9" * 1000, 999999),
        ("", None),
    ],
)
def test_the_pbx_says_how_much_room_there_is(answer: str, most: int | None) -> None:
    assert room(MAKE_WAY, answer) == most


def test_commands_name_the_contact() -> None:
    aside = Aside(contact=contact(key="/c/101;@1"), most=3)
    assert question(MAKE_WAY, aside.contact) == "show 101"
    assert commands(["del {key} {most} {aor}", "look {endpoint}"], aside) == (
        "del /c/101;@1 3 101",
        "look 101",
    )


def test_a_command_without_a_usable_name_is_left_out() -> None:
    known = Contact(uri=f"sip:101@{HOST}", aor="101", key="/c/101", endpoint="it's")
    assert commands(["look {endpoint}", "del {key}"], Aside(contact=known, most=1)) == ("del /c/101",)
