"""F2, F3, F10: disks that are full or broken, under the real agents of a pair: a few of `make torture`'s thousands."""

from __future__ import annotations

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from beistand_lab.system_calls import Point
from e2e import switching
from e2e.disk_faults import Refusal, refuse
from e2e.killing_cycles import Import

pytestmark = pytest.mark.lab

STAGED = "write /var/spool/asterisk/.beistand/GENERATION/new/*"
DATABASE = "renameat /.beistand/GENERATION/new/* /var/lib/asterisk/astdb.sqlite3"
RESERVE = "/var/lib/beistand/state.reserve"
HALF = 512 << 10


@pytest.fixture(scope="module")
def pair(lab: Lab) -> Administrator:
    administrator = switching.prepare_pair(lab)
    administrator.run("a", "config", "set", "attempts=1")
    return administrator


@pytest.mark.shows("F2", "F3", "F10", "B6")
@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(point=Point(STAGED, 1), error="ENOSPC", stays=True),
        Refusal(point=Point(DATABASE, 1), error="EIO", stays=False),
    ],
    ids=str,
)
def test_an_import_on_a_disk_that_refuses_leaves_the_old_or_the_new(
    lab: Lab, pair: Administrator, refusal: Refusal
) -> None:
    """Files and database are of one generation, with the disk well again, and after each of two recoveries."""
    operation = Import(lab)
    operation.prepare()
    assert refuse(operation, refusal)
    operation.prepare()
    assert operation.act(), "with the disk well again an import works"


@pytest.mark.shows("F2", "B1", "S11")
def test_a_takeover_works_on_a_disk_without_one_free_byte(lab: Lab, pair: Administrator) -> None:
    """The click, the boot after a power cut, and the end of it, when somebody has made room."""
    for folder in ("/", "/var/spool/asterisk"):
        lab.fill("b", folder)
    assert lab.sh("b", ["sh", "-c", "echo x > /root/x"], check=False).returncode != 0
    wait_for(lambda: is_told(pair, "disk-no-room"), switching.SOON_SECONDS, "the finding")
    switching.take_over_from_dead(pair)
    switching.assert_call_works(lab)
    lab.off("b")
    lab.on("b")
    switching.wait_for_agent(lab, "b")
    switching.wait_for_state(pair, "b", "checking", "unverified", "serving")
    pair.run("b", "retry")
    switching.wait_for_state(pair, "b", "unverified", "serving")
    assert reserve(lab) >= HALF
    for folder in ("/", "/var/spool/asterisk"):
        lab.empty("b", folder)
    wait_for(lambda: not is_told(pair, "disk-no-room"), switching.SOON_SECONDS, "the end of the finding")
    wait_for(lambda: reserve(lab) == 2 * HALF, switching.SOON_SECONDS, "the reserve to be whole")


def is_told(pair: Administrator, code: str) -> bool:
    return code in [each["code"] for each in pair.status("b")["findings"]]


def reserve(lab: Lab) -> int:
    return int(lab.sh("b", ["stat", "-c", "%s", RESERVE]).stdout)
