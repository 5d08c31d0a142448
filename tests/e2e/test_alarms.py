"""F9, F30: clocks that disagree by hours, a switch that would drop the new holder's announcements."""

from __future__ import annotations

import pytest

from beistand_lab import inspection
from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab
from e2e import alarming, switching
from e2e.alarming import HOUR

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def pair(lab: Lab) -> Administrator:
    return switching.prepare_pair(lab)


@pytest.mark.shows("F9")
def test_clocks_that_disagree_by_hours_change_no_order_and_no_age(lab: Lab, pair: Administrator) -> None:
    """F9: the active's clock is an hour ahead, the standby's an hour behind; both say so, and the data is new."""
    inspection.switch_on(lab, "b")
    alarming.disagree(pair, ahead=HOUR, behind=HOUR)


def test_a_switch_that_drops_announcements_is_told_before_the_day(pair: Administrator) -> None:
    """A person learns of it by page and command while the active still lives: on the day no phone would follow."""
    alarming.inspect_and_see(pair)
    alarming.wait_for_end(pair, "announcements-dropped")
