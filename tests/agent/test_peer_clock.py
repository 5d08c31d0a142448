"""How far the peer's clock was ahead, as an earlier version noted it of whatever the peer said."""

import msgspec
import pytest

from beistand.agent.peer_clock import DOCUMENT, Ahead
from beistand.domain.words import FIRST_YEAR, LAST_YEAR
from beistand.protocol import GetStatus
from fakes.agents import TwoAgents

YEAR = 366 * 86_400.0


@pytest.mark.parametrize("seconds", [1e300, -1e300, 1e13, 8_000 * YEAR, 7_970 * YEAR, -3_000 * YEAR])
def test_a_clock_that_nobody_lives_by_is_none(two: TwoAgents, seconds: float) -> None:
    b = two.b
    b.store.put(DOCUMENT, msgspec.json.encode(Ahead(seconds=seconds)))
    two.a.off()
    assert b.agent.peer_clock.now() == two.clock.now()
    two.turns(1)
    assert "not-judged" not in [each.code for each in b.ask(GetStatus()).findings]


@pytest.mark.parametrize("seconds", [-40 * YEAR, -5.0, 0.0, 86_400.0, 900 * YEAR])
def test_a_clock_that_may_be_wrong_is_believed(two: TwoAgents, seconds: float) -> None:
    b = two.b
    b.store.put(DOCUMENT, msgspec.json.encode(Ahead(seconds=seconds)))
    shown = b.agent.peer_clock.now()
    assert (shown - two.clock.now()).total_seconds() == seconds
    assert FIRST_YEAR <= shown.year <= LAST_YEAR
