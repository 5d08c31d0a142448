"""Histories of two real agents: a takeover ended at every one of its effects, then whatever happens at random."""

import os
import random
from contextlib import redirect_stderr
from pathlib import Path
from tempfile import TemporaryDirectory

from fakes.agents import TwoAgents
from fakes.fuse import silent_deaths
from fakes.histories import History, end_at
from torture.run import Run

STEPS = 60
"""Acts of one random history."""
MOST = 60
"""More effects than a takeover has on either side."""


def campaign(run: Run) -> None:
    """A case is one effect, or one random history; a failure shows it act by act."""
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        redirect_stderr(nowhere),  # what the agents log of each history
        silent_deaths(),
        TemporaryDirectory(prefix="beistand-walks-") as name,
    ):
        for who in "ab":
            for takes_power in (False, True):
                _every_effect(run, Path(name), who, takes_power=takes_power)
        number = 0
        while not run.is_over:
            number += 1
            seed = run.random.randrange(10**9)
            with run.case(f"history {number} (seed {seed})"), TemporaryDirectory(dir=name) as folder:
                _history(run, Path(folder), seed)


def _every_effect(run: Run, folder: Path, who: str, *, takes_power: bool) -> None:
    how = "loses its power" if takes_power else "is killed"
    for effect in range(0, MOST, run.every):
        for is_before in (True, False):
            is_ended = False
            side = "before" if is_before else "after"
            with run.case(f"{who} {how} {side} effect {effect}"):
                place = folder / f"{who}-{takes_power}-{effect}-{is_before}"
                is_ended = end_at(place, who, effect, is_before=is_before, takes_power=takes_power)
                run.injected(int(is_ended))
                run.recovered(2)
        if not is_ended:
            return


def _history(run: Run, folder: Path, seed: int) -> None:
    two = TwoAgents(folder)
    history = History(two, random.Random(seed))
    try:
        for _ in range(STEPS):
            history.step()
        history.check_end()
    except AssertionError as error:
        run.say(str(error))
        raise
    finally:
        run.injected(history.faults)
        two.stop()
    run.recovered()
