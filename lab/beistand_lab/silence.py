"""How long whoever asks again and again got no answer, from when each question was asked and answered."""

from __future__ import annotations

from collections.abc import Iterable

Question = tuple[float, float | None]
"""When it was asked and when it was answered, in epoch seconds; None: it was not."""


def longest_silence(questions: Iterable[Question], begin: float, end: float) -> float:
    """Seconds between two epoch times in which a question waited for its answer or that of a later one, at most.

    Only what was asked counts: an observer to whom a busy machine gave no time to ask says nothing of the other.
    """
    longest, heard = 0.0, end
    for asked, answered in sorted(questions, key=lambda each: each[0], reverse=True):
        heard = min(heard, end if answered is None else answered)
        longest = max(longest, heard - max(asked, begin))
    return longest
