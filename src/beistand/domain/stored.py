"""Reading what an earlier version stored, when the words of a peer had no bounds yet.

A number or a text outside its bounds is brought to them, so that nothing of the state is lost for one word in it: the
next greeting, or the next push of the active, replaces it. What is wrong in any other way stays refused.
"""

from datetime import datetime
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

T = TypeVar("T")
_KINDS: dict[type, tuple[type, ...]] = {
    dict: (inspect.StructType, inspect.DictType),
    list: (inspect.VarTupleType, inspect.ListType),
    str: (inspect.StrType, inspect.DateTimeType),
    int: (inspect.IntType, inspect.FloatType),
    float: (inspect.FloatType,),
}
"""What each thing of a document may be in a type with alternatives."""


def read(body: bytes, type_: type[T]) -> T:
    """Return a stored document. Raises msgspec.DecodeError where it is none, or is wrong otherwise than in bounds."""
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError:
        fitted = _fitted(msgspec.json.decode(body), inspect.type_info(type_))
        return msgspec.json.decode(msgspec.json.encode(fitted), type=type_)


def _fitted(raw: Any, found: inspect.Type) -> Any:
    """Return `raw` within the bounds of this type; as it is where it is nothing of the kind."""
    if isinstance(found, inspect.UnionType):
        return _fitted_to_one(raw, found)
    if isinstance(raw, dict):
        return _fitted_items(raw, found)
    if isinstance(raw, list) and isinstance(found, inspect.VarTupleType | inspect.ListType):
        return [_fitted(each, found.item_type) for each in raw[: found.max_length]]
    if isinstance(raw, str):
        return _fitted_text(raw, found)
    if isinstance(raw, int | float) and isinstance(found, inspect.IntType | inspect.FloatType):
        return _fitted_number(raw, found)
    return raw


def _fitted_to_one(raw: Any, found: inspect.UnionType) -> Any:
    fits = [each for each in found.types if isinstance(each, _KINDS.get(type(raw), ()))]
    for each in fits:
        if (
            not isinstance(each, inspect.StructType)
            or each.tag_field is None
            or raw.get(each.tag_field) == each.tag
        ):
            return _fitted(raw, each)
    return raw


def _fitted_items(raw: dict[str, Any], found: inspect.Type) -> dict[str, Any]:
    if isinstance(found, inspect.StructType):
        types = {each.encode_name: each.type for each in found.fields}
        return {key: _fitted(each, types[key]) if key in types else each for key, each in raw.items()}
    if isinstance(found, inspect.DictType):
        kept = list(raw.items())[: found.max_length]
        return {_fitted(key, found.key_type): _fitted(each, found.value_type) for key, each in kept}
    return raw


def _fitted_text(raw: str, found: inspect.Type) -> str:
    if isinstance(found, inspect.StrType):
        return raw[: found.max_length]
    if isinstance(found, inspect.DateTimeType) and found.tz:
        try:
            return raw if datetime.fromisoformat(raw).tzinfo else f"{raw}Z"
        except ValueError:
            return raw
    return raw


def _fitted_number(raw: float, found: inspect.IntType | inspect.FloatType) -> float:
    if found.ge is not None and raw < found.ge:
        return found.ge
    return found.le if found.le is not None and raw > found.le else raw
