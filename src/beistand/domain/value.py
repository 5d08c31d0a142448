"""The base of everything that is only data."""

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Immutable data; an unknown key in a file or a message is an error, never ignored.

    Every subclass repeats `frozen=True, kw_only=True`: type checkers do not inherit
    them, and Python does not inherit kw_only. tests/domain/test_values.py checks it.
    """
