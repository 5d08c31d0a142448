"""What may happen next in a state of the model: the turns of an agent, its news, and the world around."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from beistand.domain.boot import Adopt, BootVerdict, Serve
from beistand.domain.serving import Act
from domain.model import (
    AGENT_BACK,
    CONNECTED,
    CUT,
    DARK,
    DEAD,
    HEARD,
    LINE_BACK,
    NAMES,
    OFF,
    ON,
    SECONDS,
    GrantOf,
    Node,
    Rules,
    Said,
    State,
    adopting,
    check_of,
    checked,
    done,
    first_of,
    heard_all,
    holder_seen,
    is_released,
    list_of,
    looked_around,
    missing,
    put,
    real_greeting,
    said,
    serves_by_right,
    short_grant,
    standing,
    stands,
    talks,
    unverified,
)
from domain.model_claim import broken_off, claim_events, is_about_to_serve, retry

Event = tuple[str, State]


def events(state: State, rules: Rules) -> Iterator[Event]:
    """Yield everything that may happen next, by its name."""
    yield from inner_events(state, rules)
    yield from time_passes(state)
    yield from world_events(state, rules)


def inner_events(state: State, rules: Rules) -> Iterator[Event]:
    """Yield what the two agents do by themselves; nobody and nothing else is needed for it."""
    for me in (0, 1):
        if state.nodes[me].power == ON:
            yield from claim_events(state, me, rules)
            yield from news_events(state, me, rules)
            yield from turn_events(state, me, rules)


# --- the loop --------------------------------------------------------------------------------------


def turn_events(state: State, me: int, rules: Rules) -> Iterator[Event]:
    node, name = state.nodes[me], NAMES[me]
    match node.turn:
        case ("look", heard):
            if not is_about_to_serve(state, 1 - me, rules):
                yield f"{name} looks around", looked(state, me, heard, rules)
            return
        case ("note", verified):
            if node.news and rules.one_moment:
                return
            after = node._replace(note=(node.grant[0], verified), since=0, asked=False, turn=())
            yield f"{name} notes its check", put(state, me, after)
            return
        case ("void", released):
            if node.news:
                return
            acts = list_of(rules.take_back) if node.released == released else 0
            after = node._replace(news=(acts, None, 0) if acts else (), turn=())
            yield f"{name} takes its release back", put(state, me, after)
            return
        case ("hold",):
            yield f"{name} does hold-address", put(state, me, node._replace(held=True, turn=()))
            return
    if rules.needs_check(stands(node, me), checked(check_of(node))) and node.turn != ("withdraw",):
        after = asked(state, me, rules)
        if after is not None:
            yield f"{name} asks {NAMES[1 - me]}", after
        return
    may = serves_by_right(node, me, rules)
    act = missing(node, rules.serve if may else rules.withdraw)
    if act is Act.HOLD_ADDRESS and not rules.one_moment:
        yield f"{name} may serve", put(state, me, node._replace(turn=("hold",)))
    elif act is not None and not (act is Act.HOLD_ADDRESS and node.news and rules.one_moment):
        after = done(node, me, act)
        if node.turn and (may or missing(after, rules.withdraw) is None):
            after = after._replace(turn=())
        yield f"{name} does {act}", put(state, me, after)
    elif node.turn:
        yield f"{name} is quiet", put(state, me, node._replace(turn=()))
    elif is_released(node, me) and not node.claim and hears_of_no_claim(state, me, rules):
        yield f"{name} hears of no claim", put(state, me, node._replace(turn=("void", node.released)))


def hears_of_no_claim(state: State, me: int, rules: Rules) -> bool:
    """Tell whether the other one, asked now, says that nothing comes of what this one released for."""
    if not talks(state, me) or any(each.news for each in state.nodes):
        return False
    node = state.nodes[me]
    heard = real_greeting(1 - me, said(state, 1 - me, rules))
    return bool(rules.release_is_void(node.released, stands(node, me), heard))


def asked(state: State, me: int, rules: Rules) -> State | None:
    """Greet the other one before a look around: both hear each other."""
    heard = None
    if talks(state, me):
        if state.nodes[0].news or state.nodes[1].news:
            return None  # one of them is busy with what it heard before
        heard = said(state, 1 - me, rules)
        state = hear(hear(state, 1 - me, rules), me, rules)
    node = state.nodes[me]._replace(turn=("look", heard))
    state = put(state, me, node._replace(waited=0) if state.line == DARK else node)
    return heard_all(state, me) if heard else state


def looked(state: State, me: int, heard: Said | None, rules: Rules) -> State:
    """Judge what the peer said a moment ago and who answers now."""
    node = state.nodes[me]
    mac = holder_seen(state, me)
    seconds = float("inf") if node.asked else SECONDS[node.waited]
    view = View(node.grant, node.own, heard, mac, seconds, rules.is_strict and not node.asked)
    verdict = judged(rules, me, view)
    node = node._replace(turn=("withdraw",) if missing(node, rules.withdraw) else ())
    if isinstance(verdict, Adopt):
        node = adopting(node, me, short_grant(verdict.grant))
    elif isinstance(verdict, Serve) and state.line != DARK:
        node = node._replace(turn=("note", verdict.verified))
    state = put(state, me, node)
    return looked_around(state, me) if node.turn[:1] == ("note",) else state


class View(NamedTuple):
    """All that a look around is judged by."""

    grant: GrantOf
    own: int
    heard: Said | None
    mac: str
    waited_seconds: float
    is_strict: bool


@cache
def judged(rules: Rules, me: int, view: View) -> BootVerdict:
    verdict: BootVerdict = rules.boot(
        standing(me, view.grant, view.own),
        real_greeting(1 - me, view.heard) if view.heard else None,
        holder_macs=(view.mac,) if view.mac else (),
        is_paired=True,
        waited_seconds=view.waited_seconds,
        is_strict=view.is_strict,
    )
    return verdict


# --- what the peer says ------------------------------------------------------------------------------


def news_events(state: State, me: int, rules: Rules) -> Iterator[Event]:
    node, name = state.nodes[me], NAMES[me]
    if node.news:
        number, known, epoch = node.news
        act, rest = first_of(number)
        after = done(node, me, act, known, epoch)._replace(news=(rest, known, epoch) if rest else ())
        state = put(state, me, after)
        yield f"{name} does {act} on news", state
    elif talks(state, me):
        after = hear(state, me, rules)
        if after != state:
            yield f"{name} hears {NAMES[1 - me]}", after


def hear(state: State, me: int, rules: Rules) -> State:
    node, words = state.nodes[me], said(state, 1 - me, rules)
    check = check_of(node)
    own_part = Server(node.held, check is not None and check[1], unverified(node))
    acts = acts_on(rules, me, (node.grant, node.own), words, own_part)
    if not acts or all(done(node, me, act, words.grant) == node for act in acts):
        return heard_all(state, me) if node.grant[1] == me else state
    return heard_all(put(state, me, node._replace(news=(list_of(acts), words.grant, 0))), me)


class Server(NamedTuple):
    serving: bool
    verified: bool
    unverified_seconds: float


@cache
def acts_on(rules: Rules, me: int, known: tuple[GrantOf, int], words: Said, own: Server) -> tuple[Act, ...]:
    action = rules.news(
        standing(me, *known),
        real_greeting(1 - me, words),
        serving=own.serving,
        unverified_seconds=own.unverified_seconds,
    )
    return rules.acts_on_news(action, serving=own.serving, verified=own.verified)


# --- the world -----------------------------------------------------------------------------------------


def world_events(state: State, rules: Rules) -> Iterator[Event]:
    """Yield what people, power, cables and strangers do."""
    left = state.left
    for me in (0, 1):
        yield from _machine_events(state, me, rules)
    if left.power and all(each.power != OFF for each in state.nodes):
        spent = state._replace(left=left._replace(power=left.power - 1), line=DARK)
        yield "the site loses its power", power_off(power_off(spent, 0), 1)
    yield from _line_events(state)
    if state.stranger:
        yield "the stranger leaves", state._replace(stranger=False)
    elif left.strangers and not any(
        each.held or is_about_to_serve(state, me, rules) for me, each in enumerate(state.nodes)
    ):
        yield (
            "a stranger comes",
            state._replace(stranger=True, left=left._replace(strangers=left.strangers - 1)),
        )


def _machine_events(state: State, me: int, rules: Rules) -> Iterator[Event]:
    node, name, left = state.nodes[me], NAMES[me], state.left
    if node.power == OFF:
        yield f"{name} boots", boot(state, me)
        return
    if left.power:
        yield (
            f"{name} loses its power",
            power_off(state._replace(left=left._replace(power=left.power - 1)), me),
        )
    if node.power == DEAD:
        yield f"agent of {name} starts", agent_starts(state, me, rules)
        return
    if left.agents:
        spent = state._replace(left=left._replace(agents=left.agents - 1))
        yield f"agent of {name} is killed", agent_dies(spent, me)
    if node.late and not node.news and state.line == CONNECTED:
        may = rules.may_release(stands(node, me), node.late)
        news = (list_of(rules.release), None, node.late) if may else ()
        yield f"a late request reaches {name}", put(state, me, node._replace(late=0, news=news))
    if left.clicks:
        spent = state._replace(left=left._replace(clicks=left.clicks - 1), clicks=state.clicks + 1)
        yield from retry(spent, me, rules)


def _line_events(state: State) -> Iterator[Event]:
    left = state.left
    if state.line != CONNECTED:
        yield "the line is whole again", heal(state)
        return
    if left.lines:
        state = state._replace(left=left._replace(lines=left.lines - 1))
        yield "the line is cut", cut(state, CUT)
        yield "the switch goes off", cut(state, DARK)


def power_off(state: State, me: int) -> State:
    node = state.nodes[me]
    kept = Node(OFF, node.grant, node.own, node.released, node.journal)
    return broken_off(put(state, me, kept), 1 - me)


def boot(state: State, me: int) -> State:
    return agent_back(put(state, me, state.nodes[me]._replace(power=ON)), 1 - me)


def agent_back(state: State, for_whom: int) -> State:
    return heard_all(state, for_whom, max(AGENT_BACK, state.unheard[for_whom]))


def agent_dies(state: State, me: int) -> State:
    node = state.nodes[me]._replace(power=DEAD, turn=(), news=(), claim=(), asked=False, waited=0)
    return broken_off(put(state, me, node), 1 - me)


def agent_starts(state: State, me: int, rules: Rules) -> State:
    node = state.nodes[me]._replace(power=ON)
    if rules.looks_again(checked(check_of(node)), stands(node, me), holds=node.held):
        # It was checked in this boot already: it looks, and does not wait for a silent peer.
        node = node._replace(note=None, intent=0, since=0, asked=True)
    return agent_back(put(state, me, node), 1 - me)


def cut(state: State, line: int) -> State:
    state = state._replace(line=line, unheard=(HEARD, HEARD))
    return broken_off(broken_off(state, 0), 1)


def heal(state: State) -> State:
    return state._replace(line=CONNECTED, unheard=(LINE_BACK, LINE_BACK))


def time_passes(state: State) -> Iterator[Event]:
    """Two minutes, or a quarter of an hour: nothing that takes a moment is under way meanwhile."""
    if any(each.turn or each.news or each.claim for each in state.nodes):
        return
    nodes = []
    for node in state.nodes:
        if node.power == ON:
            is_unverified = node.note is not None and not node.note[1]
            node = node._replace(  # noqa: PLW2901
                waited=node.waited if state.line == DARK else 1,
                since=min(2, node.since + 1) if is_unverified else 0,
            )
        nodes.append(node)
    after = state._replace(nodes=(nodes[0], nodes[1]))
    if after != state:
        yield "time passes", after
