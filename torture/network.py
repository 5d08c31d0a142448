"""Reloads, restarts and flaps of five network managers while active: how long the address was away (F26)."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from beistand_lab.lab import Lab, down
from beistand_lab.settings import MANAGERS
from beistand_lab.source_watch import SourceWatch
from e2e import flapping, switching
from torture.run import Run

NAME, SUBNET = "torture-network", "10.77.121.0/24"
ROUNDS = 5


def campaign(run: Run) -> None:
    """Everything that is done to each manager, several times, in a random order."""
    for manager in MANAGERS[:: run.every]:
        with _serving(run, manager) as lab:
            _torment(run, manager, lab)


def _torment(run: Run, manager: str, lab: Lab) -> None:
    acts = flapping.operations(lab, "a")
    order = [name for name in acts for _ in range(ROUNDS)]
    run.random.shuffle(order)
    seen: dict[str, list[flapping.Seen]] = defaultdict(list)
    with SourceWatch(lab.settings, "a") as inside, lab.sip_probe(lab.settings.service_address) as outside:
        for name in order:
            with run.case(f"{manager}: {name}"):
                run.injected()
                found = flapping.watched(lab, "a", acts[name], inside, outside)
                seen[name].append(found)
                assert found.longest < flapping.BUSY_SECONDS, found.gaps
                run.recovered()
    _tell(run, seen)
    with run.case(f"{manager}: half of all gaps within {flapping.IDLE_SECONDS * 1000:.0f} ms"):
        gaps = [each.seconds for several in seen.values() for one in several for each in one.gaps]
        assert median(gaps) <= flapping.IDLE_SECONDS, sorted(gaps)


def _tell(run: Run, seen: dict[str, list[flapping.Seen]]) -> None:
    run.say(f"    {'operation':28} {'gaps':>5} {'median':>7} {'95 %':>7} {'worst':>7}   silence   load")
    for name, several in seen.items():
        gaps = sorted(each.seconds * 1000 for one in several for each in one.gaps) or [0.0]
        nearly = gaps[min(len(gaps) - 1, int(len(gaps) * 0.95))]
        silence = max(each.silence for each in several)
        figures = f"{len(gaps):5} {median(gaps):4.0f} ms {nearly:4.0f} ms {gaps[-1]:4.0f} ms"
        run.say(f"    {name:28} {figures} {silence:7.2f} s {os.getloadavg()[0]:6.1f}")


@contextmanager
def _serving(run: Run, manager: str) -> Iterator[Lab]:
    run.say(f"  {manager}")
    down(NAME)
    try:
        lab = Lab.up(NAME, SUBNET, manager=f"{manager},systemd-networkd")
        switching.prepare_pair(lab)
        yield lab
    finally:
        down(NAME)
