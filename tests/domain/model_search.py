"""Walk through every state of the model that a few faults lead to, and judge each step and where it ends."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from domain.model import (
    CONNECTED,
    DARK,
    DEAD,
    HEARD,
    LINE_BACK,
    OFF,
    ON,
    Left,
    Node,
    Rules,
    State,
    put,
    stands,
)
from domain.model_claim import retry
from domain.model_events import (
    agent_starts,
    boot,
    events,
    heal,
    inner_events,
    power_off,
    time_passes,
    turn_events,
)

NOTHING_LEFT = Left()


class Broken(AssertionError):
    """An invariant does not hold; the message names it, and the way there."""


@dataclass
class Search:
    """An exploration to its end: every state that this many faults and clicks lead to, in any order."""

    rules: Rules = field(default_factory=Rules)
    is_over: Callable[[], bool] = lambda: False
    """Asked now and then; whether the end was reached before is told by `is_whole`."""
    forgiven: tuple[str, ...] = ()
    """Invariants of single steps that are not asked for; where everything ends is judged all the same."""
    judges_ends: bool = True
    is_whole: bool = True
    faults: int = 0
    """Steps that were crashes, broken lines, lost messages or strangers."""
    _ends: dict[State, State] = field(default_factory=dict)
    _came: dict[State, tuple[State, str] | None] = field(default_factory=dict)
    _judged: set[State] = field(default_factory=set)

    def explore(self, start: State) -> int:
        """Return how many states there are. Raises Broken with the shortest way to the first fault."""
        self._came = {start: None}
        open_ends = deque([start])
        while open_ends:
            state = open_ends.popleft()
            if len(self._came) % 1000 == 0 and self.is_over():
                self.is_whole = False
                break
            for name, after in events(state, self.rules):
                self.faults += after.left != state.left
                if (why := wrong_step(state, after)) and not why.startswith(self.forgiven or ("-",)):
                    raise Broken(f"{why}: {self._way(state, name)}")
                if after in self._came:
                    continue
                self._came[after] = (state, name)
                if self.judges_ends and (why := self._wrong_end(after)):
                    raise Broken(f"{why}: {self._way(after)}")
                open_ends.append(after)
        return len(self._came)

    def walk(self, start: State, random: Random, steps: int) -> None:
        """Go one way at random, so many steps deep. Raises Broken with this way."""
        self._came, state = {start: None}, start
        names: list[str] = []
        for _ in range(steps):
            possible = list(events(state, self.rules))
            if not possible:
                return
            name, after = random.choice(possible)
            names.append(name)
            self.faults += after.left != state.left
            if why := wrong_step(state, after) or self._wrong_end(after):
                raise Broken(f"{why}: {', '.join(names)}")
            state = after

    @property
    def ends(self) -> int:
        """Return how many situations were repaired and judged."""
        return len(self._judged)

    def end(self, state: State) -> State:
        """Return where it comes to rest when nothing more happens from outside."""
        way = []
        while state not in self._ends:
            way.append(state)
            after = self.next_in_no_time(state) or next((each for _, each in time_passes(state)), None)
            if after is None:
                self._ends[state] = state
            elif len(way) > 500:
                raise Broken(f"I8: it never comes to rest: {self._way(way[0])}")
            else:
                state = after
        end = self._ends[state]
        for each in way:
            self._ends[each] = end
        return end

    def next_in_no_time(self, state: State) -> State | None:
        """Return the next state of one fair order of what both agents do by themselves; None at rest."""
        return _next(state, self.rules)

    def _wrong_end(self, state: State) -> str:
        for back in ((0, 1), (0,), (1,)):
            repaired = repair(state, back, self.rules)
            if repaired in self._judged:
                continue
            self._judged.add(repaired)
            if why := self._judge(repaired, back):
                return why
        return ""

    def _judge(self, repaired: State, back: tuple[int, ...]) -> str:
        """Say what is wrong with where this leads when everything works and nobody clicks; "" where all is well."""
        rest = self.end(repaired)
        serving = servers(rest)
        if len(serving) > 1:
            return f"I2: in the end both serve, back are {back}"
        for me, each in enumerate(rest.nodes):
            if (each.held or each.gate or each.pbx) and each.grant[1] != me:
                return "I3: the gate is open, or more, without a grant in the end"
        if not serving:
            if self._needs_no_click(repaired, rest, back):
                return f"I8: nobody serves in the end, back are {back}"
            if not self._one_click_helps(rest):
                return f"I7: no click leads to a server, back are {back}"
            return ""
        if len(back) == 2 and not is_fork(rest):
            (_me, server), highest = serving[0], max(each.grant[0] for each in rest.nodes)
            if server.grant[0] != highest or not all(each.grant[0] == highest for each in rest.nodes):
                return "I6: not the newest grant serves"
        return ""

    def _needs_no_click(self, before: State, rest: State, back: tuple[int, ...]) -> bool:
        """Tell whether a server has to come by itself: the holder is back and nothing was released."""
        if self.rules.is_strict:
            return False
        if len(back) == 2:
            return True
        node = rest.nodes[back[0]]
        return node.grant[1] == back[0] and not stands_released(node, back[0])

    def _one_click_helps(self, rest: State) -> bool:
        for me in (0, 1):
            if rest.nodes[me].power == ON:
                for _, clicked in retry(rest, me, self.rules):
                    if len(servers(self.end(clicked))) == 1:
                        return True
        return False

    def _way(self, state: State, last: str = "") -> str:
        names = [last] if last else []
        while (came := self._came.get(state)) is not None:
            state, name = came
            names.append(name)
        return ", ".join(reversed(names))


def wrong_step(before: State, after: State) -> str:
    """Name the invariant that this step breaks; "" where all is well."""
    if after.nodes[0] is before.nodes[0] and after.nodes[1] is before.nodes[1]:
        return ""
    for me in (0, 1):
        was, node, other = before.nodes[me], after.nodes[me], after.nodes[1 - me]
        if node is was or node == was:
            continue
        if node.held and not was.held:
            near = after.line == CONNECTED and other.power != OFF and before.unheard[me] < LINE_BACK
            heard = near and other.power == ON and before.unheard[me] == HEARD
            if node.grant[1] != me:
                return "I3: the address without a grant"
            if near and other.held:
                return "I1: the address from a connected peer"
            if before.stranger and before.line != DARK:
                return "I1: the address from a stranger"
            if heard and other.grant[0] > node.grant[0]:
                return "I9: below the epoch of a reachable peer"
        if node.pbx and not was.pbx and node.grant[1] != me:
            return "I3: the PBX without a grant"
        if node.grant != was.grant and node.grant not in after.minted:
            return "I4: a grant that nobody minted"
    if len(after.minted) > len(before.minted):
        if len(after.minted) > 1 + after.clicks:
            return "I4: a grant without a click"
        epochs = {epoch for epoch, _, _ in after.minted}
        if len(epochs) < len(after.minted):
            return "I5: one number, two grants"
    return ""


def _next(state: State, rules: Rules) -> State | None:
    for _, after in inner_events(state, rules):
        if (asker := _asks(state, after)) is not None and not any(each.news for each in after.nodes):
            looked = next((each for _, each in turn_events(after, asker, rules)), None)
            if looked is None or looked._replace(unheard=state.unheard) == state:
                continue  # it goes on asking: nothing changed
            return looked
        return after
    return None


def _asks(before: State, after: State) -> int | None:
    for me in (0, 1):
        if after.nodes[me].turn[:1] == ("look",) and before.nodes[me].turn == ():
            return me
    return None


def repair(state: State, back: tuple[int, ...], rules: Rules) -> State:
    """Return the state with cables, power and agents back; who is not in `back` never comes back."""
    state = state._replace(left=NOTHING_LEFT, stranger=False, clicks=0, minted=frozenset())
    if state.line != CONNECTED:
        state = heal(state)
    for me in (0, 1):
        node = state.nodes[me]._replace(late=0)
        state = put(state, me, node)
        if me not in back:
            state = power_off(state, me)
        elif node.power == DEAD:
            state = agent_starts(state, me, rules)
        elif node.power == OFF:
            state = boot(state, me)
    return state


def servers(state: State) -> list[tuple[int, Node]]:
    return [(me, each) for me, each in enumerate(state.nodes) if each.held and each.gate and each.pbx]


def stands_released(node: Node, me: int) -> bool:
    return node.released > stands(node, me).epoch


def is_fork(state: State) -> bool:
    """Tell whether the exception of R3 applies: a long unverified server, and a higher grant elsewhere."""
    for me in (0, 1):
        node, other = state.nodes[me], state.nodes[1 - me]
        is_unverified = node.note is not None and not node.note[1]
        if node.held and is_unverified and node.since == 2 and node.grant[0] < other.grant[0]:
            return True
    return False
