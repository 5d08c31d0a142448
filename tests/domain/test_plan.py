"""What a takeover will do, and that what was confirmed is what runs."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from beistand.domain.facts import Facts
from beistand.domain.installation import Installation, ServiceAddress
from beistand.domain.message import message
from beistand.domain.plan import Plan, Status
from beistand.domain.safety import findings
from beistand.operations.takeover import (
    AskPeerToRelease,
    AwaitSilence,
    FastProbe,
    MakeDataReady,
    TakeoverPlan,
    plan_digest,
    takeover_grant,
    takeover_plan,
)
from fakes.situations import A_MAC, HUNG, NOW, RUNNING, STRANGER_MAC, A, B, facts, grant, imported, standing

INSTALLATION = Installation(
    interface="eth0",
    own_address="192.0.2.2/24",
    service_addresses=(ServiceAddress(address="192.0.2.10", interface="eth0"),),
    profile="asterisk",
)
SPARE = standing(B, grant(2, A))
PROBE = FastProbe(interface="eth0", address="192.0.2.10")
DATA = MakeDataReady(generation="20260302T070000Z-7")


def steps(seen: Facts) -> list[Any]:
    return [item.step for item in takeover_plan(seen, SPARE, INSTALLATION).items]


def test_a_dead_peer_is_not_asked() -> None:
    assert steps(facts()) == [DATA, PROBE]


def test_a_peer_that_can_be_asked_releases_first() -> None:
    assert steps(facts(holder_mac=A_MAC, peer=RUNNING)) == [AskPeerToRelease(epoch=3), DATA, PROBE]


def test_a_hung_peer_is_waited_for_until_it_is_unplugged() -> None:
    first, *rest = steps(facts(holder_mac=A_MAC, peer=HUNG))
    assert isinstance(first, AwaitSilence)
    assert rest == [DATA, PROBE]


def test_the_probe_is_last_and_asks_for_every_address() -> None:
    two = msgspec.structs.replace(
        INSTALLATION,
        service_addresses=(
            *INSTALLATION.service_addresses,
            ServiceAddress(address="198.51.100.10", interface="eth0.7"),
        ),
    )
    plan = takeover_plan(facts(), SPARE, two)
    assert [item.step for item in plan.items][-2:] == [
        PROBE,
        FastProbe(interface="eth0.7", address="198.51.100.10"),
    ]


def test_without_data_what_is_there_is_still_made_whole() -> None:
    assert steps(facts(copy=None)) == [MakeDataReady(generation=""), PROBE]


@pytest.mark.parametrize(("known", "told", "minted"), [(2, 0, 3), (2, 2, 3), (2, 4, 5), (3, 2, 5), (2, 5, 7)])
def test_the_number_is_above_all_that_is_known_here_and_there(known: int, told: int, minted: int) -> None:
    claim = takeover_grant(facts(peer_epoch=told), standing(B, grant(known, A)), "admin")
    assert (claim.epoch, claim.parent, claim.holder) == (minted, known, B)


def digest(**changes: Any) -> str:
    seen = facts(**changes)
    return plan_digest(takeover_plan(seen, SPARE, INSTALLATION), seen, findings(seen), SPARE)


@pytest.mark.parametrize(
    "changes",
    [
        {"at": NOW + timedelta(seconds=40)},
        {"phones_answering": 8},
        {"gateway": None},
        {"import_running": True},
    ],
)
def test_what_means_nothing_leaves_the_digest_as_it_was(changes: dict[str, Any]) -> None:
    assert digest(**changes) == digest()


@pytest.mark.parametrize(
    "changes",
    [
        {"holder_mac": A_MAC},
        {"holder_mac": STRANGER_MAC},
        {"peer": RUNNING},
        {"phones_answering": 1},
        {"carrier": False},
        {"peer_epoch": 4},
        {"copy": None},
        {"copy": imported(id="20260302T073000Z-8")},
        {"at": NOW + timedelta(days=3)},
    ],
)
def test_what_a_person_should_see_again_changes_it(changes: dict[str, Any]) -> None:
    assert digest(**changes) != digest()


def test_steps_come_back_from_the_journal_as_themselves() -> None:
    plan = takeover_plan(facts(holder_mac=A_MAC, peer=RUNNING), SPARE, INSTALLATION).started(0)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=TakeoverPlan) == plan


def test_a_plan_goes_forward_from_the_first_step() -> None:
    plan = Plan.of("one", "two")
    assert plan.next() == 0
    plan = plan.started(0)
    assert plan.next() == 0  # cut short: it is done again
    plan = plan.finished(0)
    assert plan.next() == 1
    assert plan.started(1).finished(1).next() is None


def test_a_plan_backs_out_from_the_last_step_that_was_begun() -> None:
    plan = Plan.of("one", "two", "three").started(0).finished(0).started(1)
    plan = plan.backed_out(message("why")).backed_out(message("later"))
    assert plan.why == message("why")
    assert plan.next() == 1
    plan = plan.started(1)
    assert plan.next() == 1
    plan = plan.finished(1)
    assert plan.next() == 0
    plan = plan.started(0).finished(0)
    assert plan.next() is None
    assert [item.status for item in plan.items] == [Status.UNDONE, Status.UNDONE, Status.TODO]
