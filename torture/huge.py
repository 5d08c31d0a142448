"""F14: a million files, with every process of Beistand below 256 MB; and a takeover in the middle of their import.

Judged by the peak of each process, as the kernel counts it: a limit on a control group would count the disks of a
lab, which are memory, and RLIMIT_DATA the stacks that threads reserve and never touch.
"""

from __future__ import annotations

import time

from beistand_lab.demo.administrator import Administrator
from beistand_lab.errors import LabError
from beistand_lab.lab import Lab, wait_for
from e2e import switching
from torture.labs import lab
from torture.peaks import Peaks
from torture.run import Run

FILES = 1_000_000
MOST_MEGABYTES = 256
CYCLE_SECONDS = 7_200
SERVES_WITHIN_SECONDS = 60.0
"""From the click in the middle of an import to the answer over SIP: what the guide promises for a million files."""
TREE = "/var/spool/asterisk/monitor/archive"
MAKE = """
import os
for number in range(FILES):
    folder, name = divmod(number, 1000)
    if not name:
        os.makedirs(f"TREE/{folder:05}")
    with open(f"TREE/{folder:05}/{name:03}.txt", "w") as file:
        if not number % 10:
            file.write(str(number))
"""
CHANGE = """
import os
for number in range(0, FILES, 10):
    folder, name = divmod(number, 1000)
    with open(f"TREE/{folder:05}/{name:03}.txt", "w") as file:
        file.write(f"anew {number}")
"""
COUNT = """
import os
print(sum(len(files) for _, _, files in os.walk("TREE")))
"""


def campaign(run: Run) -> None:
    """The first cycle, one without changes, and one whose import the death of the active interrupts."""
    files = FILES // run.every
    with lab("huge", disk_size="3g", spool_size="8g") as booted:
        administrator = switching.prepare_pair(booted)
        with Peaks(booted) as peaks:
            with run.case(f"a first cycle of {files} files"):
                _first_cycle(run, administrator, files)
            with run.case("a cycle in which nothing changed"):
                _cycle(run, administrator)
            with run.case("a takeover in the middle of an import"):
                _takeover_midway(run, administrator, files)
        with run.case(f"no process above {MOST_MEGABYTES} MB"):
            _judge(run, peaks)


def _first_cycle(run: Run, administrator: Administrator, files: int) -> None:
    _python(administrator.lab, "a", MAKE, files)
    run.injected()
    _cycle(run, administrator)
    assert _count(administrator.lab, "b") == files


def _cycle(run: Run, administrator: Administrator) -> None:
    begin = time.monotonic()
    answer = administrator.ask("a", "cycle", timeout=CYCLE_SECONDS)
    assert answer.get("state") == "done", answer
    run.say(f"  {time.monotonic() - begin:.1f} s")
    run.recovered()


def _takeover_midway(run: Run, administrator: Administrator, files: int) -> None:
    booted = administrator.lab
    usable = administrator.status("b")["usable"]["generation"]["id"]
    _python(booted, "a", CHANGE, files)
    last = f"{TREE}/{(files - 10) // 1000:05}/{(files - 10) % 1000:03}.txt"
    first = f"{TREE}/00000/000.txt"
    before = booted.read("b", last)
    with booted.popen("a", ["beistand", "cycle"]):
        wait_for(lambda: _has(booted, first, b"anew 0"), CYCLE_SECONDS, "the import to begin")
        booted.off("a")
    run.injected()
    assert booted.read("b", last) == before, "the import was over before the cord was pulled"
    shown = switching.plan_with_verdict(administrator, "peer-gone")
    click = time.monotonic()
    answer = switching.confirm(administrator, shown, *switching.codes(shown))
    assert answer.get("state") == "done", answer
    seconds = time.monotonic() - click
    run.say(f"  click to the end of the takeover, the import taken back: {seconds:.1f} s")
    assert shown["generation"]["id"] == usable
    assert booted.read("b", first) == b"0"
    assert _count(booted, "b") == files
    assert seconds < SERVES_WITHIN_SECONDS, f"served after {seconds:.0f} s"
    run.recovered()


def _has(booted: Lab, path: str, content: bytes) -> bool:
    try:
        return booted.read("b", path) == content
    except LabError:
        return False  # the old one is put aside before the new one takes its name


def _judge(run: Run, peaks: Peaks) -> None:
    for which, megabytes in sorted(peaks.found.items()):
        run.say(f"  peak of {which}: {megabytes:.0f} MB")
    assert peaks.found
    assert max(peaks.found.values()) < MOST_MEGABYTES
    run.recovered()


def _python(booted: Lab, host: str, script: str, files: int) -> str:
    script = script.replace("FILES", str(files)).replace("TREE", TREE)
    return booted.sh(host, ["/usr/bin/python3", "-c", script], timeout=CYCLE_SECONDS).stdout


def _count(booted: Lab, host: str) -> int:
    return int(_python(booted, host, COUNT, 0))
