"""Text of others at the edges: it begins no line of its own and moves no cursor (D20)."""

import pytest

from beistand.domain.message import Message, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Müller, 1\u00a0234 kB\u202f…", "Müller, 1\u00a0234 kB\u202f…"),
        ("a\tb", "a\tb"),
        ("a\nb\rc", "a\\nb\\rc"),
        ("\x1b[2J\x00\x7f", "\\x1b[2J\\x00\\x7f"),
        ("\x9b2J\x85", "\\x9b2J\\x85"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_is_no_sign_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_no_character_but_the_tab_controls_anything() -> None:
    shown = printable("".join(map(chr, range(0x110000))))
    assert all(
        each.isprintable()
        or each == "\t"
        or each in "\xa0\u1680\u202f\u205f\u3000"
        or "\u2000" <= each <= "\u200a"
        for each in shown
    )
    assert len(shown.splitlines()) == 1


def test_a_message_of_the_log_is_one_line_whatever_its_fields_hold() -> None:
    told = Message(code="file-growing", fields={"path": "/a\n<3>internal-error x\r\x1b[1A"})
    assert len(printable(str(told)).splitlines()) == 1
