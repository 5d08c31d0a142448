"""F14: a million files, with every process of Beistand below 256 MB; a kill and a takeover in the middle of an import.

Judged by the peak of each process, as the kernel counts it: a limit on a control group would count the disks of a
lab, which are memory, and RLIMIT_DATA the stacks that threads reserve and never touch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from beistand.domain.waits import MANY_FILES, MOVE_SECONDS
from beistand_lab.demo.administrator import Administrator
from beistand_lab.errors import LabError
from beistand_lab.following import UNIT
from beistand_lab.lab import Lab, wait_for
from e2e import switching
from e2e.asking import status, wait_for_state
from torture.labs import lab
from torture.peaks import Peaks
from torture.run import Run

FILES = 1_000_000
MOST_MEGABYTES = 256
CYCLE_SECONDS = 7_200
BESIDE_SECONDS = 30.0
"""What a takeover takes beside the files: the probe, the start of the PBX, and what the disk still has to write."""
TREE = "/var/spool/asterisk/monitor/archive"
PATH = """
import os
def path(number):
    folder, name = divmod(number, 1000)
    return f"TREE/{folder:05}/{name:03}.txt"
"""
MAKE = (
    PATH
    + """
for number in range(FILES):
    if not number % 1000:
        os.makedirs(os.path.dirname(path(number)))
    with open(path(number), "w") as file:
        if not number % 10:
            file.write(str(number))
"""
)
CHANGE = (
    PATH
    + """
for number in range(FILES):
    if number % 10:
        os.chmod(path(number), MODE)
    else:
        with open(path(number), "w") as file:
            file.write(f"WORD {number}")
"""
)
"""All of them: each is renamed twice, whether its content has changed or its mode alone."""
COUNT = """
import os
print(sum(len(files) for _, _, files in os.walk("TREE")))
"""


def campaign(run: Run) -> None:
    """A first cycle, one without changes, and two whose import is cut short: by a kill, by the death of the active."""
    files = FILES // run.every
    with lab("huge", disk_size="3g", spool_size="8g") as booted:
        administrator = switching.prepare_pair(booted)
        administrator.run("a", "config", "set", "attempts=1")
        with Peaks(booted) as peaks:
            with run.case(f"a first cycle of {files} files"):
                _first_cycle(run, administrator, files)
            with run.case("a cycle in which nothing changed"):
                _cycle(run, administrator)
            with run.case("a kill in the middle of an import of all files"):
                _killed_midway(run, administrator, files)
            with run.case("a takeover in the middle of an import of all files"):
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


def _killed_midway(run: Run, administrator: Administrator, files: int) -> None:
    """It says so while it recovers, and until when; then the old data is there, whole."""
    booted = administrator.lab
    with _half_imported(administrator, files, "once", "0o600"):
        booted.sh("b", ["systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", UNIT])
        begin = time.monotonic()
        run.injected()
        wait_for_state(booted, "b", "recovering")
        told = status(booted, "b")
        wait_for_state(booted, "b", "standing-by", seconds=_stated(files))
    seconds = time.monotonic() - begin
    run.say(f"  kill to the end of the recovery: {seconds:.1f} s")
    assert told is not None
    assert told.job is not None
    assert told.job.kind == "recover"
    _check_untouched(booted, files)
    run.recovered()


def _takeover_midway(run: Run, administrator: Administrator, files: int) -> None:
    booted = administrator.lab
    usable = administrator.status("b")["usable"]["generation"]["id"]
    with _half_imported(administrator, files, "twice", "0o640"):
        booted.off("a")
        run.injected()
        shown = switching.plan_with_verdict(administrator, "peer-gone")
        accept = switching.codes(shown)
        click = time.monotonic()
        answer = switching.confirm(administrator, shown, *accept, timeout=CYCLE_SECONDS)
    seconds = time.monotonic() - click
    assert answer.get("state") == "done", answer
    granted = answer["result"]["granted_at"] - answer["result"]["accepted_at"]
    run.say(
        f"  click to the grant, the import taken back: {granted:.1f} s; to the answer over SIP: {seconds:.1f} s"
    )
    assert answer["stages"][0] == "end-import", "the import was over before the click"
    assert shown["generation"]["id"] == usable
    _check_untouched(booted, files)
    assert seconds < _stated(files), f"served after {seconds:.0f} s"
    run.recovered()


@contextmanager
def _half_imported(administrator: Administrator, files: int, word: str, mode: str) -> Iterator[None]:
    """Change all files, and begin the cycle: inside, half of them have been exchanged on the standby."""
    booted, half = administrator.lab, files // 20 * 10
    script = CHANGE.replace("WORD", word).replace("MODE", mode)
    _python(booted, "a", script, files)
    with booted.popen("a", ["beistand", "cycle"]):
        wait_for(lambda: _content(booted, half) == f"{word} {half}".encode(), CYCLE_SECONDS, "the import")
        yield


def _stated(files: int) -> float:
    """What the guide states for so many files (`until.import-ended`)."""
    return BESIDE_SECONDS + MOVE_SECONDS * files / MANY_FILES


def _check_untouched(booted: Lab, files: int) -> None:
    """Every file is the first one still: the first, the last, and as many as there were."""
    for number in (0, files - 10):
        assert _content(booted, number) == str(number).encode()
    assert _count(booted, "b") == files


def _content(booted: Lab, number: int) -> bytes:
    folder, name = divmod(number, 1000)
    try:
        return booted.read("b", f"{TREE}/{folder:05}/{name:03}.txt")
    except LabError:
        return b""  # the old one is put aside before the new one takes its name


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
