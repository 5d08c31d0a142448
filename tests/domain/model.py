"""Two appliances and what may happen to them, one durable or visible change at a time.

Every decision and every order of acts is the project's own (`Rules`); what is modelled here is only that the power,
an agent, the line or a message may be lost between any two of them. A test plants a fault by giving other rules.
An appliance has three threads: the turns of its loop, what the peer's words set off, and a takeover under way.
Time is three steps: before the wait at boot is over, after it, and past the fork limit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import msgspec

from beistand.domain.boot import boot_verdict, peer_news
from beistand.domain.pair import Greeting
from beistand.domain.role import Grant, Side, Standing
from beistand.domain.serving import (
    CLAIM,
    RELEASE,
    SERVE,
    TAKE_BACK,
    WITHDRAW,
    Act,
    Checked,
    acts_on_news,
    is_asked_to_serve,
    looks_again,
    may_release,
    may_serve,
    may_take_over,
    needs_check,
    release_counts,
    release_is_void,
    takes_back,
)
from beistand.operations.takeover import claimed_epoch, takeover_plan, with_claim_of_peer
from fakes.situations import A_MAC, B_MAC, A, B, grant, greeting

OFF, DEAD, ON = 0, 1, 2
"""Of a machine: without power, without its agent, whole."""
CONNECTED, CUT, DARK = 0, 1, 2
"""The line: whole, broken between the two, or no carrier because the switch is off."""
LOOKING = (("look",), ("note",))
SECONDS = {0: 0.0, 1: 121.0, 2: 10_000.0}
HEARD, AGENT_BACK, LINE_BACK = 0, 1, 2
NAMES, MACS, IDS = "ab", (A_MAC, B_MAC), (A, B)

GrantOf = tuple[int, int, int]
"""Epoch, holder (0 or 1), parent."""
FIRST: GrantOf = (2, 0, 0)


class Left(NamedTuple):
    """How often each of these may still happen; repairs cost nothing."""

    clicks: int = 0
    power: int = 0
    """Power cuts, of one appliance or of the site."""
    agents: int = 0
    """Agents that are killed."""
    lines: int = 0
    """Broken lines, or the switch losing its power."""
    messages: int = 0
    """Requests of a takeover that are lost, or whose answer is."""
    strangers: int = 0


class Node(NamedTuple):
    """One appliance: what its disk knows, what /run knows, what the network sees, and what its agent is about."""

    power: int = ON
    grant: GrantOf = FIRST
    own: int = 0
    released: int = 0
    journal: int = 0
    """Number of the plan in the journal; 0: none."""
    late: int = 0
    """Epoch of a request to release that is still on its way to this one; 0: none."""
    note: tuple[int, bool] | None = None
    """This boot's check: epoch, verified."""
    intent: int = 0
    """Epoch of a claim, whose click is a check of its own."""
    held: bool = False
    gate: bool = False
    pbx: bool = False
    waited: int = 0
    """Steps of time since the agent started or the link came."""
    since: int = 0
    """Steps of time since serving unverified began."""
    asked: bool = False
    turn: tuple[Any, ...] = ()
    """A look around under way: ("look", what the peer said), ("note", verified); ("hold",) in a planted fault."""
    news: tuple[Any, ...] = ()
    """Acts that the peer's words set off: (number of the acts, grant, epoch)."""
    claim: tuple[Any, ...] = ()
    """A takeover under way: (where, number of the plan, grant, number of the acts that are left)."""


class State(NamedTuple):
    nodes: tuple[Node, Node]
    left: Left
    line: int = CONNECTED
    stranger: bool = False
    unheard: tuple[int, int] = (HEARD, HEARD)
    """What came back since this one last heard the other or looked around."""
    minted: frozenset[GrantOf] = frozenset({FIRST})
    clicks: int = 0
    """That were made."""


class Said(NamedTuple):
    """A greeting, in short."""

    grant: GrantOf
    own: int
    serving: bool
    unverified: int
    claims: int


