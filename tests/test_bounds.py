"""Every number, text and list that crosses the pair's channel has its bounds in its type."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest

from beistand.domain.job import Job
from beistand.domain.pair import Greeting
from beistand.protocol import (
    Accepted,
    AcceptPair,
    Answer,
    Done,
    OfferAnswer,
    PeerRequest,
    Welcome,
)

CROSSING = (*get_args(PeerRequest), Greeting, Job, OfferAnswer, Done, Welcome, Answer, Accepted, AcceptPair)
"""What the peer asks, and what it answers; at pairing, too."""


def unbounded(type_: Any) -> Iterator[str]:
    """Yield the place of each leaf that anything may stand in."""
    yield from _of(msgspec.inspect.type_info(type_), type_.__name__, ())


def _of(found: msgspec.inspect.Type, place: str, around: tuple[Any, ...]) -> Iterator[str]:
    inspect = msgspec.inspect
    if isinstance(found, inspect.StructType):
        if found.cls in around:
            return
        for field in found.fields:
            yield from _of(field.type, f"{found.cls.__name__}.{field.name}", (*around, found.cls))
    elif isinstance(found, inspect.UnionType):
        for each in found.types:
            yield from _of(each, place, around)
    elif isinstance(found, inspect.IntType | inspect.FloatType):
        low, high = (found.ge, found.gt), (found.le, found.lt)
        if low == (None, None) or high == (None, None):
            yield place
    elif isinstance(found, inspect.StrType | inspect.BytesType):
        if found.max_length is None and getattr(found, "pattern", None) is None:
            yield place
    elif isinstance(found, inspect.VarTupleType | inspect.ListType | inspect.CollectionType):
        yield from ([place] if found.max_length is None else [])
        yield from _of(found.item_type, f"{place}[]", around)
    elif isinstance(found, inspect.DictType):
        yield from ([place] if found.max_length is None else [])
        yield from _of(found.key_type, f"{place}{{}}", around)
        yield from _of(found.value_type, f"{place}{{}}", around)
    elif (isinstance(found, inspect.DateTimeType) and found.tz is not True) or isinstance(
        found, inspect.AnyType
    ):
        yield place


@pytest.mark.parametrize("type_", CROSSING, ids=lambda each: each.__name__)
def test_what_crosses_the_channel_is_bounded(type_: Any) -> None:
    assert sorted(set(unbounded(type_))) == []


def test_the_walk_finds_what_is_not_bounded() -> None:
    class Inner(msgspec.Struct):
        many: tuple[int, ...]
        name: str | None

    class Outer(msgspec.Struct):
        inner: Inner
        fields: dict[str, float]

    assert set(unbounded(Outer)) >= {
        *("Inner.many", "Inner.many[]", "Inner.name", "Outer.fields", "Outer.fields{}"),
    }
