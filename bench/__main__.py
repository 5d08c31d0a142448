"""`python -m bench`: measure, print the tables, write build/bench.json. Exit status 0 says: all was measured."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from beistand.adapters.store import EVENTS_KEPT
from beistand_lab.errors import LabError
from bench import cycle, house, pages, takeover
from bench.figures import Report
from bench.noise import Noise, machine
from bench.pair import Where

FILE = Path("build/bench.json")
PEERS = (["rsync", "--version"], ["borg", "--version"], ["restic", "version"])


def main() -> int:
    given = _arguments()
    report, noise = Report(), Noise()
    where = Where(name=given.name, subnet=given.subnet)
    size = cycle.Size(
        files=given.files or (3_000 if given.small else 60_000),
        seed=given.seed,
        quiet_runs=2 if given.small else 5,
        rounds=1 if given.small else 3,
    )
    pages_size = (
        pages.Size(rounds=1, asked=2, lines=250)
        if given.small
        else pages.Size(rounds=5, asked=10, lines=EVENTS_KEPT)
    )
    runs = given.takeovers if given.takeovers is not None else (1 if given.small else 4)
    begin, loads = time.monotonic(), os.getloadavg()
    try:
        if given.only in (None, "pages"):
            pages.measure(pages_size, report, noise, _say)
        if given.only in (None, "takeover") and runs:
            takeover.measure(where, runs, report, noise, _say)
        if given.only in (None, "house") and runs:
            size_of_house = (
                house.Size(takeovers=1, cycles=12, many=1000)
                if given.small
                else house.Size(takeovers=3, cycles=12, many=1000)
            )
            house.measure(where, size_of_house, report, noise, _say)
        if given.only in (None, "cycle"):
            cycle.measure(where, size, report, noise, _say)
    except LabError as error:
        _say(f"not measured to the end: {error}\n{error.hint}")
        return 1
    noise.tell(report)
    facts = {
        **machine(),
        "load_at_begin": loads,
        "load_at_end": os.getloadavg(),
        "seconds": round(time.monotonic() - begin),
        "seed": size.seed,
        "files": size.files,
        "peers": [_first_line(each) for each in PEERS] if given.only in (None, "cycle") else [],
    }
    _write(given.file, facts, report)
    print("\n".join(f"{name}: {value}" for name, value in facts.items()), end="\n\n")
    print(report.table())
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--small", action="store_true", help="little data, few runs: does it work at all?")
    parser.add_argument("--files", type=int, help="small files in the tree (60,000)")
    parser.add_argument("--seed", type=int, default=1, help="of the generator: the same seed, the same tree")
    parser.add_argument("--takeovers", type=int, help="how many (4)")
    parser.add_argument("--only", choices=("pages", "takeover", "house", "cycle"))
    parser.add_argument("--file", type=Path, default=FILE, help="for every single run (build/bench.json)")
    parser.add_argument("--name", default="bench", help="of the lab")
    parser.add_argument("--subnet", default="10.77.41.0/24", help="of the lab")
    return parser.parse_args()


def _write(file: Path, facts: dict[str, object], report: Report) -> None:
    file.parent.mkdir(exist_ok=True)
    document = {
        "machine": facts,
        "pages": [dataclasses.asdict(each) for each in report.pages],
        "figures": [each.json() for each in report.figures],
        "targets": [each.json() for each in report.targets],
    }
    file.write_text(json.dumps(document, indent=2) + "\n")


def _first_line(argv: list[str]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
