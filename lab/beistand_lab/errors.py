"""What a person is told when the lab cannot do something: one line, and one that helps."""

from __future__ import annotations


class LabError(Exception):
    """An expected failure. `str()` is the one line; `hint` says what to do, and may be empty."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


class ConditionNotMet(LabError):
    """A wait ended before its condition held."""
