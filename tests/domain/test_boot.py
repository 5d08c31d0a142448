"""Boot rule R2 and the higher epoch R3, with the scenarios that DESIGN names."""

import pytest

from beistand.domain.boot import (
    Action,
    Adopt,
    BootVerdict,
    Held,
    Serve,
    StandBy,
    Wait,
    boot_verdict,
    peer_news,
)
from beistand.domain.pair import Greeting
from beistand.domain.role import Role, Standing
from fakes.situations import A_MAC, B_MAC, STRANGER_MAC, A, B, grant, greeting, standing

FIRST, SECOND = grant(2, A), grant(3, B, parent=2)
HOLDER = standing(A, FIRST)
"""The original active, as long as it knows of nothing newer."""
WINNER = standing(B, SECOND)
SPARE = standing(B, FIRST)

LONG = 15 * 60 + 1.0
SERVED_BY_B = greeting(WINNER, serving=True)
SERVED_ALONE_BY_A = greeting(HOLDER, serving=True, unverified_seconds=LONG)


def judge(
    at: Standing,
    heard: Greeting | None = None,
    *,
    macs: tuple[str, ...] = (),
    waited: float = 0.0,
    strict: bool = False,
    paired: bool = True,
) -> BootVerdict:
    return boot_verdict(
        at, heard, holder_macs=macs, is_paired=paired, waited_seconds=waited, is_strict=strict
    )


BOOTS = [
    ("a standby stands by", judge(SPARE), StandBy()),
    ("nobody was granted anything", judge(standing(B, None)), StandBy()),
    ("alone in the world", judge(HOLDER, paired=False), Serve(verified=True)),
    ("alone, and a stranger has it", judge(HOLDER, paired=False, macs=(B_MAC,)), Held(mac=B_MAC)),
    ("the peer agrees", judge(HOLDER, greeting(SPARE)), Serve(verified=True)),
    ("the peer was just paired", judge(HOLDER, greeting(standing(B, None))), Serve(verified=True)),
    ("the peer knows better", judge(HOLDER, greeting(WINNER)), Adopt(grant=SECOND)),
    ("the peer knows better and serves", judge(HOLDER, SERVED_BY_B, macs=(B_MAC,)), Adopt(grant=SECOND)),
    ("a standby learns of a grant", judge(SPARE, greeting(standing(A, grant(4, A, 3)))), Adopt(grant=grant(4, A, 3))),
    ("a stranger answers", judge(HOLDER, greeting(SPARE), macs=(STRANGER_MAC,)), Held(mac=STRANGER_MAC)),
    ("only its address answers, its agent is silent", judge(HOLDER, macs=(B_MAC,), waited=999), Held(mac=B_MAC)),
    ("the one below us still serves", judge(WINNER, greeting(HOLDER, serving=True), macs=(A_MAC,)), Held(mac=A_MAC)),
    ("it says so, though its address is silent", judge(WINNER, greeting(HOLDER, serving=True)), Held(mac="")),
    ("silence, just booted", judge(HOLDER, waited=0), Wait()),
    ("silence, nearly two minutes", judge(HOLDER, waited=119.9), Wait()),
    ("silence for two minutes", judge(HOLDER, waited=120), Serve(verified=False)),
    ("silence, strict", judge(HOLDER, waited=9999, strict=True), Held(mac="")),
    ("strict, and the peer agrees", judge(HOLDER, greeting(SPARE), strict=True), Serve(verified=True)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "got", "expected"), BOOTS, ids=[name for name, _, _ in BOOTS])
def test_boot_check(name: str, got: BootVerdict, expected: BootVerdict) -> None:
    assert got == expected


