"""The words behind `source` in /etc/network/interfaces, as wordexp(3) makes them of a line."""

from __future__ import annotations

import re
from collections.abc import Callable

_REFUSED = set("|&;<>(){}\n")
"""What wordexp answers with an error, so that the line sources nothing."""
_MAGIC = set("*?[")
_USER = re.compile(r"~([A-Za-z0-9_.-]{0,60})(?=[/\s]|\Z)")
_SET = re.compile(r"\[[!^]?(?:\[:[a-z]{1,10}:\]|[^\]\s\"'\\]){1,200}\]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_WITHOUT_END = re.compile(r"\(\([^()`$]{0,200}\)\)|\{(?!HOME\})[A-Za-z_][^{}`$]{0,200}\}")


class _Refused(Exception):
    """The line has no words."""


def words(line: str, home: Callable[[str], str]) -> tuple[str, ...]:
    """Return the words of a line as patterns for glob(3): what stood in quotes matches itself only.

    `home`: the folder of a user, empty for nobody's; without a name that of root. Of the variables only HOME is
    known: at boot the others stand for nothing, and `${…}` and arithmetic for anything. Commands are refused, as
    WRDE_NOCMD has it: a line with one has no words at all.
    """
    found: list[str] = []
    try:
        at = 0
        while at < len(line):
            if line[at] in " \t":
                at += 1
                continue
            word, at = _word(line, at, home)
            found.append(word)
    except _Refused:
        return ()
    return tuple(each for each in found if each)


def _word(line: str, at: int, home: Callable[[str], str]) -> tuple[str, int]:
    pieces: list[str] = []
    quote = ""
    if user := _USER.match(line, at):
        pieces.append(_literal(home(user[1]) or user[0]))
        at += len(user[0])
    while at < len(line) and (quote or line[at] not in " \t"):
        sign = line[at]
        if sign == "[" and not quote and (match := _SET.match(line, at)):
            # What Python's patterns do not know matches any one character.
            pieces.append("?" if "[:" in match[0] else match[0].replace("[^", "[!"))
            at += len(match[0])
            continue
        at += 1
        if sign == quote:
            quote = ""
        elif sign in "\"'" and not quote:
            quote = sign
        elif sign == "\\" and quote != "'" and at < len(line):
            is_kept = quote and line[at] not in '$`"\\'
            pieces.append(_literal(("\\" if is_kept else "") + line[at]))
            at += 1
        elif sign in "`$" and quote != "'":
            if sign == "`":
                raise _Refused
            said, at = _expanded(line, at, home)
            pieces.append(said)
        elif not quote and sign in _REFUSED:
            raise _Refused
        else:
            pieces.append(_literal(sign) if quote else sign)
    if quote:
        raise _Refused
    return "".join(pieces), at


def _expanded(line: str, at: int, home: Callable[[str], str]) -> tuple[str, int]:
    """Return the pattern that stands for what begins with the dollar sign before `at`, and where it ends."""
    if match := _WITHOUT_END.match(line, at):
        # Arithmetic, ${name:-word} and their like: whatever they may be.
        return "*", match.end()
    if line.startswith("{HOME}", at):
        return _literal(home("")), at + len("{HOME}")
    if line[at : at + 1] in {"(", "{"}:
        raise _Refused
    name = _NAME.match(line, at)
    if name is None:
        return "$", at
    return _literal(home("") if name[0] == "HOME" else ""), name.end()


def _literal(said: str) -> str:
    return "".join(f"[{each}]" if each in _MAGIC else each for each in said)
