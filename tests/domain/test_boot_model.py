"""The invariants of DESIGN over every interleaving of clicks, crashes, boots and partitions (F1, F19, F20, F21).

Asserted after every step: I1, I3, I4, I5, I9. From every state, with everything repaired and with only one that
comes back: I2, I3, I6, I7, I8. I10 and I11 are about data and stand with the imports.
"""

from dataclasses import replace
from typing import Any

import pytest

from beistand.domain.boot import Action, Serve, boot_verdict, peer_news
from beistand.domain.facts import Facts
from beistand.domain.pair import Greeting
from beistand.domain.role import Standing
from beistand.domain.serving import CLAIM, RELEASE, WITHDRAW, Act, Checked, acts_on_news, counts
from beistand.operations.takeover import FastProbe, TakeoverPlan, takeover_plan
from domain.model import CUT, DARK, ON, Left, Rules, State, first_state
from domain.model_events import boot, cut, events, heal, power_off
from domain.model_search import Broken, Search, servers

BUDGETS: dict[str, tuple[Left, int]] = {
    "a click and a power cut": (Left(clicks=1, power=1), 10_000),
    "two clicks": (Left(clicks=2), 5_000),
    "a click, a dead agent, a lost message": (Left(clicks=1, agents=1, messages=1), 4_000),
    "a click and a broken line": (Left(clicks=1, lines=1), 1_500),
    "two power cuts and a broken line": (Left(power=2, lines=1), 1_500),
    "a click and a stranger": (Left(clicks=1, strangers=1), 300),
}
"""What may happen, in any order and at any moment; and how many states there are at least."""


@pytest.mark.parametrize("budget", BUDGETS)
def test_every_interleaving_keeps_the_invariants(budget: str) -> None:
    left, least = BUDGETS[budget]
    search = Search()
    assert search.explore(first_state(left)) >= least
    assert search.is_whole


@pytest.mark.parametrize(
    "rules", [Rules(is_strict=True), Rules(has_witnesses=False)], ids=["strict", "dark site"]
)
def test_strict_boots_and_dark_sites_keep_them_too(rules: Rules) -> None:
    search = Search(rules)
    assert search.explore(first_state(Left(clicks=1, lines=1))) > 800
    assert search.explore(first_state(Left(power=2, lines=1))) > 800


def test_a_stall_between_look_and_address_ends_with_one_server() -> None:
    """What no probe can prevent (a disk that stops for a second): I1 for that moment, but every end is whole."""
    search = Search(Rules(may_stall=True), forgiven=("I1", "I9"))
    assert search.explore(first_state(Left(clicks=1, agents=1))) > 2_500


# --- the scenarios of R3, by name ----------------------------------------------------------------------


def follow(state: State, *names: str, rules: Rules | None = None) -> State:
    """Let exactly these things happen, and whatever the agents do by themselves between them."""
    rules = rules or Rules()
    for name in names:
        state = by_themselves(state, rules)
        found = dict(events(state, rules))
        assert name in found, f"{name} is not possible; possible are {sorted(found)}"
        state = found[name]
    return by_themselves(state, rules)


def by_themselves(state: State, rules: Rules) -> State:
    """Let the agents do what they do, as long as no time passes."""
    search = Search(rules)
    while (after := search.next_in_no_time(state)) is not None:
        state = after
    return state


def serving(state: State) -> str:
    return "".join("ab"[me] for me, _ in servers(state))


def taken_over() -> State:
    """A lost its power; B took over and serves under grant 3."""
    return follow(first_state(Left(clicks=1, power=9, lines=9)), "a loses its power", "takeover on b")


def test_stale_boots_alone_and_the_holder_later() -> None:
    state = follow(taken_over(), "b loses its power", "a boots")
    assert serving(state) == ""
    state = follow(state, "time passes")
    assert serving(state) == "a"  # nobody else is there, and nobody could tell it better
    state = follow(state, "b boots")
    assert serving(state) == "b"
    assert {each.grant[0] for each in state.nodes} == {3}


def test_stale_alone_for_long_is_a_fork_that_a_person_ends() -> None:
    """The exception of R3: it has calls and voicemail of its own by now."""
    state = follow(taken_over(), "b loses its power", "a boots", *["time passes"] * 3, "b boots")
    assert serving(state) == "a"
    assert serving(follow(state, "time passes")) == "a"
    for me in "ab":
        state = state._replace(left=state.left._replace(clicks=1))
        assert serving(follow(state, f"takeover on {me}")) == me


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_switch_that_is_slower_than_both(first: str) -> None:
    """Without a link silence means nothing: the two minutes begin with it."""
    second = "b" if first == "a" else "a"
    state = follow(taken_over(), "a boots", "the site loses its power", f"{first} boots", f"{second} boots")
    assert state.line == DARK
    assert "time passes" not in dict(events(state, Rules()))
    assert serving(state) == ""
    assert serving(follow(state, "the line is whole again")) == "b"


