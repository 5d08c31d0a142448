"""What is told to a person: a code and its fields. The sentences live in the catalogue (beistand.text)."""

import re
import unicodedata
from typing import Annotated

from beistand.domain.bounds import FEW, LongText, Number, Whole, Word
from beistand.domain.value import Value

Field = str | int | float | bool
_NAMED = {"\n": "\\n", "\r": "\\r"}
BoundField = LongText | Whole | Number | bool
"""A field as it may arrive; `Field` is what code asks for."""


class Message(Value, frozen=True, kw_only=True):
    """One thing to tell. Logs print `code key=value`, pages and terminals the sentence and its hint."""

    code: Word
    fields: Annotated[dict[Word, BoundField], FEW] = {}

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{key}={_quoted(value)}" for key, value in self.fields.items())])


def message(code: str, **fields: Field) -> Message:
    """Return the message with this code and these fields."""
    return Message(code=code, fields=fields)


def printable(text: str) -> str:
    """Return the text with everything escaped that is no sign: line ends, control characters, directions of writing.

    Names of files and words of the peer may hold anything. In a log they must not begin a line of their own, in a
    terminal they must not move the cursor. Every edge that prints for people or for the journal passes its text here.
    """
    if text.isprintable():
        return text
    return "".join(each if is_sign(each) else _escaped(each) for each in text)


def is_sign(character: str) -> bool:
    """Tell whether this is something to read: a tab and the spaces of our own numbers are."""
    return character.isprintable() or character == "\t" or unicodedata.category(character) == "Zs"


def _escaped(sign: str) -> str:
    if sign in _NAMED:
        return _NAMED[sign]
    return f"\\x{ord(sign):02x}" if ord(sign) < 0x80 else sign.encode("ascii", "backslashreplace").decode()


def _quoted(value: Field) -> str:
    """Return it so that it can be read back (`unquoted`): a message may be a field of another one."""
    text = str(value)
    if text and not any(each.isspace() or each == '"' for each in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquoted(text: str) -> str:
    """Return a field's text as it was before it became a part of the log."""
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL) if text[:1] == '"' else text
