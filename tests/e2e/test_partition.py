"""F21: the switch breaks in two, both serve their side, and healing leaves the newer grant's server alone."""

from __future__ import annotations

import pytest

from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab
from e2e import forking, partition, switching

pytestmark = pytest.mark.lab

LONGEST_SECONDS = 15.0
"""Until the loser has withdrawn, on a machine with other things to do; about one second on an idle one."""


@pytest.fixture(scope="module")
def administrator(lab: Lab) -> Administrator:
    return switching.prepare_pair(lab)


@pytest.mark.shows("B5", "F21", "F25")
def test_clients_follow_within_a_second_of_healing(administrator: Administrator) -> None:
    """B5: the phones listened to the loser and ignore gratuitous ARP; directed requests reach them (F25)."""
    lab = administrator.lab
    lab.set_gratuitous_arp("t", heard=False)
    partition.split_and_take_over(administrator)
    healed = partition.heal(administrator)
    assert healed.announced < partition.FOLLOW_SECONDS, healed
    assert healed.followed < partition.FOLLOW_SECONDS, healed
    assert healed.withdrawn < LONGEST_SECONDS, healed
    switching.wait_for_state(administrator, "a", "superseded")
    lab.reunite("a", "t")
    switching.assert_call_works(lab)
    assert switching.serves(lab, "b")


@pytest.mark.shows("F21")
def test_what_the_loser_recorded_is_kept(administrator: Administrator) -> None:
    """I10: by itself, as a local backup that no retention deletes; told on both sides."""
    kept = forking.kept_backup(administrator, "a")
    assert kept["generation"]["epoch"] < administrator.status("a")["epoch"]
    assert forking.choices(administrator, "a") == ["leave-it", "serve-here", "look-at-kept-data"]
    assert forking.choices(administrator, "b") == []
