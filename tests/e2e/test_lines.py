"""F12: a line that falls silent in the middle of a transfer; all other lines are in torture."""

from __future__ import annotations

import pytest

from beistand_lab.lab import Lab
from e2e import lines
from e2e.pairing_up import seeded

pytestmark = pytest.mark.lab


@pytest.mark.shows("F12")
def test_a_transfer_goes_on_where_the_silent_line_ended_it(lab: Lab) -> None:
    """F12: it ends in time, says why, nobody waits for an answer, and what had arrived does not travel again."""
    lines.fall_silent(seeded(lab))
