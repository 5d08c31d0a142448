"""Which restore points stay (B7)."""

import msgspec

from beistand.domain.imports import Lineage


def retained(lineage: Lineage, keep: int) -> Lineage:
    """Return the lineage with at most `keep` (1 or more) undos up to the live point.

    So many generations can be gone back to; the oldest undo goes first. The live point and everything
    newer always stay. The undo of a first import leads to what stood there before, and counts too.
    """
    if lineage.live < 0:
        return lineage
    end = lineage.live
    while end >= 0 and lineage.live - end < keep and lineage.points[end].undo:
        end -= 1
    lowest = max(end, 0)
    points = list(lineage.points[lowest:])
    if end >= 0:
        points[0] = msgspec.structs.replace(points[0], undo="")
    return msgspec.structs.replace(lineage, points=tuple(points), live=lineage.live - lowest)
