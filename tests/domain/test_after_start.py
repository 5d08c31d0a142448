"""What a PBX is asked after its start, and what its answers say (B14)."""

from pathlib import Path

import msgspec
import pytest

import beistand
from beistand.domain.after_start import (
    A_GO,
    AT_ONCE,
    bursts,
    delay_seconds,
    failed_lines,
    late_lines_finding,
    line_names,
    phone_commands,
)
from beistand.domain.phones import Contact
from beistand.domain.profile import Profile

SHIPPED = Path(beistand.__file__).parent / "profiles" / "asterisk.toml"
ASKED = msgspec.toml.decode(SHIPPED.read_bytes(), type=Profile).after_start
LISTED = """
 <Registration/ServerURI..............................>  <Auth....................>  <Status.......>
==========================================================================================

 trunk0/sip:192.0.2.9:5071                               trunk0                      Registered        (exp. 50s)
 trunk1/sip:192.0.2.9:5072                               trunk1                      Rejected          (exp. 55s)
 trunk2/sip:192.0.2.9:5073                               n/a                         Unregistered

Objects found: 3
"""
DETAILS = """
 ParameterName            : ParameterValue
 ==================================================
 client_uri               : sip:trunk0@192.0.2.9
 max_random_initial_delay : 10
 max_retries              : 10
"""


def contact(name: str, **fields: bool) -> Contact:
    return Contact(uri=f"sip:{name}@192.0.2.50", endpoint=name, **{"is_qualified": True, **fields})


def test_each_phone_is_asked_for_once() -> None:
    assert phone_commands(ASKED, [contact("101"), contact("102"), contact("101")]) == (
        "pjsip qualify 101",
        "pjsip qualify 102",
    )


@pytest.mark.parametrize(
    "left_out",
    [
        contact("101", is_qualified=False),
        contact("101", survives=False),
        contact(""),
        contact("101\0core stop now"),
        contact("101\ncore stop now"),
        contact("101;core stop now"),
        contact("101 102"),
        contact('"101"'),
        contact("1" * 81),
    ],
)
def test_nothing_is_asked_for_a_phone_that_is_available_gone_or_no_name(left_out: Contact) -> None:
    assert phone_commands(ASKED, [left_out]) == ()


def test_a_pbx_of_another_make_is_asked_nothing() -> None:
    assert phone_commands(msgspec.structs.replace(ASKED, phone=""), [contact("101")]) == ()


@pytest.mark.parametrize(
    ("count", "largest", "goes"),
    [(0, 0, 0), (1, 1, 1), (AT_ONCE, AT_ONCE, 1), (AT_ONCE + 1, A_GO, 2), (1001, A_GO, 7)],
)
def test_many_phones_are_asked_in_goes(count: int, largest: int, goes: int) -> None:
    commands = tuple(str(number) for number in range(count))
    seen = list(bursts(commands))
    assert [each for go in seen for each in go] == list(commands)
    assert (max(map(len, seen), default=0), len(seen)) == (largest, goes)


def test_lines_are_read_off_the_list() -> None:
    assert line_names(LISTED) == ("trunk0", "trunk1", "trunk2")
    assert failed_lines(ASKED, LISTED) == ("trunk1",)


@pytest.mark.parametrize(
    "answer", ["", "No objects found.\n", "/ / /", "a" * 5000, "x/y", "\0/\0 Rejected", "a b/ Rejected"]
)
def test_other_answers_name_no_failed_line(answer: str) -> None:
    assert failed_lines(ASKED, answer) == ()


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (DETAILS, 10),
        (DETAILS.replace(": 10", ": 0", 1), 0),
        ("", 0),
        (" max_random_initial_delay : soon", 0),
        (" max_random_initial_delay : " + "9" * 4000, 999_999),
    ],
)
def test_the_delay_of_a_line_is_read_off_its_settings(answer: str, seconds: int) -> None:
    assert delay_seconds(ASKED, answer) == seconds


def test_lines_that_come_late_are_one_finding_with_the_line_to_write() -> None:
    assert late_lines_finding(ASKED.line_delay, {}) is None
    found = late_lines_finding(ASKED.line_delay, {"trunk1": 10, "trunk0": 5})
    assert found is not None
    assert found.code == "lines-register-late"
    assert found.fields == {
        "names": "trunk0, trunk1",
        "count": 2,
        "seconds": 10.0,
        "line": "max_random_initial_delay=0",
    }
