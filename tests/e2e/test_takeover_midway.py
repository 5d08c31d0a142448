"""The active dies in the middle of a cycle: what was whole before is what is served."""

from __future__ import annotations

import time

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from e2e import switching
from e2e.striking import RENAMES, struck
from e2e.trees import listing, run_python

pytestmark = pytest.mark.lab

PARTS = 60
SECONDS_EACH = 1
"""An import of so many files takes this long for each of them: time enough for a death and a click."""
CHANGE = """
import os
for number in range(PARTS):
    with open(f"/etc/asterisk/part-{number}.conf", "wb") as file:
        file.write(os.urandom(100))
"""


@pytest.fixture(scope="module")
def administrator(lab: Lab) -> Administrator:
    administrator = switching.prepare_pair(lab)
    run_python(lab, "a", CHANGE.replace("PARTS", str(PARTS)))
    switching.cycle(administrator)
    return administrator


def parts(lab: Lab, host: str) -> dict[str, list[object]]:
    return {path: entry for path, entry in listing(lab, host).items() if "/part-" in path}


@pytest.mark.shows("B6", "F14")
def test_a_takeover_in_the_middle_of_an_import_serves_the_generation_before(
    administrator: Administrator,
) -> None:
    """B6: the import is ended and rolled back; the age that was told is that of what is served."""
    lab, before = administrator.lab, parts(administrator.lab, "b")
    assert len(before) == PARTS
    usable = administrator.status("b")["usable"]["generation"]["id"]
    run_python(lab, "a", CHANGE.replace("PARTS", str(PARTS)))
    with struck(lab, RENAMES, f"delay_enter={SECONDS_EACH}s"), lab.popen("a", ["beistand", "cycle"]):
        wait_for(lambda: parts(lab, "b") != before, switching.SOON_SECONDS, "a mix on b's disk")
        lab.off("a")
        shown = switching.plan_with_verdict(administrator, "peer-gone")
        assert "import-rolls-back" in switching.codes(shown)
        assert shown["generation"]["id"] == usable
        click = time.time()
        clicked = lab.popen("b", ["beistand", "takeover", "--confirm", shown["digest"], "--json"])
        switching.wait_for_log(lab, "b", "kind=receive state=cancelled", click)
    out, _ = clicked.communicate(timeout=180)
    assert '"state": "done"' in out, out
    switching.assert_call_works(lab)
    assert parts(lab, "b") == before
