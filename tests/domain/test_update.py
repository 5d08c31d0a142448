"""S4: the steps of an update, judged by what is seen of both appliances."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from beistand.domain.finding import Finding, Severity
from beistand.domain.generation import CopyState
from beistand.domain.pause import Pause, Versions, pause_finding
from beistand.domain.update import Seen, Side, is_older, update_steps
from fakes.situations import NOW, imported

OLD, NEW = Versions(beistand="0.9.0", pbx="Asterisk 20.9"), Versions(beistand="0.10.0", pbx="Asterisk 20.10")
ON = Pause(who="anna", since=NOW, epoch=2, active=OLD, standby=OLD)
OVER = msgspec.structs.replace(ON, end=NOW + timedelta(hours=1), ended_by="anna")
VERSIONS = Finding(code="beistand-versions-differ", severity=Severity.WARN)
PROTOCOL = Finding(code="protocol-differs", severity=Severity.BLOCK)
GATEWAY = Finding(code="gateways-differ", severity=Severity.WARN)


def side(now: Versions, pause: Pause | None, *, is_heard: bool = True) -> Side:
    return Side(host="pbx", is_heard=is_heard, now=now, before=OLD if pause else None)


def seen(pause: Pause | None, active: Versions, standby: Versions, **more: Any) -> Seen:
    is_heard = more.pop("is_heard", True)
    return Seen(
        pause=pause,
        active=side(active, pause),
        standby=side(standby, pause, is_heard=is_heard),
        differences=more.pop("differences", ()),
        **more,
    )


def copy(state: CopyState, hours: float) -> Any:
    made = imported(begin=NOW + timedelta(hours=hours))
    return msgspec.structs.replace(made, state=state)


@pytest.mark.parametrize(
    ("facts", "states"),
    [
        pytest.param(seen(None, OLD, OLD), "now open open open open", id="nothing was begun"),
        pytest.param(
            seen(None, OLD, NEW, differences=(VERSIONS,)), "now done open open open", id="one side alone"
        ),
        pytest.param(seen(ON, OLD, OLD, is_cycling=True), "now open open open open", id="a cycle still runs"),
        pytest.param(seen(ON, OLD, OLD), "done now open open open", id="paused"),
        pytest.param(seen(ON, OLD, OLD, is_heard=False), "done now open open open", id="standby restarts"),
        pytest.param(
            seen(ON, OLD, NEW, differences=(VERSIONS,)), "done done now open open", id="standby is updated"
        ),
        pytest.param(
            seen(ON, OLD, NEW, differences=(PROTOCOL,)), "done done now open open", id="another protocol"
        ),
        pytest.param(
            seen(ON, NEW, OLD, differences=(VERSIONS,)), "done now done open open", id="the active first"
        ),
        pytest.param(seen(ON, NEW, NEW), "done done done done now", id="both are updated"),
        pytest.param(
            seen(ON, NEW, NEW, differences=(GATEWAY,)), "done done done done now", id="a gateway hinders not"
        ),
        pytest.param(
            seen(ON, NEW, NEW, differences=(GATEWAY, PROTOCOL)), "done done done failed open", id="it differs"
        ),
        pytest.param(seen(OVER, NEW, NEW), "done done done done now", id="resumed, no cycle yet"),
        pytest.param(
            seen(OVER, NEW, NEW, newest=copy(CopyState.IMPORTED, 0.5)),
            "done done done done now",
            id="an older copy says nothing",
        ),
        pytest.param(
            seen(OVER, NEW, NEW, newest=copy(CopyState.TRANSFERRED, 2)), "done done done done now", id="runs"
        ),
        pytest.param(
            seen(OVER, NEW, NEW, newest=copy(CopyState.FAILED, 2)), "done done done done failed", id="failed"
        ),
        pytest.param(
            seen(OVER, NEW, NEW, newest=copy(CopyState.IMPORTED, 2)), "done done done done done", id="all"
        ),
        pytest.param(
            seen(OVER, OLD, OLD, newest=copy(CopyState.PROVEN, 2)), "done done done done done", id="no change"
        ),
        pytest.param(
            seen(OVER, OLD, NEW, differences=(VERSIONS,)), "done done now open open", id="resumed too early"
        ),
    ],
)
def test_each_step_is_what_is_seen(facts: Seen, states: str) -> None:
    assert " ".join(each.state for each in update_steps(facts)) == states


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (OLD, NEW, True),
        (NEW, OLD, False),
        (OLD, OLD, False),
        (Versions(beistand="0.10.0", pbx="Asterisk 20.9"), NEW, True),
        (Versions(beistand="0.10.0", pbx=""), NEW, True),
    ],
)
def test_versions_are_compared_by_their_numbers(one: Versions, other: Versions, expected: bool) -> None:
    assert is_older(one, other) is expected


@pytest.mark.parametrize(
    ("hours", "code", "severity"),
    [
        (0, "cycles-paused", Severity.WARN),
        (24, "cycles-paused", Severity.WARN),
        (24.1, "cycles-paused-long", Severity.BLOCK),
        (-5, "cycles-paused", Severity.WARN),
    ],
)
def test_a_pause_that_was_forgotten_is_told_louder(hours: float, code: str, severity: Severity) -> None:
    found = pause_finding(ON, NOW + timedelta(hours=hours))
    assert (found.code, found.severity) == (code, severity)
