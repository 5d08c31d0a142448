"""Whatever stands in the PBX's files, each reader answers or refuses within moments (DESIGN, Readers).

Not the machine's speed is looked at but the limits: a reader that runs into its two seconds has failed.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import beistand
from beistand.adapters.contacts import SqliteContacts
from beistand.adapters.lines import ConfiguredLines
from beistand.adapters.readers import Readers
from beistand.adapters.start_files import StartFiles
from beistand.adapters.user_directory import FileUsers
from beistand.domain.errors import Failed
from beistand.domain.profile import DirectoryFormat, Lines, Profile, UserDirectory

ASTERISK = Path(beistand.__file__).parent / "profiles" / "asterisk.toml"
SIZE = 4 << 20
SLOW = ("reading-took-too-long", "reading-ended")
"""It was stopped by force, after a second of the processor or many on the clock."""
HEADS = {"section": b"[a]\n", "include": b'#include "', "register": b"[a]\nregister => a:"}
GRAMMAR = b'\n\r \t"#()+,:;<=>@[\\]!\0\x85\xff'
HOSTILE: dict[str, bytes] = {
    "an include with blanks and a quote": b"#include" + b" " * 4000 + b'"x"y',
    "blanks and quotes without end": b"#include" + b' "' * (SIZE // 2),
    "two sections that take over from each other": b"[a]\n1=>1,x\n[b]\n" + b"[a](b)\n[b](a)\n" * 20,
    "the same without an entry": b"[a]\n[b]\n" + b"[a](b)\n[b](a)\n" * 60,
    "a chain of templates": b"".join(
        b"[s%d](s%d)\nk%d=v\ntype=registration\n" % (n + 1, n, n) for n in range(80_000)
    ),
    "one header with templates without end": b"[a]\n[b](" + b"a," * (SIZE // 2) + b")\n",
    "many headers with many templates": b"[a]\n" + (b"[b](" + b"a," * 4000 + b")\n") * 500,
    "a register line of 100 KB": b"[a]\nregister => " + b":" * 100_000,
    "colons and signs": b"[a]\nregister => " + b":@" * 4000 + b"\n",
    "register lines without end": b"[a]\n" + b"register => a:b@c\n" * 200_000,
    "escaped semicolons": b"[a]\n1 => " + b"\\;" * 4000 + b"\n" + (b"x=" + b"\\;" * 4000 + b"\n") * 500,
    "comments that open and close": b"[a]\n" + (b";-- --;" * 1100 + b"\n") * 500,
    "a comment that never ends": b";--" + b"x\n" * (SIZE // 2),
    "short lines": b"a\n" * (SIZE // 2),
    "short entries": b"[a]\n" + b"1=1\n" * (SIZE // 4),
    "short sections": b"[a]\n" * (SIZE // 4),
    "includes of itself": b'#include "voicemail.conf"\n' * 100_000,
    "includes of everything": b'#include "*"\n' * 100_000,
    "includes with many stars": b"".join(b'#include "' + b"*a" * 200 + b'%d"\n' % n for n in range(1000)),
    "includes of other names": b"".join(b'#include "f%d"\n' % n for n in range(100_000)),
    "includes that lead elsewhere": b'#include "/etc/passwd"\n#include "../../etc/passwd"\n#include "a\0b"\n'
    * 1000,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("asterisk")


@pytest.fixture(scope="module")
def readers() -> Readers:
    # Long for a machine that is busy with something else: it is the processor's second that counts.
    return Readers(patience=20.0)


def ask_all(place: Path, readers: Readers, body: bytes) -> list[str]:
    """Have every reader look at a file with this content; return the codes of those that refuse."""
    shipped = msgspec.toml.decode(ASTERISK.read_bytes(), type=Profile)
    assert shipped.contacts is not None
    for name in ("voicemail.conf", "pjsip.conf", "astdb.sqlite3"):
        (place / name).write_bytes(body)
    profile = msgspec.structs.replace(
        shipped,
        users=UserDirectory(format=DirectoryFormat.ASTERISK_VOICEMAIL, path=str(place / "voicemail.conf")),
        lines=Lines(files=(str(place / "pjsip.conf"),)),
        contacts=msgspec.structs.replace(shipped.contacts, database=str(place / "astdb.sqlite3")),
    )
    asked: tuple[Callable[[Profile], object], ...] = (
        FileUsers(readers).list,
        ConfiguredLines(readers).list,
        SqliteContacts(readers).list,
        lambda _: StartFiles(readers).options(str(place / "pjsip.conf")),
    )
    codes = []
    for each in asked:
        try:
            each(profile)
        except Failed as error:
            codes.append(error.message.code)
    return [*codes, *(each.code for each in readers.troubles())]


@pytest.mark.parametrize("value", range(0, 256, 32))
def test_a_repeated_byte_is_answered_or_refused(place: Path, readers: Readers, value: int) -> None:
    for byte in range(value, value + 32):
        found = ask_all(place, readers, bytes([byte]) * SIZE)
        assert not set(found) & set(SLOW), (byte, found)


@pytest.mark.parametrize("head", HEADS)
def test_a_repeated_sign_of_the_grammar_is_answered_or_refused(
    place: Path, readers: Readers, head: str
) -> None:
    for byte in GRAMMAR:
        found = ask_all(place, readers, HEADS[head] + bytes([byte]) * SIZE)
        assert not set(found) & set(SLOW), (byte, found)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_is_answered_or_refused(place: Path, readers: Readers, kind: str) -> None:
    found = ask_all(place, readers, HOSTILE[kind])
    assert not set(found) & set(SLOW), found


PARTS = st.sampled_from(
    [
        *(
            "[",
            "]",
            "(",
            ")",
            "!",
            "+",
            ",",
            "=",
            "=>",
            ";",
            ";--",
            "--;",
            "\\;",
            "#include ",
            '"',
            "<",
            ">",
            "\n",
        ),
        *(
            "\r",
            "a",
            "b",
            "[a](b)\n",
            "[b](a)\n",
            "register => ",
            ":",
            "@",
            " ",
            "\0",
            "ä",
            "type=registration\n",
        ),
        "1 => 1,x,y\n",
    ]
)


@given(st.lists(PARTS, max_size=60), st.integers(1, 200_000))
@settings(max_examples=30, deadline=None)
def test_repeated_grammar_is_answered_or_refused(
    place: Path, readers: Readers, parts: list[str], times: int
) -> None:
    text = "".join(parts).encode()
    found = ask_all(place, readers, (text * times)[:SIZE])
    assert not set(found) & set(SLOW), found
