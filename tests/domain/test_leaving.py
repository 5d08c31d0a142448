"""What a machine goes on as when Beistand is taken away: every way in which it can have become what it is."""

from typing import Any

import msgspec
import pytest

from beistand.domain.errors import Refused
from beistand.domain.leaving import LeaveFacts, Part, line_to_write, part_of, with_length_of
from beistand.domain.network_file import Manager
from beistand.domain.role import Side, Standing
from fakes.situations import A, B, grant

MAC = "02:00:00:00:00:63"
HOLDER = Standing(me=A, side=Side.EVEN, grant=grant(2, A), own_epoch=2)
TOOK_OVER = Standing(me=B, side=Side.ODD, grant=grant(3, B, 2), own_epoch=3)
STANDBY = Standing(me=B, side=Side.ODD, grant=grant(2, A))
SUPERSEDED = Standing(me=A, side=Side.EVEN, grant=grant(3, B, 2), own_epoch=2)


@pytest.mark.parametrize(
    ("facts", "part"),
    [
        ({"standing": HOLDER, "holds": True}, Part.SERVES),
        ({"standing": TOOK_OVER, "holds": True, "is_paired": True}, Part.SERVES),
        # The agent died, and the power went: nobody has the address, and it is this one's.
        ({"standing": HOLDER}, Part.SERVES),
        ({"standing": TOOK_OVER, "is_paired": True}, Part.SERVES),
        ({"standing": HOLDER, "was_heard": False}, Part.SERVES),
        # The cable is out: what it holds it still holds.
        ({"standing": HOLDER, "was_heard": False, "holds": True, "is_paired": True}, Part.SERVES),
        ({"standing": HOLDER, "other": MAC}, Part.STANDS_BY),
        ({"standing": HOLDER, "is_released": True, "is_paired": True}, Part.STANDS_BY),
        ({"standing": STANDBY, "is_paired": True}, Part.STANDS_BY),
        ({"standing": STANDBY}, Part.STANDS_BY),
        ({"standing": SUPERSEDED, "is_paired": True, "other": MAC}, Part.STANDS_BY),
        # Somebody put the address there by hand: that makes no active of it.
        ({"standing": STANDBY, "holds": True}, Part.STANDS_BY),
        ({"standing": None}, Part.NOTHING),
        ({"standing": None, "holds": True}, Part.NOTHING),
        ({"is_known": False, "holds": True}, Part.SERVES),
        ({"is_known": False, "other": MAC}, Part.STANDS_BY),
        ({"standing": STANDBY, "said": Part.SERVES}, Part.SERVES),
        ({"standing": HOLDER, "holds": True, "said": Part.STANDS_BY}, Part.STANDS_BY),
    ],
)
def test_it_goes_on_as_what_it_is(facts: dict[str, Any], part: Part) -> None:
    assert part_of(msgspec.convert(facts, LeaveFacts)) is part


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"standing": HOLDER, "holds": True, "other": MAC}, "leave-two-holders"),
        ({"is_known": False, "holds": True, "other": MAC}, "leave-two-holders"),
        ({"standing": HOLDER, "is_paired": True, "was_heard": False}, "leave-unclear"),
        ({"is_known": False}, "leave-unclear"),
    ],
)
def test_nothing_is_guessed(facts: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused, match=code):
        part_of(msgspec.convert(facts, LeaveFacts))


def test_every_manager_has_its_line() -> None:
    lines = {line_to_write(each, "eth0", "192.0.2.10/24") for each in ("", *Manager)}
    assert len(lines) == len(Manager) + 1
    assert all("192.0.2.10/24" in each for each in lines)


def test_the_prefix_length_is_the_own_addresss() -> None:
    assert with_length_of("192.0.2.1/26", "192.0.2.10") == "192.0.2.10/26"
