"""What root reads when a PBX starts: in one spelling, whatever stands there, and within limits (D6)."""

import pytest

from beistand.domain.start_options import (
    LARGEST,
    LONGEST_LINE,
    MOST_LINES,
    brings_in_others,
    start_options,
)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", ()),
        (b"[options]\nverbose = 3\n", ("[options] verbose = 3",)),
        (b"[OPTIONS]\r\n  Verbose=>3 ; loud\r\n", ("[options] verbose = 3",)),
        (b"[directories](!)\nastrundir => /etc/cron.d\n", ()),
        (b"[directories]\nastrundir => /etc/cron.d\n", ("[directories] astrundir = /etc/cron.d",)),
        (b";--\n[directories]\nastrundir=/x\n--;\n[options]\nmaxcalls=1", ("[options] maxcalls = 1",)),
        (b"[options];-- a --;\nx=1;-- b --;2\n", ("[options] x = 12",)),
        (b"[options]\n;--- no comment of several lines\nx=a\\;b\n", ("[options] x = a;b",)),
        (b"[options]\nb=1\na=2\nb=1\n", ("[options] a = 2", "[options] b = 1")),
        (b'#include "other.conf"\n#exec /bin/sh\n', ("#exec /bin/sh", '#include "other.conf"')),
        (b"[options](base,+)\nrunuser = root\n", ("[options] runuser = root",)),
        (b"[options]\n\x1b[2Jx\xff = \x07\n", ("[options] ?[2jx\ufffd = ?",)),
    ],
)
def test_lines_that_count_are_read_in_one_spelling(text: bytes, lines: tuple[str, ...]) -> None:
    assert start_options(text) == lines


@pytest.mark.parametrize(
    "unit", [b"a", b" ", b";", b";--", b"--;", b"[", b"\\;", b"#", b"=", b"\n", b"\0", b"[a]\nx=1\n"]
)
def test_whatever_stands_there_the_answer_is_small(unit: bytes) -> None:
    for size in (LARGEST, LARGEST + 1):
        lines = start_options((unit * LARGEST)[:size])
        assert len(lines) <= MOST_LINES
        assert all(len(each) <= LONGEST_LINE for each in lines)


def test_more_lines_than_anybody_needs_end_in_a_mark() -> None:
    lines = start_options(b"[o]\n" + b"".join(b"k%d=1\n" % each for each in range(500)))
    assert len(lines) == MOST_LINES
    assert lines[-1] == "…"


def test_what_brings_in_others_is_named() -> None:
    assert brings_in_others(start_options(b"[options]\nx=1\n#exec /tmp/x\n")) == "#exec /tmp/x"
    assert brings_in_others(start_options(b"[options]\nx=1\n")) == ""
