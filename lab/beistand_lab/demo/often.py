"""The demo many times in a row: a line for each run, and what all of them add up to."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from beistand_lab.demo import story
from beistand_lab.errors import LabError
from beistand_lab.lab import down
from beistand_lab.settings import BUILD, PROJECT

FOLDER = BUILD.parent / "demo-often"
FIGURES = {
    "click_to_sip_seconds": "sip",
    "click_to_call_seconds": "call",
    "queue_rings_seconds": "queue",
    "lamp_right_seconds": "lamp",
    "trunk_registered_seconds": "trunk",
    "seconds": "whole",
}
"""Of a run's JSON, and what each is called in its line."""
# It ends by itself when whoever started it is gone.
_BUSY = (
    "import os, sys\nwhile os.getppid() == int(sys.argv[1]):\n    for _ in range(1_000_000):\n        pass\n"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """One demo: `failed` names the claims that were not seen, or what broke it off; `load` is the machine's."""

    number: int
    failed: tuple[str, ...]
    figures: dict[str, float]
    load: float
    text: Path | None = None
    """Where a red run's whole text is."""

    def line(self) -> str:
        shown = "  ".join(f"{word} {_shown(self.figures.get(name))}" for name, word in FIGURES.items())
        word = "red" if self.failed else "ok "
        told = f"  NOT SEEN: {', '.join(self.failed)}; {self.text}" if self.failed else ""
        return f"{self.number:4}  {word}  {shown}  load {self.load:.1f}{told}"


def tell_often(place: tuple[str, str], say: Callable[[str], None], *, times: int, busy: int = 0) -> int:
    """Run the demo so many times in a lab of this name and subnet, beside so many busy loops; 1 if any was red."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in (*FOLDER.glob("*.json"), *FOLDER.glob("*.txt")):
        old.unlink()
    runs: list[Run] = []
    with busy_loops(busy):
        try:
            for number in range(1, times + 1):
                runs.append(one_run(number, place))
                say(runs[-1].line())
        except KeyboardInterrupt:
            down(place[0])  # it may have been in the middle of its begin
            say("stopped; nothing of the lab is left")
        finally:
            say(summary(runs, busy))
    return 1 if len(runs) < times or any(run.failed for run in runs) else 0


def one_run(number: int, place: tuple[str, str]) -> Run:
    """One demo from the first boot to the end of its lab; its JSON is kept, and its text where it is red."""
    result, text = FOLDER / f"{number:03}.json", FOLDER / f"{number:03}.txt"
    lines: list[str] = []
    failed: list[str] = []
    try:
        story.tell(*place, lines.append, result=result)
    except (LabError, OSError, ValueError, LookupError) as error:  # a run that breaks off is a red one
        failed.append(f"{type(error).__name__}: {error}")
        lines.append(failed[-1])
    body: dict[str, Any] = json.loads(result.read_text()) if result.exists() else {}
    failed = [*body.get("failed", ()), *failed]
    if failed:
        text.write_text("\n".join(lines) + "\n")
    return Run(
        number=number,
        failed=tuple(failed),
        figures={name: body[name] for name in FIGURES if isinstance(body.get(name), int | float)},
        load=os.getloadavg()[0],
        text=text.relative_to(PROJECT) if failed else None,
    )


@contextlib.contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """So many processes that take a core each, for as long as this lasts."""
    argv = [sys.executable, "-c", _BUSY, str(os.getpid())]
    loops = [subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def summary(runs: Sequence[Run], busy: int = 0) -> str:
    """How many were red and why; smallest, middle and largest of each figure."""
    red = [run for run in runs if run.failed]
    beside = f"beside {busy} busy loops" if busy else "nothing beside it"
    lines = [f"{len(runs)} runs, {beside}, {len(red)} red; {time.strftime('%Y-%m-%d %H:%M')}"]
    for claim in sorted({claim for run in red for claim in run.failed}):
        numbers = ", ".join(str(run.number) for run in red if claim in run.failed)
        lines.append(f"  not seen: {claim} (run {numbers})")
    for name, word in FIGURES.items():
        seen = sorted(run.figures[name] for run in runs if name in run.figures)
        if seen:
            middle = statistics.median(seen)
            lines.append(f"  {word:6} min {_shown(seen[0])}  median {_shown(middle)}  max {_shown(seen[-1])}")
    return "\n".join(lines)


def _shown(value: float | None) -> str:
    return "    -" if value is None else f"{value:5.2f}"
