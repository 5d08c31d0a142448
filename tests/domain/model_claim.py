"""A takeover in the model, phase by phase: intent, release, data, probe, grant; and what undoes it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

import msgspec

from beistand.domain.facts import Facts, PeerSigns
from beistand.domain.installation import Installation, ServiceAddress
from beistand.domain.message import message
from beistand.domain.role import Role
from beistand.domain.safety import findings, not_accepted
from beistand.domain.serving import Act
from beistand.operations.runner import after_leftovers
from beistand.operations.takeover import (
    AskPeerToRelease,
    AwaitSilence,
    FastProbe,
    TakeoverPlan,
)
from domain.model import (
    CONNECTED,
    DARK,
    MACS,
    NAMES,
    OFF,
    ON,
    GrantOf,
    Node,
    Rules,
    State,
    done,
    first_of,
    holder_seen,
    is_released,
    list_of,
    looked_around,
    put,
    real_greeting,
    said,
    serves_by_right,
    stands,
    talks,
    unverified,
)
from fakes.situations import imported

Event = tuple[str, State]
INSTALLATION = Installation(
    interface="eth0",
    own_address="192.0.2.1/24",
    service_addresses=(ServiceAddress(address="192.0.2.10", interface="eth0"),),
    profile="asterisk",
)
EVERYTHING = (
    "isolated",
    "partition-suspected",
    "peer-holds-address",
    "peer-still-serves",
    "own-data",
    "data-old",
)
WHY = message("interrupted")

_PLANS: list[TakeoverPlan] = [TakeoverPlan.of()]
_NUMBERS: dict[bytes, int] = {}


def number_of(plan: TakeoverPlan) -> int:
    """Return a small number for this plan: states are compared a million times."""
    key = msgspec.json.encode(plan)
    if key not in _NUMBERS:
        _PLANS.append(plan)
        _NUMBERS[key] = len(_PLANS) - 1
    return _NUMBERS[key]


@cache
def after(number: int, what: str) -> int:
    """Return the plan started, finished or backed out."""
    plan = _PLANS[number]
    if what == "back":
        return number_of(plan.backed_out(WHY))
    index = plan.next()
    assert index is not None
    return number_of(plan.started(index) if what == "start" else plan.finished(index))


@cache
def ahead(number: int) -> tuple[str, int]:
    """Return the kind of the next step and its epoch; "" at either end."""
    plan = _PLANS[number]
    index = plan.next()
    if index is None:
        return ("", 0)
    step = plan.items[index].step
    if isinstance(step, AskPeerToRelease):
        return ("release", step.epoch)
    kinds: dict[type, str] = {AwaitSilence: "silence", FastProbe: "probe"}
    return (kinds.get(type(step), "data"), 0)


@cache
def backs_out(number: int) -> bool:
    return _PLANS[number].backing_out


# --- the click ---------------------------------------------------------------------------------------


def retry(state: State, me: int, rules: Rules) -> Iterator[Event]:
    """Yield what a person may click here: the takeover, or "serve again" (the state has paid for it)."""
    node, name = state.nodes[me], NAMES[me]
    if not node.claim and may_take_over(state, me, rules):
        begun = begin(state, me, rules)
        if begun is not None:
            yield f"takeover on {name}", begun
    is_held_back = rules.is_asked_to_serve(stands(node, me), serving=node.held)
    if not node.news and (is_released(node, me) or is_held_back):
        node = node._replace(asked=is_held_back)
        if is_released(node, me):
            node = node._replace(news=(list_of(rules.take_back), None, 0))
        yield f"retry on {name}", put(state, me, node)


def may_take_over(state: State, me: int, rules: Rules) -> bool:
    node = state.nodes[me]
    is_chosen_between = is_forked(state, me, rules)
    return rules.may_take_over(stands(node, me), serving=node.held, is_chosen_between=is_chosen_between)


def is_forked(state: State, me: int, rules: Rules) -> bool:
    if not talks(state, me):
        return False
    node, heard = state.nodes[me], real_greeting(1 - me, said(state, 1 - me, rules))
    action = rules.news(stands(node, me), heard, serving=node.held, unverified_seconds=unverified(node))
    return str(action) == "fork"


def begin(state: State, me: int, rules: Rules) -> State | None:
    node = state.nodes[me]
    seen = rules.claims(facts(state, me, rules), node.released if is_released(node, me) else 0)
    here = stands(node, me)
    if not_accepted(findings(seen), EVERYTHING):
        return None
    plan = rules.plan(seen, here, INSTALLATION)
    old = _PLANS[node.journal] if node.journal else None
    number = number_of(after_leftovers(old, plan))
    new: GrantOf = (rules.claimed_epoch(seen, here), me, here.epoch)
    return put(state, me, node._replace(claim=("note", number, new, list_of(rules.claim))))


def facts(state: State, me: int, rules: Rules) -> Facts:
    """Return what is observed at the click."""
    node, other = state.nodes[me], state.nodes[1 - me]
    is_near = state.line == CONNECTED and other.power != OFF
    here = stands(node, me)
    seen = Seen(
        line=state.line,
        holder=holder_seen(state, me),
        is_near=is_near,
        agent=talks(state, me),
        epoch=said(state, 1 - me, rules).grant[0] if talks(state, me) else 0,
        has_copy=here.role is Role.STANDBY,
        own_data=here.has_own_data,
    )
    return _facts(me, seen, rules.has_witnesses)


class Seen(NamedTuple):
    line: int
    holder: str
    is_near: bool
    agent: bool
    epoch: int
    has_copy: bool
    own_data: bool


@cache
def _facts(me: int, seen: Seen, witnesses: bool) -> Facts:
    answering = 0 if seen.line == DARK or not witnesses else 10 if seen.line == CONNECTED else 4
    near = seen.is_near
    return Facts(
        at=datetime(2026, 3, 2, 8, 0, tzinfo=UTC),
        carrier=seen.line != DARK,
        gateway=witnesses and seen.line != DARK,
        phones_known=10,
        phones_answering=answering,
        holder_mac=seen.holder,
        peer_mac=MACS[1 - me],
        peer=PeerSigns(arp=near, icmp=near, ssh=near, agent=seen.agent),
        peer_epoch=seen.epoch,
        sip=False,
        copy=imported() if seen.has_copy else None,
        import_running=False,
        own_data=seen.own_data and not seen.has_copy,
    )


# --- its phases --------------------------------------------------------------------------------------


def claim_events(state: State, me: int, rules: Rules) -> Iterator[Event]:
    node, name = state.nodes[me], NAMES[me]
    if not node.claim:
        yield from _recovery(state, me)
        return
    where, number, new, acts = node.claim
    if where == "note":
        # What stands before the grant in the order of a claim, but for the plan itself.
        act, rest = first_of(acts)
        here = done(node, me, act, None, new[0])
        yield f"{name} notes its intent", put(state, me, here._replace(claim=("plan", number, new, rest)))
    elif where == "plan":
        yield f"{name} goes on", put(state, me, _next_step(node, me))
    elif where == "do":
        yield from _step(state, me, rules)
    elif where == "wait":
        if not state.nodes[1 - me].news:  # its agent has done all of it
            yield f"{name} has its answer", put(state, me, _finished(node))
            if state.left.messages:
                lost = state._replace(left=state.left._replace(messages=state.left.messages - 1))
                yield f"the answer to {name} is lost", put(lost, me, _failed(node))
    elif where == "failed":
        yield f"{name} hears no answer", put(state, me, _failed(node))
    elif where == "grant":
        yield from _grant(state, me)


def _recovery(state: State, me: int) -> Iterator[Event]:
    """What a crash cut short is undone, as soon as it can be."""
    node = state.nodes[me]
    if node.journal:
        number = after(node.journal, "back")
        if ahead(number)[0] != "release" or talks(state, me):
            yield (
                f"{NAMES[me]} undoes what is left",
                put(state, me, node._replace(claim=("plan", number, None, 0))),
            )


def _next_step(node: Node, me: int) -> Node:
    _, number, new, acts = node.claim
    if not ahead(number)[0]:
        if backs_out(number):
            return node._replace(journal=0, claim=())
        return node._replace(claim=("grant", number, new, acts))
    started = after(number, "start")
    return node._replace(journal=started, claim=("do", started, new, acts))


def _finished(node: Node) -> Node:
    _, number, new, acts = node.claim
    return node._replace(claim=("plan", after(number, "finish"), new, acts))


def _failed(node: Node) -> Node:
    """A failing step turns the plan round; a failing undo leaves it in the journal."""
    _, number, new, acts = node.claim
    if backs_out(number):
        return node._replace(claim=())
    back = after(number, "back")
    return node._replace(journal=back, claim=("plan", back, new, acts))


def _step(state: State, me: int, rules: Rules) -> Iterator[Event]:
    node, name = state.nodes[me], NAMES[me]
    kind, epoch = ahead(node.claim[1])
    if kind == "release":
        yield from _ask(state, me, epoch, rules)
    elif kind == "data" or backs_out(node.claim[1]):
        yield f"{name} is ready", put(state, me, _finished(node))
    elif kind == "silence":
        if not holder_seen(state, me):
            yield f"{name} hears silence", looked_around(put(state, me, _finished(node)), me)
        else:
            yield f"{name} waited in vain", put(state, me, _failed(node))
    elif state.line != DARK:
        if state.nodes[1 - me].turn or is_about_to_serve(state, 1 - me, rules):
            return
        mac = holder_seen(state, me)
        after_probe = put(state, me, _failed(node) if mac else _finished(node))
        yield f"{name} probes", after_probe if mac else looked_around(after_probe, me)
    else:
        yield f"{name} cannot probe", put(state, me, _failed(node))


def is_about_to_serve(state: State, me: int, rules: Rules) -> bool:
    """Tell whether this one is between its last look and its address.

    That is a moment, a look around takes half a second and a probe 0.8 s: nobody else's begins and ends in it,
    unless this one stalls.
    """
    node = state.nodes[me]
    if rules.may_stall or node.power != ON:
        return False
    is_past_probe = bool(node.claim) and (
        node.claim[0] == "grant" or (node.claim[0] == "plan" and not ahead(node.claim[1])[0])
    )
    may = serves_by_right(node, me, rules) and not (node.held or node.news)
    return may or node.turn[:1] == ("note",) or (is_past_probe and not backs_out(node.claim[1]))


def _ask(state: State, me: int, epoch: int, rules: Rules) -> Iterator[Event]:
    """Ask the peer to release, or to take it back; it carries that out by itself, act by act."""
    node, name = state.nodes[me], NAMES[me]
    if not talks(state, me):
        yield f"{name} does not reach {NAMES[1 - me]}", put(state, me, _failed(node))
        return
    peer = state.nodes[1 - me]
    word = "resume" if backs_out(node.claim[1]) else "release"
    if state.left.messages:
        lost = state._replace(left=state.left._replace(messages=state.left.messages - 1))
        failed = put(lost, me, _failed(node))
        yield f"the request of {name} is lost", failed
        if word == "release":
            # Of a broken line the kernel sends again what it has, also after whoever asked gave up waiting.
            yield f"the request of {name} is late", put(failed, 1 - me, peer._replace(late=epoch))
    if peer.news:
        return  # it answers later
    if word == "release" and not rules.may_release(stands(peer, 1 - me), epoch):
        yield f"{NAMES[1 - me]} refuses {name}", put(state, me, _failed(node))
        return
    if word == "release":
        acts = rules.release
    else:
        acts = rules.take_back if rules.takes_back(peer.released, stands(peer, 1 - me), epoch) else ()
    state = put(state, me, node._replace(claim=("wait", *node.claim[1:])))
    told = peer._replace(news=(list_of(acts), None, epoch) if acts else ())
    yield f"{name} asks {NAMES[1 - me]} to {word}", put(state, 1 - me, told)


def _grant(state: State, me: int) -> Iterator[Event]:
    node, name = state.nodes[me], NAMES[me]
    _, number, new, acts = node.claim
    act, rest = first_of(acts)
    if act is not Act.COMMIT_GRANT:
        here = done(node, me, act, None, new[0])
        yield (
            f"{name} does {act} before its grant",
            put(state, me, here._replace(claim=("grant", number, new, rest))),
        )
    elif node.grant[0] >= new[0]:
        yield f"{name} is overtaken", put(state, me, _failed(node))
    else:
        # One transaction: the grant, and the end of the plan. What follows, the turns do.
        here = done(node, me, act, new)._replace(journal=0, claim=())
        minted = state._replace(minted=state.minted | {new})
        yield f"{name} has grant {new[0]}", put(minted, me, here)


def broken_off(state: State, me: int) -> State:
    """The other side of a request is gone while this one waits for its answer."""
    node = state.nodes[me]
    if node.power != ON or not node.claim or node.claim[0] != "wait":
        return state
    return put(state, me, node._replace(claim=("failed", *node.claim[1:])))
