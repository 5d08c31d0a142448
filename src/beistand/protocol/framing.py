"""Frames: four bytes of length (big endian, 1 MiB at most) and a JSON object; what every connection begins with."""

import struct
from collections.abc import Callable
from typing import TypeVar

import msgspec

from beistand.domain.bounds import Count, Word
from beistand.domain.errors import Refused
from beistand.domain.message import Message
from beistand.domain.pair import PROTOCOL_VERSION
from beistand.domain.value import Value

LARGEST_FRAME = 1 << 20
T = TypeVar("T")


class Hello(Value, frozen=True, kw_only=True, tag="hello", tag_field="verb"):
    """First on every connection. `release` and `status` never change meaning over versions (F15)."""

    protocol: Count = PROTOCOL_VERSION
    version: Word
    """Of the program that asks."""
    pair: Word = ""
    """Pair id; the peer's channel only."""


class Welcome(Value, frozen=True, kw_only=True):
    protocol: Count
    version: Word


class Done(Value, frozen=True, kw_only=True):
    pass


class Answer(Value, frozen=True, kw_only=True):
    """The frame of every answer: a body, or an error with its message."""

    body: msgspec.Raw = msgspec.Raw(b"null")
    error: Message | None = None
    is_refusal: bool | msgspec.UnsetType = msgspec.UNSET
    """Of the error: it changed nothing. Only people are told: a peer of an older version knows no such field."""


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding may raise of a body that is no message: msgspec does not wrap all of it."""

_LENGTH = struct.Struct("!I")


def frame(value: Value) -> bytes:
    """Return the value as one frame.

    Raises Refused `frame-too-large` above 1 MiB.
    """
    body = msgspec.json.encode(value)
    if len(body) > LARGEST_FRAME:
        raise Refused("frame-too-large", bytes=len(body))
    return _LENGTH.pack(len(body)) + body


def read_frame(read_exactly: Callable[[int], bytes]) -> bytes:
    """Return the body of the next frame, b"" at the end, also where it came in the middle of one.

    `read_exactly(n)` returns n bytes, or less at the end. Raises Refused `frame-too-large`.
    """
    head = read_exactly(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return b""
    (length,) = _LENGTH.unpack(head)
    if length > LARGEST_FRAME:
        raise Refused("frame-too-large", bytes=length)
    body = read_exactly(length)
    return body if len(body) == length else b""


def open_answer(body: bytes, type_: type[T]) -> tuple[T | None, Answer]:
    """Return the body, None where there is an error, and the answer. Raises msgspec.ValidationError for neither."""
    answer = msgspec.json.decode(body, type=Answer)
    if answer.error is not None:
        return None, answer
    return msgspec.json.decode(answer.body, type=type_), answer
