"""The words behind `source`, as wordexp(3) makes them."""

import pytest

from beistand.domain.network_file_words import words


def home(user: str) -> str:
    return {"": "/root", "anna": "/home/anna"}.get(user, "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ()),
        ("  a\tb  ", ("a", "b")),
        ("a'b c'd", ("ab cd",)),
        ('"a b"\\ c', ("a b c",)),
        ("'*' \"?\" \\[ *", ("[*]", "[?]", "[[]", "*")),
        ('"a\\"b\\c"', ('a"b\\c',)),
        ("~/a ~anna/b ~nobody/c a~ '~/d'", ("/root/a", "/home/anna/b", "~nobody/c", "a~", "~/d")),
        ("$HOME/a ${HOME}/b '$HOME' \"$HOME\" $NONE x$NONE", ("/root/a", "/root/b", "$HOME", "/root", "x")),
        ("a$ $/b", ("a$", "$/b")),
        ("[^ab]x [!a]y [[:digit:]]z [a", ("[!ab]x", "[!a]y", "?z", "[a")),
        ("'a b", ()),
        *((f"a {sign}", ()) for sign in "|&;<>(){}`"),
        ("a $(b)", ()),
        ("a $((1+1))", ("a", "*")),
        ('a "x$((1+1))y"', ("a", "x*y")),
        ("a ${b:-c} ${b}", ("a", "*", "*")),
        ("a ${b", ()),
        ("a '$(b)'", ("a", "$(b)")),
    ],
)
def test_a_line_has_these_words(line: str, expected: tuple[str, ...]) -> None:
    assert words(line, home) == expected