def test_both_at_once() -> None:
    state = follow(taken_over(), "a boots", "the site loses its power", "the line is whole again")
    both = boot(boot(state, 0), 1)
    assert serving(by_themselves(both, Rules())) == "b"


@pytest.mark.parametrize("back", ["a", "b"])
def test_only_one_ever_comes_back(back: str) -> None:
    """I8: the wait ends, also for a stale one; it serves unverified and goes on asking."""
    state = follow(power_off(power_off(taken_over(), 0), 1), f"{back} boots")
    assert serving(state) == ""
    state = follow(state, "time passes")
    assert serving(state) == back
    note = state.nodes["ab".index(back)].note
    assert note is not None
    assert not note[1]


def test_a_standby_that_comes_back_alone_needs_one_click() -> None:
    state = follow(
        first_state(Left(clicks=1, power=1)), "the site loses its power", "the line is whole again"
    )
    state = follow(state, "b boots", "time passes")
    assert serving(state) == ""
    assert serving(follow(state, "takeover on b")) == "b"


def test_a_dark_site_without_witnesses() -> None:
    """Boots need no witness; a takeover is possible by a person who accepts what may be."""
    dark = Rules(has_witnesses=False)
    state = follow(first_state(Left(clicks=1, power=9)), "a loses its power", "takeover on b", rules=dark)
    assert serving(state) == "b"
    state = follow(state, "b loses its power", "b boots", rules=dark)
    assert serving(follow(state, "time passes", rules=dark)) == "b"


def test_a_strict_boot_waits_for_a_click_or_for_the_peer() -> None:
    strict = Rules(is_strict=True)
    alone = follow(
        first_state(Left(clicks=1, power=1)),
        "the site loses its power",
        "the line is whole again",
        "a boots",
        "time passes",
        rules=strict,
    )
    assert serving(alone) == ""
    assert serving(follow(alone, "retry on a", rules=strict)) == "a"
    assert serving(follow(alone, "b boots", rules=strict)) == "a"


def test_the_line_heals_between_two_who_serve() -> None:
    """F21: the newer grant stays."""
    state = follow(first_state(Left(clicks=1, lines=1)), "the line is cut", "takeover on b")
    assert serving(state) == "ab"
    assert serving(follow(state, "the line is whole again")) == "b"


def test_the_helpers_of_this_model_do_what_they_say() -> None:
    state = first_state(Left())
    assert power_off(state, 0).nodes[0].held is False
    assert heal(cut(state, DARK)).line != DARK
    assert boot(power_off(state, 0), 0).nodes[0].power == ON


# --- planted faults --------------------------------------------------------------------------------------


def no_second_probe(*given: object) -> TakeoverPlan:
    steps = [each.step for each in takeover_plan(*given).items]  # type: ignore[arg-type]
    return TakeoverPlan.of(*(each for each in steps if not isinstance(each, FastProbe)))


def equal_numbers(facts: Facts, standing: Standing) -> int:
    return max(standing.epoch, facts.peer_epoch, facts.claimed) + 1


def never_withdraws(*given: object, **facts: object) -> Action:
    action = peer_news(*given, **facts)  # type: ignore[arg-type]
    return Action.KEEP if action is Action.WITHDRAW else action


def always_calls_it_a_fork(*given: object, **facts: object) -> Action:
    action = peer_news(*given, **facts)  # type: ignore[arg-type]
    return Action.FORK if action is Action.WITHDRAW else action


def ignores_the_peer(standing: Standing, _heard: object, **facts: object) -> object:
    return boot_verdict(standing, None, **{**facts, "holder_macs": ()})  # type: ignore[arg-type]


def serves_whatever_it_hears(standing: Standing, heard: Greeting | None, **facts: Any) -> object:
    return Serve(verified=True) if standing.is_holder else boot_verdict(standing, heard, **facts)


def goes_on_beside_a_lower_server(action: Action, **known: bool) -> tuple[Act, ...]:
    return () if action is Action.HOLD else acts_on_news(action, **known)


def closes_no_gate(action: Action, **known: bool) -> tuple[Act, ...]:
    return tuple(act for act in acts_on_news(action, **known) if act is not Act.CLOSE_GATE)


def forgets_claims(facts: Facts, _released: int) -> Facts:
    return facts


