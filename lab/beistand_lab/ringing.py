"""When everything rings after a takeover, as the phones and the provider of a house see it (SPEC B14)."""

from __future__ import annotations

import dataclasses
import time

from beistand_lab.commands import wait_for
from beistand_lab.errors import ConditionNotMet
from beistand_lab.house import QUEUE, House
from beistand_lab.lab import Lab

CALLER = 1150
"""Calls the queue; no member of it, and nobody watches it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rings:
    """Epoch seconds of what was seen; whatever is missing did not happen in the time it was given."""

    called: float
    """The queue, by the caller."""
    phones: dict[str, float]
    """Each phone's first OPTIONS, which it answers."""
    lamps: dict[tuple[str, str], float]
    """For watcher and watched, the first NOTIFY that says the watched phone is ready."""
    members: dict[str, float]
    """Each member of the queue, when it rang first."""
    trunks: dict[int, float]
    """Each trunk, by its provider's port, when it was registered first."""


def prepare(lab: Lab, house: House, seconds: float) -> None:
    """Registers all phones of the farm for an hour at most, lights the lamps, and sees that the trunks are there."""
    farm, provider = lab.farm(), lab.provider()
    farm.register(seconds=seconds)
    begin = farm.subscribe(house.watched, seconds=seconds)
    ready = {(str(watcher), str(number)) for watcher, number in house.watched}
    wait_for(lambda: lit(lab, begin).keys() == ready, seconds, "all lamps")
    wait_for(lambda: provider.registered().keys() == {*house.provider_ports}, seconds, "all trunks")


def lit(lab: Lab, after: float) -> dict[tuple[str, str], float]:
    """For each lamp when it was told first, since a time, that its phone is ready."""
    first: dict[tuple[str, str], float] = {}
    for event in lab.farm().events(after, "NOTIFY"):
        if event["event"] == "presence" and event["state"] == "Ready":
            first.setdefault((event["number"], event["entity"]), event["time"])
    return first


def watch(lab: Lab, house: House, after: float, seconds: float) -> Rings:
    """Calls the queue now, and gathers what happens until all of it has happened, for so many seconds at most."""
    farm, provider = lab.farm(), lab.provider()
    phones = sum(each["on"] for each in farm.phones().values())
    farm.answer(answers=False)
    called = time.time()
    dialled = farm.call(CALLER, QUEUE, then="keep")

    def now() -> Rings:
        asked: dict[str, float] = {}
        for event in farm.events(after, "OPTIONS"):
            asked.setdefault(event["number"], event["time"])
        return Rings(
            called=called,
            phones=asked,
            lamps=lit(lab, after),
            members=farm.rung(dialled, CALLER),
            trunks=provider.registered(after),
        )

    def are_all_there() -> bool:
        seen = now()
        counts = (len(seen.phones), len(seen.lamps), len(seen.members), len(seen.trunks))
        return counts == (phones, house.lamps, house.queue_members, house.trunks)

    try:
        wait_for(are_all_there, seconds, "everything to ring")
    except ConditionNotMet:
        return now()  # whoever asked judges what is missing
    finally:
        farm.hang_up([CALLER])
        farm.answer(answers=True)
    return now()
