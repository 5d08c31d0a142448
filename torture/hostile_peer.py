"""A broken-in peer that says anything, for as long as the campaign lasts; after each speech a takeover must work."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from shutil import rmtree

from torture.run import Run

SPEECHES = 500
WORDS = 200


def speeches(run: Run) -> None:
    """Each speech is heard by a pair of its own; a seed says it again."""
    from fuzz.hostile_words import Liar

    for number in range(max(5, SPEECHES // run.every)):
        with run.case(f"speech {number} of a broken-in peer"):
            folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
            liar = Liar(folder, random.Random(f"{run.seed}/{number}"))
            try:
                for _ in range(WORDS):
                    liar.says()
                run.injected(liar.refused + liar.taken)
                liar.is_survived()
                run.recovered(liar.refused + liar.taken)
            finally:
                liar.ends()
                rmtree(folder)