def no_grant_needed(standing: Standing, checked: Checked | None, released: int) -> bool:
    return counts(checked, standing) and released <= standing.epoch


def releases_bind_nobody(standing: Standing, checked: Checked | None, _released: int) -> bool:
    return standing.is_holder and counts(checked, standing)


REAL = Rules()
STALLING = Rules(may_stall=True)
EQUAL = Rules(claimed_epoch=equal_numbers)
GRANTED = (
    *("takeover on b", "b notes its intent", "b goes on", "b asks a to release"),
    *("a does note-release on news", "a does drop-address on news", "a does close-gate on news"),
    *("a does stop-pbx on news", "b has its answer", "b goes on", "b is ready", "b goes on", "b probes"),
    *("b goes on", "b has grant 3"),
)
"""Exactly these steps, and no other: B is granted 3 and has not begun to serve."""


def exactly(state: State, *names: str, rules: Rules = REAL) -> State:
    for name in names:
        state = dict(events(state, rules))[name]
    return state


def start(left: Left) -> State:
    return first_state(left)


def granted(left: Left) -> State:
    return exactly(first_state(Left(clicks=1)), *GRANTED)._replace(left=left)


def taken(left: Left) -> State:
    return taken_over()._replace(left=left)


def apart(rules: Rules) -> State:
    """A has just booted behind a broken line, and on both sides somebody clicks."""
    state = cut(boot(power_off(first_state(Left(clicks=2)), 0), 0), CUT)
    return exactly(state, "takeover on a", "takeover on b", rules=rules)


FAULTS: dict[str, tuple[Rules, State, str]] = {
    "no second probe": (replace(REAL, plan=no_second_probe), start(Left(clicks=1, strangers=1)), "I1"),
    "address before grant": (
        replace(REAL, claim=(CLAIM[0], Act.HOLD_ADDRESS, *CLAIM[1:])),
        start(Left(clicks=1)),
        "I3",
    ),
    "equal numbers": (EQUAL, apart(EQUAL), "I5"),
    "no withdrawal": (replace(REAL, news=never_withdraws), start(Left(clicks=1, lines=1)), "I6"),
    "always a fork": (replace(REAL, news=always_calls_it_a_fork), start(Left(clicks=1, lines=1)), "I6"),
    "boot that ignores the peer": (
        replace(REAL, boot=ignores_the_peer),
        taken(Left(agents=1)),
        "I1",
    ),
    "serves whatever it hears": (
        replace(REAL, boot=serves_whatever_it_hears),
        taken(Left(agents=1)),
        "I1",
    ),
    "claims are not told": (replace(STALLING, tells_claims=False), start(Left(clicks=2)), "I9"),
    "a number below a claim": (replace(REAL, claims=forgets_claims), start(Left(clicks=2)), "I7"),
    "serves again beside a lower server": (
        replace(REAL, acts_on_news=goes_on_beside_a_lower_server),
        start(Left(clicks=1, lines=1)),
        "I1",
    ),
    "news between question and act": (replace(REAL, one_moment=False), start(Left(clicks=1, lines=1)), "I1"),
    "a gate that stays open": (
        replace(REAL, withdraw=WITHDRAW[::2], release=RELEASE[:2], acts_on_news=closes_no_gate),
        start(Left(clicks=1)),
        "I3",
    ),
    "taking back without a look": (
        replace(REAL, take_back=(Act.FORGET_RELEASE,)),
        start(Left(clicks=2)),
        "I9",
    ),
    "a late release that nobody asks about": (
        replace(REAL, release_is_void=lambda *_: False),
        start(Left(clicks=1, messages=1)),
        "I8",
    ),
    "the check of an agent that died": (
        replace(REAL, looks_again=lambda *_, **__: False),
        granted(Left(clicks=1, agents=1)),
        "I1",
    ),
    "no grant needed": (
        replace(
            REAL,
            may_serve=no_grant_needed,
            needs_check=lambda standing, checked: not counts(checked, standing),
            boot=lambda *_, **__: Serve(verified=True),
        ),
        start(Left()),
        "I3",
    ),
    "releases bind nobody": (replace(STALLING, may_serve=releases_bind_nobody), start(Left(clicks=1)), "I9"),
}
"""What is planted, from where it is looked for, and the invariant that has to name it."""
OF_STEPS = ("I1", "I3", "I4", "I5", "I9")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str) -> None:
    rules, begin, named = FAULTS[fault]
    judges_ends = named not in OF_STEPS or fault == "a gate that stays open"
    with pytest.raises(Broken) as found:
        Search(rules, judges_ends=judges_ends).explore(begin)
    assert str(found.value).split(":")[0] == named, str(found.value)
