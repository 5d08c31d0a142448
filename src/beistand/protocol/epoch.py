"""The highest number of a grant that is known here; one that no clicks can have led to may be forgotten."""

from typing import Annotated

from msgspec import Meta

from beistand.domain.value import Value


class GetEpoch(Value, frozen=True, kw_only=True, tag="epoch", tag_field="verb"):
    pass


class ForgetEpoch(Value, frozen=True, kw_only=True, tag="epoch-forget", tag_field="verb"):
    """Forget it, where it is impossible. Nobody serves by it: that takes a click, as ever."""

    word: Annotated[str, Meta(max_length=40)]
    """`forget` or `vergessen`, typed by a person."""


class EpochView(Value, frozen=True, kw_only=True):
    epoch: str
    """In digits: a browser's numbers end before the numbers of an attacker do."""
    holder: str
    """Host name, an id where none is known; empty: nobody."""
    is_impossible: bool
