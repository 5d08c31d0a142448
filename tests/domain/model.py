"""Two appliances and what may happen to them, as small values: every interleaving can be walked through.

Only the decisions are real (`boot_verdict`, `peer_news`, `next_epoch`): they are passed in, so that a test
can plant a fault in them. Time is three steps: before the wait at boot is over, after it, and past the
fork limit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from beistand.domain.boot import Action, Adopt, Serve, boot_verdict, peer_news
from beistand.domain.pair import Greeting
from beistand.domain.role import Grant, Side, Standing, next_epoch
from fakes.situations import A_MAC, B_MAC, A, B, grant, greeting

NEVER, SHORT, LONG = 0, 1, 2
WAITED = {NEVER: 0.0, SHORT: 121.0, LONG: 10_000.0}
MOST_CLICKS = 3
MACS = (A_MAC, B_MAC)


@dataclass(frozen=True)
class Appliance:
    standing: Standing
    up: bool = True
    agent: bool = True
    """Its agent runs; address and PBX stay when only that ends."""
    serves: bool = False
    is_verified: bool = False
    checked: bool = False
    """This boot's check was passed."""
    age: int = NEVER
    """Since the boot, or since serving unverified began."""


@dataclass(frozen=True)
class State:
    """The two, and the wire between them; grants that were minted, as (epoch, holder)."""

    nodes: tuple[Appliance, Appliance]
    connected: bool = True
    clicks: int = 0
    minted: frozenset[tuple[int, str]] = frozenset({(2, A)})


@dataclass(frozen=True)
class Decisions:
    boot: Callable[..., object] = boot_verdict
    news: Callable[..., Action] = peer_news
    mint: Callable[[int, Side], int] = next_epoch
    probe: bool = True


def first_state() -> State:
    a = Standing(me=A, side=Side.EVEN, grant=grant(2, A), own_epoch=2)
    b = Standing(me=B, side=Side.ODD, grant=grant(2, A))
    return State((Appliance(a, serves=True, is_verified=True, checked=True), Appliance(b)))


def events(state: State, decide: Decisions) -> Iterator[tuple[str, State]]:
    """Yield everything that may happen next, by its name."""
    for at, node in enumerate(state.nodes):
        name = "ab"[at]
        if node.up and not node.agent:
            yield f"power off {name}", _with(state, at, Appliance(node.standing, up=False))
            yield f"agent of {name} starts", _with(state, at, replace(node, agent=True))
        elif node.up:
            yield f"agent of {name} ends", _with(state, at, replace(node, agent=False))
            yield f"power off {name}", _with(state, at, Appliance(node.standing, up=False))
            yield f"turn of {name}", turn(state, at, decide)
            if state.clicks < MOST_CLICKS and not node.serves:
                yield f"click on {name}", click(state, at, decide)
        else:
            yield f"power on {name}", _with(state, at, Appliance(node.standing))
    yield "cut" if state.connected else "heal", replace(state, connected=not state.connected)
    yield (
        "time passes",
        replace(
            state,
            nodes=(
                replace(state.nodes[0], age=_older(state, 0)),
                replace(state.nodes[1], age=_older(state, 1)),
            ),
        ),
    )


def turn(state: State, at: int, decide: Decisions) -> State:
    """One turn of an agent: hear the peer, judge, bring the machine to it."""
    heard = _heard(state, at)
    node = state.nodes[at]
    if node.checked or node.serves:
        return _news(state, at, heard, decide) if heard else state
    for _ in range(2):  # a grant that is adopted is judged at once
        node = state.nodes[at]
        verdict = decide.boot(
            node.standing,
            heard,
            holder_macs=_holders(state, at),
            is_paired=True,
            waited_seconds=WAITED[node.age],
            is_strict=False,
        )
        if isinstance(verdict, Adopt):
            state = _with(state, at, _adopting(node, verdict.grant))
        elif isinstance(verdict, Serve):
            served = replace(node, serves=True, checked=True, is_verified=verdict.verified, age=NEVER)
            return _with(state, at, served)
        else:
            break
    return state


def click(state: State, at: int, decide: Decisions) -> State:
    """Take over: release where the peer can be asked, probe, grant, serve (R1)."""
    node, heard = state.nodes[at], _heard(state, at)
    theirs = heard.grant.epoch if heard and heard.grant else 0
    known = max(node.standing.epoch, theirs)
    epoch = decide.mint(known, node.standing.side)
    state = replace(state, clicks=state.clicks + 1)
    if heard:
        state = _with(state, 1 - at, replace(state.nodes[1 - at], serves=False, checked=False, age=NEVER))
    if decide.probe and _holders(state, at):
        return state
    claimed = grant(epoch, node.standing.me, parent=node.standing.epoch)
    node = replace(_adopting(node, claimed), serves=True, checked=True, is_verified=True, age=NEVER)
    return _with(replace(state, minted=state.minted | {(epoch, node.standing.me)}), at, node)


def settled(state: State, decide: Decisions) -> State:
    """Return what it comes to when cables and power are back and nobody clicks: turns and time, to the end."""
    one, two = (replace(each, agent=True) if each.up else Appliance(each.standing) for each in state.nodes)
    state = replace(state, nodes=(one, two), connected=True)
    for _ in range(12):
        before = state
        for at in (0, 1):
            if state.nodes[at].up:
                state = turn(state, at, decide)
        if state == before:
            return state
    raise AssertionError("it never comes to rest")


def servers(state: State) -> list[Appliance]:
    return [each for each in state.nodes if each.serves]


def is_fork(state: State) -> bool:
    """Tell whether the exception of R3 applies: a long unverified server, and a higher grant elsewhere."""
    return any(
        each.serves
        and not each.is_verified
        and each.age == LONG
        and each.standing.epoch < other.standing.epoch
        for each, other in (state.nodes, state.nodes[::-1])
    )


def _news(state: State, at: int, heard: Greeting, decide: Decisions) -> State:
    node = state.nodes[at]
    unverified = WAITED[node.age] if node.serves and not node.is_verified else 0.0
    action = decide.news(node.standing, heard, serving=node.serves, unverified_seconds=unverified)
    if action in {Action.ADOPT, Action.WITHDRAW}:
        node = replace(node, serves=False, checked=False, is_verified=False, age=NEVER)
        if heard.grant and heard.grant.epoch > node.standing.epoch:
            node = _adopting(node, heard.grant)
    elif action is Action.KEEP and node.serves:
        node = replace(node, is_verified=True)
    return _with(state, at, node)


def _heard(state: State, at: int) -> Greeting | None:
    other = state.nodes[1 - at]
    if not (state.connected and other.up and other.agent):
        return None
    unverified = WAITED[other.age] if other.serves and not other.is_verified else 0.0
    return greeting(other.standing, serving=other.serves, unverified_seconds=unverified)


def _holders(state: State, at: int) -> tuple[str, ...]:
    other = state.nodes[1 - at]
    return (MACS[1 - at],) if state.connected and other.up and other.serves else ()


def _adopting(node: Appliance, new: Grant) -> Appliance:
    me = node.standing.me
    own = new.epoch if new.holder == me else node.standing.own_epoch
    return replace(node, standing=Standing(me=me, side=node.standing.side, grant=new, own_epoch=own))


def _older(state: State, at: int) -> int:
    return min(LONG, state.nodes[at].age + 1) if state.nodes[at].up else NEVER


def _with(state: State, at: int, node: Appliance) -> State:
    nodes = (node, state.nodes[1]) if at == 0 else (state.nodes[0], node)
    return replace(state, nodes=nodes)
