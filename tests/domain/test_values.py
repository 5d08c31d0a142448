"""Every value of the program is immutable, built by keyword, and refuses what it does not know."""

import importlib
import inspect
import pkgutil

import pytest

import beistand
from beistand.domain.value import Value


@pytest.fixture(scope="module")
def values() -> list[type[Value]]:
    for module in pkgutil.walk_packages(beistand.__path__, "beistand."):
        importlib.import_module(module.name)
    found: list[type[Value]] = []
    ahead: list[type[Value]] = [Value]
    while ahead:
        kind = ahead.pop()
        found.append(kind)
        ahead += kind.__subclasses__()
    return found


def test_every_value_is_frozen_by_keyword_and_strict(values: list[type[Value]]) -> None:
    assert len(values) > 50
    wrong = {
        each.__qualname__
        for each in values
        if not (each.__struct_config__.frozen and each.__struct_config__.forbid_unknown_fields)
        or any(each.kind is not each.KEYWORD_ONLY for each in inspect.signature(each).parameters.values())
    }
    assert wrong == set()
