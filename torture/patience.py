"""The five minutes between two tries of a cycle (S10), really waited for."""

from beistand_lab.lab import Lab
from e2e import next_try
from e2e.pairing_up import cycle, paired
from torture.labs import lab
from torture.run import Run


def campaign(run: Run) -> None:
    """One failed try of the schedule, and the next."""
    with lab("patience") as booted, run.case("the next try comes after five real minutes"):
        _wait(run, booted)


def _wait(run: Run, booted: Lab) -> None:
    pair = paired(booted)
    pair.run("a", "config", "set", "attempts=2")
    cycle(pair)
    run.injected()
    next_try.fail_and_come_back(booted, pair)
    run.recovered()
