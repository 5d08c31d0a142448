"""F12: lines that fall silent, flap, and come back, in the middle of a cycle and of a takeover."""

from beistand_lab.lab import Lab
from e2e import lines, switching
from torture.labs import lab
from torture.run import Run


def campaign(run: Run) -> None:
    """Each kind of line once, in one lab."""
    with lab("lines") as booted:
        _all(run, booted)


def _all(run: Run, booted: Lab) -> None:
    pair = switching.prepare_pair(booted)
    for disturbed in (lines.stall_shortly, lines.flap, lines.fall_silent):
        with run.case(disturbed.__name__.replace("_", " ")):
            run.injected()
            disturbed(pair)
            run.recovered()
    with run.case("a takeover whose line falls silent"):
        run.injected()
        seconds = lines.lose_the_line_in_a_takeover(pair)
        run.say(f"  told after {seconds:.1f} s")
        run.recovered()
