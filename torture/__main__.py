"""`python -m torture`: run the campaigns; the last line is `N passed, N failed`, and 0 means that none failed."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from random import SystemRandom

from torture.run import Run, Tally

sys.path.insert(0, "tests")  # scenarios are shared with the tests, which are no package of their own
from torture.campaigns import CAMPAIGNS, campaign, title

MINUTES = 10.0
"""Of each campaign of random schedules, where nothing else is asked for."""


def main() -> int:
    given = _arguments()
    if given.list:
        for name in CAMPAIGNS:
            print(f"{name:20} {title(name)}")
        return 0
    if os.geteuid() != 0:
        print("torture boots labs and traces processes: run it as root", file=sys.stderr)
        return 2
    print(f"seed {given.seed}, {given.minutes:g} minutes for each campaign of random schedules", flush=True)
    total = Tally()
    for name in given.only or CAMPAIGNS:
        total += _done(Run(name, given.seed, given.minutes * 60, given.every, given.all_calls, _say))
    for line in total.failed:
        print(f"✗ {line}")
    print(
        f"{total.injected} faults injected, {total.recovered} recoveries checked, {len(total.failed)} failed"
    )
    print(f"{total.passed} passed, {len(total.failed)} failed", flush=True)
    return 1 if total.failed or not total.cases else 0


def _done(run: Run) -> Tally:
    begin = time.monotonic()
    run.say(f"{run.name}:")
    try:
        campaign(run.name)(run)
    except Exception as error:  # noqa: BLE001  the edge of a campaign: the others still run
        run.tally.cases += 1
        run.tally.failed.append(f"{run.name}: ended early: {error}")
        run.say(traceback.format_exc())
    tally = run.tally
    if not tally.cases:
        tally.cases, tally.failed = 1, [f"{run.name}: no case was run"]
    run.say(
        f"  {tally.cases} cases, {tally.injected} faults injected, {tally.recovered} recoveries checked, "
        f"{len(tally.failed)} failed, {time.monotonic() - begin:.0f} s"
    )
    return tally


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="duration of each random campaign")
    parser.add_argument(
        "--seed", type=int, default=SystemRandom().randrange(10**6), help="see a failure again"
    )
    parser.add_argument("--only", action="append", choices=list(CAMPAIGNS), help="this campaign; repeatable")
    parser.add_argument("--every", type=int, default=1, help="take each Nth point only (a quick look)")
    parser.add_argument(
        "--all-calls", action="store_true", help="kill at calls that change nothing, too (hours)"
    )
    parser.add_argument("--list", action="store_true", help="name the campaigns")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
