"""The invariants of DESIGN over every interleaving of clicks, crashes, boots and partitions (F20, F21)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from beistand.domain.boot import Action, Serve, boot_verdict, peer_news
from beistand.domain.role import Side, Standing
from domain.model import Decisions, State, events, first_state, is_fork, servers, settled, turn

DEPTH = 12


class Broken(AssertionError):
    """An invariant does not hold; the message is the way there."""


def explore(decide: Decisions, depth: int = DEPTH) -> int:
    """Walk through every state that is at most `depth` events away; return how many there are."""
    seen = {first_state(): ()}
    edge: dict[State, tuple[str, ...]] = dict(seen)
    for _ in range(depth):
        following: dict[State, tuple[str, ...]] = {}
        for state, way in edge.items():
            for name, after in events(state, decide):
                path = (*way, name)
                check_step(state, name, after, path)
                if after not in seen and after not in following:
                    check_end(after, decide, path)
                    following[after] = path
        seen |= following
        edge = following
    return len(seen)


def check_step(before: State, event: str, after: State, path: tuple[str, ...]) -> None:
    new = [at for at in (0, 1) if after.nodes[at].serves and not before.nodes[at].serves]
    for at in new:
        node, other = after.nodes[at], after.nodes[1 - at]
        connected = after.connected and other.up
        expect(not (connected and other.serves), "I1", path)
        expect(node.standing.is_holder, "I3", path)
        expect(not (connected and other.agent) or other.standing.epoch <= node.standing.epoch, "I9", path)
    if after.minted != before.minted:
        expect(event.startswith("click"), "I4", path)
    numbers = [epoch for epoch, _ in after.minted]
    expect(len(numbers) == len(set(numbers)), "I5", path)
    if len(servers(after)) == 2 and len(servers(before)) < 2:
        expect(not before.connected, "I2", path)


def check_end(state: State, decide: Decisions, path: tuple[str, ...]) -> None:
    rest = settled(state, decide)
    expect(len(servers(rest)) <= 1, "I2", path)
    waited = replace(rest, nodes=tuple(replace(each, age=2) for each in rest.nodes))
    rest = settled(waited, decide) if not servers(rest) else rest
    expect(len(servers(rest)) == 1, "I8", path)
    if not is_fork(rest):
        expect(servers(rest)[0].standing.epoch == max(each.standing.epoch for each in rest.nodes), "I6", path)


def expect(holds: bool, name: str, path: tuple[str, ...]) -> None:
    if not holds:
        raise Broken(f"{name}: {', '.join(path)}")


def test_every_interleaving_keeps_the_invariants() -> None:
    assert explore(Decisions()) > 1_000


def test_a_power_cut_of_the_holder_alone_never_needs_a_click() -> None:
    """I8: the other never comes back."""
    for lost in (0, 1):
        state = first_state()
        nodes = [
            replace(each, up=at != lost, serves=False, checked=False) for at, each in enumerate(state.nodes)
        ]
        state = replace(state, nodes=tuple(replace(each, age=1) for each in nodes))
        alone = turn(state, 1 - lost, Decisions())
        assert len(servers(alone)) == (1 if lost == 1 else 0)


def serves_whatever_it_hears(standing: Standing, heard: object, **facts: object) -> object:
    return Serve(verified=True) if standing.is_holder else boot_verdict(standing, heard, **facts)  # type: ignore[arg-type]


def ignores_who_answers(standing: Standing, heard: object, **facts: object) -> object:
    return boot_verdict(standing, None, **{**facts, "holder_macs": ()})  # type: ignore[arg-type]


def serves_without_grant(standing: Standing, heard: object, **facts: object) -> object:
    return Serve(verified=False) if facts["waited_seconds"] else boot_verdict(standing, heard, **facts)  # type: ignore[arg-type]


def never_withdraws(*args: object, **facts: object) -> Action:
    action = peer_news(*args, **facts)  # type: ignore[arg-type]
    return Action.KEEP if action is Action.WITHDRAW else action


def always_calls_it_a_fork(*args: object, **facts: object) -> Action:
    action = peer_news(*args, **facts)  # type: ignore[arg-type]
    return Action.FORK if action is Action.WITHDRAW else action


def both_may_mint_any(known: int, side: Side) -> int:
    return known + 1


FAULTS: dict[str, tuple[Callable[[], Decisions], set[str]]] = {
    "serves whatever it hears": (lambda: Decisions(boot=serves_whatever_it_hears), {"I1", "I9"}),
    "ignores who answers": (lambda: Decisions(boot=ignores_who_answers), {"I1", "I9"}),
    "serves without a grant": (lambda: Decisions(boot=serves_without_grant), {"I3", "I1"}),
    "never withdraws": (lambda: Decisions(news=never_withdraws), {"I2"}),
    "always calls it a fork": (lambda: Decisions(news=always_calls_it_a_fork), {"I2", "I8"}),
    "takes the address unseen": (lambda: Decisions(probe=False), {"I1"}),
    "both may mint any number": (lambda: Decisions(mint=both_may_mint_any), {"I5"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str) -> None:
    make, expected = FAULTS[fault]
    with pytest.raises(Broken) as found:
        explore(make())
    assert str(found.value).split(":")[0] in expected
