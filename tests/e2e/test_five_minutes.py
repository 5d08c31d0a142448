"""S10: after a failed try of the schedule the next one comes five minutes later, or at once by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from beistand_lab import late_clock
from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab
from e2e import next_try
from e2e.next_try import NEWS, is_there, switch_standby_on
from e2e.pairing_up import cycle, paired, refused_cycle

pytestmark = [pytest.mark.lab]

AHEAD = timedelta(seconds=next_try.WAIT_SECONDS - 10)


@pytest.fixture(scope="module")
def pair(lab: Lab) -> Administrator:
    administrator = paired(lab)
    administrator.run("a", "config", "set", "attempts=2")
    cycle(administrator)
    return administrator


@pytest.mark.shows("S10")
def test_a_cycle_by_hand_during_the_wait_is_the_next_try(lab: Lab, pair: Administrator) -> None:
    """S10: with two attempts the second failure gives up; a success ends the wait as well."""
    lab.copy_in("a", NEWS, "by hand")
    lab.off("b")
    refused_cycle(pair)
    status = pair.status("a")
    assert (status["attempt"], status["attempts"]) == (2, 2)
    assert status["next_cycle"]
    refused_cycle(pair)
    status = pair.status("a")
    assert (status["attempt"], status["next_cycle"]) == (0, "")
    refused_cycle(pair)
    assert pair.status("a")["attempt"] == 2
    switch_standby_on(lab, pair)
    cycle(pair)
    assert is_there(lab, b"by hand")
    status = pair.status("a")
    assert (status["attempt"], status["next_cycle"]) == (0, "")


@pytest.mark.shows("S9", "S10")
def test_a_failed_scheduled_cycle_is_tried_again_after_five_minutes(lab: Lab, pair: Administrator) -> None:
    """S10: the active's clock is moved to shortly before their end; torture waits for all of them."""
    next_try.fail_and_come_back(lab, pair, lambda: late_clock.set_back(lab, "a", -AHEAD))
