"""The demo's scenario, so that it cannot rot."""

from pathlib import Path

import pytest

from beistand_lab.demo import story
from beistand_lab.demo.teller import Teller
from beistand_lab.lab import Lab

RESULT = Path(__file__).parents[2] / "build" / "demo.json"

pytestmark = pytest.mark.lab


@pytest.mark.shows("S1", "S2", "S3", "S9", "S13", "S15", "S17", "S18", "S20", "B1", "B5", "B8", "F19")
def test_phones_call_each_other_again_after_one_click(lab: Lab) -> None:
    """S3: from pairing over a scheduled cycle and a power cord to a call at the same address."""
    teller = Teller(say=print)
    story.play(lab, teller)
    teller.write(RESULT)
    assert not teller.failed
    for figure in (
        "click_to_arp_seconds",
        "click_to_sip_seconds",
        "grant_to_sip_seconds",
        "asterisk_start_seconds",
        "click_to_call_seconds",
        "rpo_seconds",
        "cycle_seconds",
        "cycle_bytes_on_wire",
        "nochange_cycle_seconds",
        "nochange_bytes_on_wire",
    ):
        assert isinstance(teller.figures[figure], float | int), figure
