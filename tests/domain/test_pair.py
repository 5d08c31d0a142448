"""Whether an active has a standby that takes its generations."""

import msgspec
import pytest

from beistand.domain.pair import has_standby
from beistand.domain.role import Grant
from fakes.situations import greeting, standing

ME, PEER = "a" * 16, "b" * 16


@pytest.mark.parametrize(
    ("parent", "peer_was_active", "is_heard", "expected"),
    [
        (0, False, False, True),  # the first active: its standby may be silent, and the tries begin
        (0, False, True, True),
        (2, True, True, False),  # after a takeover: the old active keeps its data
        (2, False, False, False),
        (2, False, True, True),
    ],
)
def test_an_active_has_a_standby(parent: int, peer_was_active: bool, is_heard: bool, expected: bool) -> None:
    grant = _grant(parent)
    said = greeting(standing(PEER, grant, own_epoch=2 if peer_was_active else 0)) if is_heard else None
    assert has_standby(standing(ME, grant, own_epoch=grant.epoch), said) is expected


def test_who_does_not_hold_the_grant_has_no_standby() -> None:
    grant = msgspec.structs.replace(_grant(0), holder=PEER)
    assert not has_standby(standing(ME, grant), None)


def _grant(parent: int) -> Grant:
    held = {"epoch": parent + 1, "holder": ME, "parent": parent, "operator": "o", "evidence": ""}
    return msgspec.convert({**held, "at": "2026-01-01T00:00:00Z"}, Grant)