NEWS = [
    ("nothing new to the holder", HOLDER, greeting(SPARE), True, 0.0, Action.KEEP),
    ("nothing new to the standby", SPARE, greeting(HOLDER, serving=True), False, 0.0, Action.KEEP),
    ("taken over while away", HOLDER, greeting(WINNER, serving=True), True, 0.0, Action.WITHDRAW),
    ("granted there, not serving there yet", HOLDER, greeting(WINNER), True, 0.0, Action.WITHDRAW),
    ("served unverified for a minute", HOLDER, greeting(WINNER), True, 60.0, Action.WITHDRAW),
    ("served unverified for long: a fork", HOLDER, greeting(WINNER), True, LONG, Action.FORK),
    ("both serve: the newer stays", HOLDER, greeting(WINNER, serving=True), True, LONG, Action.WITHDRAW),
    ("the other side of the fork", WINNER, SERVED_ALONE_BY_A, False, 0.0, Action.FORK),
    ("it will give way", WINNER, greeting(HOLDER, serving=True, unverified_seconds=60), False, 0.0, Action.HOLD),
    ("we serve, the older one, too", WINNER, greeting(HOLDER, serving=True), True, 0.0, Action.KEEP),
    ("held or standing by, and a grant is told", HOLDER, greeting(WINNER), False, 0.0, Action.ADOPT),
    ("serving without a grant", SPARE, greeting(HOLDER), True, 0.0, Action.WITHDRAW),
]  # fmt: skip


@pytest.mark.parametrize(
    ("at", "heard", "serving", "unverified", "expected"),
    [each[1:] for each in NEWS],
    ids=[each[0] for each in NEWS],
)
def test_peer_news(at: Standing, heard: Greeting, serving: bool, unverified: float, expected: Action) -> None:
    assert peer_news(at, heard, serving=serving, unverified_seconds=unverified) is expected


def adopted(at: Standing, other: Standing) -> Standing:
    """Return the standing after the other's grant was remembered."""
    return standing(at.me, other.grant, own_epoch=at.own_epoch)


def test_stale_boots_alone_holder_later() -> None:
    """F20: A dies, B takes over, the site loses power, A boots first: alone it serves, until B is back."""
    assert judge(HOLDER) == Wait()
    assert judge(HOLDER, waited=120) == Serve(verified=False)
    a_says = greeting(HOLDER, serving=True, unverified_seconds=300)
    assert judge(WINNER, a_says, macs=(A_MAC,)) == Held(mac=A_MAC)
    assert peer_news(HOLDER, greeting(WINNER), serving=True, unverified_seconds=300) is Action.WITHDRAW
    assert adopted(HOLDER, WINNER).role is Role.SUPERSEDED
    assert judge(WINNER, greeting(adopted(HOLDER, WINNER))) == Serve(verified=True)


def test_stale_served_alone_for_an_hour() -> None:
    """F20: the fork of R3. Who has an hour of calls keeps serving, both sides show it, a person chooses."""
    a_says = greeting(HOLDER, serving=True, unverified_seconds=3600)
    assert judge(WINNER, a_says, macs=(A_MAC,)) == Held(mac=A_MAC)
    assert peer_news(WINNER, a_says, serving=False, unverified_seconds=0) is Action.FORK
    assert peer_news(HOLDER, greeting(WINNER), serving=True, unverified_seconds=3600) is Action.FORK


def test_switch_slower_than_pbx() -> None:
    """F20: nothing answers while the switch starts; the wait outlasts it, and the first answer decides."""
    assert judge(HOLDER, waited=60) == Wait()
    assert judge(HOLDER, greeting(WINNER), waited=90) == Adopt(grant=SECOND)
    assert judge(adopted(HOLDER, WINNER), greeting(WINNER), waited=91) == StandBy()


def test_both_at_once() -> None:
    """F20: both boot from one power cut; the holder of the higher epoch serves without a click."""
    assert judge(HOLDER, greeting(WINNER), waited=1) == Adopt(grant=SECOND)
    assert judge(WINNER, greeting(HOLDER), waited=1) == Serve(verified=True)


def test_only_one_ever_comes_back() -> None:
    """F20, I8: the holder alone serves after two minutes, the standby alone waits for a click."""
    assert judge(WINNER, waited=121) == Serve(verified=False)
    assert judge(SPARE, waited=9999) == StandBy()


def test_a_handed_over_grant_is_found_at_boot() -> None:
    """R4: the source wrote the grant for the target, which crashed before it stored it."""
    to_b = grant(4, B, parent=2)
    a_says = greeting(standing(A, to_b, own_epoch=2))
    assert judge(SPARE, a_says) == Adopt(grant=to_b)
    assert judge(standing(B, to_b), a_says) == Serve(verified=True)
