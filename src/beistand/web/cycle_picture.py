"""The last thirty cycles as a drawing: a bar for the time each took, below it one for what it sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from beistand.domain.generation import Copy, CopyState

CYCLES = 30
SLOT = 24
BAR = 16
UPPER = 90.0
"""Height of the longest bar of time, in units of the drawing."""
LOWER = 40.0
LEAST = 3.0
"""What took nearly no time is still to be seen."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One cycle, at its place from the left: oldest first."""

    copy: Copy
    x: float
    y: float
    height: float
    sent_height: float
    kind: str
    """good: proven, calm: imported, wait: under way, bad: failed."""

    @property
    def middle(self) -> float:
        return self.x + BAR / 2


@dataclass(frozen=True, kw_only=True)
class Picture:
    bars: tuple[Bar, ...]
    longest: float
    """Seconds of the highest bar."""
    most_sent: int
    """Bytes of the deepest bar; 0: this side does not know."""
    failed: int

    @property
    def newest_first(self) -> tuple[Bar, ...]:
        return tuple(reversed(self.bars))

    @property
    def width(self) -> int:
        return CYCLES * SLOT

    @property
    def height(self) -> float:
        return UPPER + 16 + (LOWER + 6 if self.most_sent else 0)

    @property
    def base(self) -> float:
        """Where the bars of time stand."""
        return UPPER + 12

    @property
    def below(self) -> float:
        return UPPER + 16


def picture(copies: Sequence[Copy]) -> Picture:
    """Draw the last cycles; `copies` are newest first."""
    drawn = list(reversed(copies[:CYCLES]))
    longest = max((each.seconds for each in drawn), default=0.0)
    most = max((each.bytes_on_wire for each in drawn), default=0)
    first = CYCLES - len(drawn)
    bars = []
    for at, copy in enumerate(drawn, first):
        height = max(LEAST, UPPER * copy.seconds / longest) if longest else LEAST
        sent = max(LEAST, LOWER * copy.bytes_on_wire / most) if copy.bytes_on_wire else 0.0
        bars.append(
            Bar(
                copy=copy,
                x=at * SLOT + (SLOT - BAR) / 2,
                y=round(UPPER + 12 - height, 1),
                height=round(height, 1),
                sent_height=round(sent, 1),
                kind=_kind(copy),
            )
        )
    failed = sum(each.state is CopyState.FAILED for each in drawn)
    return Picture(bars=tuple(bars), longest=longest, most_sent=most, failed=failed)


def _kind(copy: Copy) -> str:
    if copy.state is CopyState.PROVEN:
        return "good"
    if copy.state is CopyState.IMPORTED:
        return "calm"
    return "bad" if copy.state is CopyState.FAILED else "wait"
