"""The rules of `beistand setup`: what proves that the new address works, and when the way back is open."""

from datetime import UTC, datetime

import msgspec
import pytest

from beistand.domain.message import message
from beistand.domain.network_file import Manager
from beistand.domain.role import Side, Standing
from beistand.domain.setup import (
    PEER_MAY_SERVE,
    Setup,
    Stage,
    UndoFacts,
    seconds_left,
    setup_finding,
    undo_refusal,
    unproven,
    why_back,
)
from fakes.situations import A, B, grant

OWN, PRESENT = "192.0.2.1", "192.0.2.10"
SETUP = Setup(
    stage=Stage.WAITING,
    boot="this",
    deadline=1120.0,
    began=datetime(2026, 3, 1, tzinfo=UTC),
    interface="eth0",
    manager=Manager.NETWORKD,
    own_address=f"{OWN}/24",
    service_address=f"{PRESENT}/24",
    profile="asterisk",
    files=(),
)
ACTIVE = Standing(me=A, side=Side.EVEN, grant=grant(2, A), own_epoch=2)
SERVING = UndoFacts(standing=ACTIVE, own_address=f"{OWN}/24", is_serving=True)


def at(stage: Stage, **changes: object) -> Setup:
    return msgspec.structs.replace(SETUP, stage=stage, **changes)


@pytest.mark.parametrize(
    ("setup", "now", "code"),
    [
        (at(Stage.WAITING), 1119.9, ""),
        (at(Stage.WAITING), 1120.0, "setup-unconfirmed"),
        (at(Stage.WAITING, boot="an earlier one"), 10.0, "setup-rebooted"),
        (at(Stage.BEGUN), 1000.0, "setup-interrupted"),
        (at(Stage.UNDOING), 1000.0, "setup-interrupted"),
        (at(Stage.UNDOING, why=message("setup-rebooted")), 1000.0, "setup-rebooted"),
        (at(Stage.CONFIRMED, boot="an earlier one"), 9999.0, ""),
        (at(Stage.UNDONE, boot="an earlier one"), 9999.0, ""),
    ],
)
def test_whatever_nobody_confirmed_in_time_goes_back(setup: Setup, now: float, code: str) -> None:
    why = why_back(setup, boot="this", now=now)
    assert (why.code if why else "") == code


@pytest.mark.parametrize(
    ("reached", "at_console", "code"),
    [
        (OWN, False, ""),
        (PRESENT, False, "setup-confirm-elsewhere"),
        (PRESENT, True, "setup-confirm-elsewhere"),
        ("", False, "setup-confirm-from-console"),
        ("", True, ""),
    ],
)
def test_only_who_came_over_the_new_address_proves_it(reached: str, at_console: bool, code: str) -> None:
    why = unproven(SETUP, reached, at_console=at_console)
    assert (why.code if why else "") == code


CONFIRMED = at(Stage.CONFIRMED)


@pytest.mark.parametrize(
    ("setup", "changes", "accepted", "code"),
    [
        (None, {}, (), "setup-not-done"),
        (at(Stage.UNDONE), {}, (), "setup-not-done"),
        (CONFIRMED, {}, (), ""),
        (SETUP, {"is_peer_connected": True, "peer": "pbx-b"}, (), ""),
        (CONFIRMED, {"standing": None}, (), ""),
        (CONFIRMED, {"own_address": "192.0.2.7/24"}, (), "setup-undo-other-address"),
        (CONFIRMED, {"job": "cycle"}, (), "setup-undo-job"),
        (CONFIRMED, {"is_serving": False}, (), "setup-undo-not-serving"),
        (
            CONFIRMED,
            {"standing": Standing(me=A, side=Side.EVEN, grant=grant(3, B, 2), own_epoch=2)},
            (),
            "setup-undo-not-active",
        ),
        (CONFIRMED, {"peer": "pbx-b", "is_peer_connected": True}, (PEER_MAY_SERVE,), "setup-undo-peer-lives"),
        (CONFIRMED, {"peer": "pbx-b"}, (), PEER_MAY_SERVE),
        (CONFIRMED, {"peer": "pbx-b"}, (PEER_MAY_SERVE,), ""),
    ],
)
def test_the_address_goes_back_only_where_nobody_else_may_serve_it(
    setup: Setup | None, changes: dict[str, object], accepted: tuple[str, ...], code: str
) -> None:
    why = undo_refusal(setup, msgspec.structs.replace(SERVING, **changes), accepted)
    assert (why.code if why else "") == code


def test_the_seconds_are_counted_down_and_told() -> None:
    assert seconds_left(SETUP, 1000.0) == 120.0
    assert seconds_left(SETUP, 2000.0) == 0.0
    assert seconds_left(CONFIRMED, 1000.0) == 0.0
    finding = setup_finding(SETUP, now=1100.0)
    assert finding is not None
    assert (finding.code, finding.fields["seconds"]) == ("setup-waits", 20.0)
    assert setup_finding(CONFIRMED, now=1.0) is None
    assert setup_finding(at(Stage.UNDONE, why=message("setup-rebooted")), now=1.0) is not None
    assert setup_finding(at(Stage.UNDONE, why=message("setup-undone-by-person")), now=1.0) is None
    assert setup_finding(None, now=1.0) is None
