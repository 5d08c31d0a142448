"""F1: the power is cut at the points of an operation, and all that was not synced by then is lost with it."""

from __future__ import annotations

from dataclasses import replace

from beistand_lab.lab import Lab
from beistand_lab.system_calls import Point
from e2e.killing import Killing, Takeover
from e2e.killing_cycles import Backup, Import
from e2e.power_cut import Done, loss, take_away
from e2e.tracing import existing_on, places_of
from torture.labs import lab, undisturbed_pair
from torture.run import Run

OPERATIONS: tuple[type[Killing], ...] = (Import, Backup, Takeover)
USUAL_EVERY = 3
"""Two boots for each point take their time: so many points are passed over where nothing else is asked for."""


def campaign(run: Run) -> None:
    """At each point once with everything lost, and once with the names kept and their contents lost."""
    with lab("cuts") as booted:
        undisturbed_pair(booted)
        for kind in OPERATIONS:
            operation = kind(booted)
            operation.prepare()
            points = [each for each in operation.listed() if "/var/" in each.call or "/etc/" in each.call]
            taken = points[:: max(USUAL_EVERY, run.every)]
            run.say(f"  {operation.name}: {len(taken)} of {len(points)} points")
            for number, point in enumerate(taken):
                _cut(run, booted, operation, point, keeps_names=number % 2 == 1)


def _cut(run: Run, booted: Lab, operation: Killing, point: Point, *, keeps_names: bool) -> None:
    what = "contents" if keeps_names else "names and contents"
    with run.case(f"{operation.name}: power cut at {point}, unsynced {what} lost"):
        operation.prepare()
        host = operation.victim
        places, existing = places_of(booted, host), existing_on(booted, host)

        def harm(journal: list[Done]) -> None:
            lost = loss(journal, places, existing)
            take_away(booted, host, replace(lost, names=[]) if keeps_names else lost)

        if operation.cut_off(point, harm):
            run.injected(2)
            run.recovered(2)
        else:
            run.tally.cases -= 1  # nothing was injected
