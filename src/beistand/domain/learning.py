"""What one appliance learns from the other about a copy, so that both say the same (B1)."""

from beistand.domain.generation import Copy, CopyState

USABLE = (CopyState.IMPORTED, CopyState.PROVEN)
ON_THE_WAY = (CopyState.TAKEN, CopyState.TRANSFERRED)


def learnt_by_source(mine: Copy | None, theirs: Copy) -> Copy | None:
    """Return what the appliance that took the generation records now; None: its record stays.

    What became of it there is known there: also when the line broke before we were told. One that no
    cycle brought there came as a file (S16).
    """
    if mine is None:
        return theirs if theirs.state in USABLE else None
    is_news = theirs.state in USABLE or (
        theirs.state is CopyState.FAILED and mine.state is not CopyState.FAILED
    )
    if mine.state in USABLE or not is_news:
        return None
    return _with_figures(theirs, mine)


def learnt_by_receiver(mine: Copy | None, theirs: Copy, *, is_live: bool) -> Copy | None:
    """Return what the appliance that receives records now; None: its record stays.

    Only it knows what is imported here; all else, the cycles too that never reached it, the source knows.
    """
    if mine is None or mine.state in ON_THE_WAY:
        is_true = theirs.state not in USABLE or is_live
    else:
        is_true = theirs.state is mine.state
    return theirs if is_true and theirs != mine else None


def _with_figures(copy: Copy, figures: Copy) -> Copy:
    return Copy(
        generation=copy.generation,
        state=copy.state,
        at=copy.at,
        failed_stage=copy.failed_stage,
        why=copy.why,
        asked=figures.asked,
        seconds=figures.seconds,
        bytes_on_wire=figures.bytes_on_wire,
    )