@dataclass(frozen=True, eq=False)
class Rules:
    """The decisions and orders of the product; a planted fault replaces one."""

    boot: Callable[..., Any] = boot_verdict
    news: Callable[..., Any] = peer_news
    acts_on_news: Callable[..., tuple[Act, ...]] = acts_on_news
    may_take_over: Callable[..., bool] = may_take_over
    is_asked_to_serve: Callable[..., bool] = is_asked_to_serve
    claimed_epoch: Callable[..., int] = claimed_epoch
    plan: Callable[..., Any] = takeover_plan
    claims: Callable[..., Any] = with_claim_of_peer
    may_serve: Callable[..., bool] = may_serve
    needs_check: Callable[..., bool] = needs_check
    may_release: Callable[..., bool] = may_release
    takes_back: Callable[..., bool] = takes_back
    release_is_void: Callable[..., bool] = release_is_void
    looks_again: Callable[..., bool] = looks_again
    serve: tuple[Act, ...] = SERVE
    withdraw: tuple[Act, ...] = WITHDRAW
    release: tuple[Act, ...] = RELEASE
    take_back: tuple[Act, ...] = TAKE_BACK
    claim: tuple[Act, ...] = CLAIM
    tells_claims: bool = True
    """A greeting names the epoch that a takeover under way would mint."""
    one_moment: bool = True
    """No news comes between the question whether to serve and the address."""
    may_stall: bool = False
    """An appliance may stop for longer than a probe lasts, between its look around and its address."""
    is_strict: bool = False
    has_witnesses: bool = True
    """Gateway and phones answer; False: a site where everything else is dark."""


# --- the project's own values, made once for each small one of the model ---------------------------


@cache
def standing(me: int, known: GrantOf, own: int) -> Standing:
    side = Side.EVEN if me == 0 else Side.ODD
    return Standing(me=IDS[me], side=side, grant=real_grant(known), own_epoch=own)


@cache
def real_grant(known: GrantOf) -> Grant:
    return grant(known[0], IDS[known[1]], known[2])


def short_grant(known: Grant) -> GrantOf:
    return (known.epoch, IDS.index(known.holder), known.parent)


@cache
def checked(note: tuple[int, bool] | None) -> Checked | None:
    return Checked(epoch=note[0], verified=note[1], since=0.0) if note else None


@cache
def real_greeting(whose: int, said: Said) -> Greeting:
    heard = greeting(
        standing(whose, said.grant, said.own),
        serving=said.serving,
        unverified_seconds=SECONDS[said.unverified],
    )
    return msgspec.structs.replace(heard, claims=said.claims)


# --- reading a state -------------------------------------------------------------------------------


def stands(node: Node, me: int) -> Standing:
    return standing(me, node.grant, node.own)


def check_of(node: Node) -> tuple[int, bool] | None:
    """Return the check that counts for the present epoch."""
    epoch = node.grant[0]
    if node.note is not None and node.note[0] == epoch:
        return node.note
    return (epoch, True) if node.intent == epoch else None


def serves_by_right(node: Node, me: int, rules: Rules) -> bool:
    return _may(rules, me, node.grant, node.own, check_of(node), node.released)


@cache
def _may(rules: Rules, me: int, known: GrantOf, own: int, note: Any, released: int) -> bool:
    return rules.may_serve(standing(me, known, own), checked(note), released)


def is_released(node: Node, me: int) -> bool:
    return release_counts(node.released, stands(node, me))


def talks(state: State, me: int) -> bool:
    """Tell whether a request of this agent reaches the other one."""
    return state.line == CONNECTED and state.nodes[1 - me].power == ON


def holder_seen(state: State, me: int) -> str:
    """Return the MAC that answers for the service address."""
    if state.line == DARK:
        return ""
    if state.stranger:
        return "02:00:00:00:00:99"
    return MACS[1 - me] if state.line == CONNECTED and state.nodes[1 - me].held else ""


