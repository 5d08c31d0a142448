"""F1: the power is cut at the points of an operation, and all that was not synced by then is lost with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from beistand_lab.lab import Lab
from beistand_lab.system_calls import Point
from e2e.killing import Harm, Killing, Takeover
from e2e.killing_cycles import Backup, Import
from e2e.power_cut import Done, loss, take_away
from e2e.setting_up import Machine
from e2e.tracing import existing_on, places_of
from torture.labs import lab, undisturbed_pair
from torture.run import Run

Act = Callable[[], None]
OPERATIONS: tuple[type[Killing], ...] = (Import, Backup, Takeover)
USUAL_EVERY = 3
"""Two boots for each point take their time: so many points are passed over where nothing else is asked for."""


def campaign(run: Run) -> None:
    """At each point once with everything lost, and once with the names kept and their contents lost."""
    with lab("cuts-setup") as booted:
        _setups(run, Machine(booted, booted.settings.manager_of("a")))
    with lab("cuts") as booted:
        undisturbed_pair(booted)
        for kind in OPERATIONS:
            operation = kind(booted)
            operation.prepare()
            points = _of_disk(operation.listed())
            taken = points[:: max(USUAL_EVERY, run.every)]
            run.say(f"  {operation.name}: {len(taken)} of {len(points)} points")
            for number, point in enumerate(taken):
                _cut(run, booted, operation, point, keeps_names=number % 2 == 1)


def _setups(run: Run, machine: Machine) -> None:
    """Of a setup and of its way back; whatever was lost, everything is as it was at the end."""
    machine.begin()
    acts: dict[str, tuple[Act, Act]] = {
        "setup": (machine.end_at_the_begin, machine.try_start),
        "its way back": (lambda: _confirmed(machine), machine.try_undo),
    }
    for name, (prepare, act) in acts.items():
        prepare()
        points = _of_disk(machine.points(act))
        machine.end_at_the_begin()
        taken = points[:: max(USUAL_EVERY, run.every)]
        run.say(f"  {name}: {len(taken)} of {len(points)} points")
        for number, point in enumerate(taken):
            keeps_names = number % 2 == 1
            with run.case(f"{name}: power cut at {point}, unsynced {_lost_words(keeps_names)} lost"):
                machine.end_at_the_begin()
                prepare()
                if machine.killed(point, act, power=True, harm=_harm(machine.lab, "a", keeps_names)):
                    run.injected(2)
                machine.end_at_the_begin()
                # Once more: what the way back removed has to be gone on the disk, too.
                machine.cut_power()
                machine.assert_as_before()
                run.recovered(2)


def _confirmed(machine: Machine) -> None:
    machine.start()
    assert machine.confirm()["stage"] == "confirmed"


def _of_disk(points: list[Point]) -> list[Point]:
    return [each for each in points if "/var/" in each.call or "/etc/" in each.call]


def _lost_words(keeps_names: bool) -> str:
    return "contents" if keeps_names else "names and contents"


def _harm(booted: Lab, host: str, keeps_names: bool) -> Harm:
    """Return what takes from the disk of a host all that its agent, from now on, does not sync."""
    places, existing = places_of(booted, host), existing_on(booted, host)

    def harm(journal: list[Done]) -> None:
        lost = loss(journal, places, existing)
        take_away(booted, host, replace(lost, names=[]) if keeps_names else lost)

    return harm


def _cut(run: Run, booted: Lab, operation: Killing, point: Point, *, keeps_names: bool) -> None:
    with run.case(f"{operation.name}: power cut at {point}, unsynced {_lost_words(keeps_names)} lost"):
        operation.prepare()
        if operation.cut_off(point, _harm(booted, operation.victim, keeps_names)):
            run.injected(2)
            run.recovered(2)
        else:
            run.tally.cases -= 1  # nothing was injected