def said(state: State, whose: int, rules: Rules) -> Said:
    node = state.nodes[whose]
    claims = node.claim[2][0] if rules.tells_claims and node.claim and node.claim[2] else 0
    return Said(node.grant, node.own, node.held, node.since if is_unverified(node) else 0, claims)


def unverified(node: Node) -> float:
    return SECONDS[node.since] if is_unverified(node) else 0.0


def is_unverified(node: Node) -> bool:
    check = check_of(node)
    return node.held and check is not None and not check[1]


# --- changing a state ------------------------------------------------------------------------------


def put(state: State, me: int, node: Node) -> State:
    return state._replace(nodes=(node, state.nodes[1]) if me == 0 else (state.nodes[0], node))


def heard_all(state: State, me: int, what: int = HEARD) -> State:
    """This one knows how things stand, or what came back that it does not know of."""
    if state.unheard[me] == what:
        return state
    return state._replace(unheard=(what, state.unheard[1]) if me == 0 else (state.unheard[0], what))


def looked_around(state: State, me: int) -> State:
    """This one has seen who answers on the line; what an agent over there knows it has not heard."""
    return heard_all(state, me, min(AGENT_BACK, state.unheard[me]))


def done(node: Node, me: int, act: Act, known: GrantOf | None = None, epoch: int = 0) -> Node:
    """Return the appliance after this one act, whole."""
    match act:
        case Act.NOTE_CHECK:
            return node._replace(note=(epoch or node.grant[0], True), since=0)
        case Act.NOTE_CLAIM:
            return node._replace(note=check_of(node), intent=epoch)  # the check that counts now stays
        case Act.VERIFY:
            return node._replace(note=(node.grant[0], True), since=0) if check_of(node) else node
        case Act.FORGET_CHECK:
            # With it goes a look around that is under way: it began before the news.
            return node._replace(
                note=None, intent=0, since=0, turn=() if node.turn[:1] in LOOKING else node.turn
            )
        case Act.NOTE_RELEASE:
            return node._replace(released=epoch)
        case Act.FORGET_RELEASE:
            return node._replace(released=0)
        case Act.ADOPT_GRANT | Act.COMMIT_GRANT:
            return adopting(node, me, known)
        case Act.HOLD_ADDRESS:
            return node._replace(held=True)
        case Act.DROP_ADDRESS:
            return node._replace(held=False)
        case Act.OPEN_GATE:
            return node._replace(gate=True)
        case Act.CLOSE_GATE:
            return node._replace(gate=False)
        case Act.START_PBX:
            return node._replace(pbx=node.gate)  # the unit's own condition: no gate, no start
        case Act.STOP_PBX:
            return node._replace(pbx=False)


def adopting(node: Node, me: int, known: GrantOf | None) -> Node:
    if known is None or known[0] <= node.grant[0]:
        return node
    return node._replace(grant=known, own=known[0] if known[1] == me else node.own)


def missing(node: Node, order: tuple[Act, ...]) -> Act | None:
    """Return the first act of this order whose effect is not there yet."""
    there = {
        Act.HOLD_ADDRESS: node.held,
        Act.OPEN_GATE: node.gate,
        Act.START_PBX: node.pbx or not node.gate,
        Act.DROP_ADDRESS: not node.held,
        Act.CLOSE_GATE: not node.gate,
        Act.STOP_PBX: not node.pbx,
    }
    return next((act for act in order if not there[act]), None)


_ACTS: list[tuple[Act, ...]] = [()]


@cache
def list_of(acts: tuple[Act, ...]) -> int:
    """Return a small number for these acts, 0 for none: states are hashed a million times."""
    if acts not in _ACTS:
        _ACTS.append(acts)
    return _ACTS.index(acts)


@cache
def first_of(number: int) -> tuple[Act, int]:
    """Return the first of these acts, and the number of the others."""
    first, *rest = _ACTS[number]
    return first, list_of(tuple(rest))


def first_state(left: Left) -> State:
    """A serves under epoch 2, B stands by."""
    serving = Node(own=2, note=(2, True), held=True, gate=True, pbx=True, waited=1)
    return State((serving, Node(waited=1)), left)
