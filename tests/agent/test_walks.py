"""Random histories of two real agents: whatever happens in whatever order, the invariants of DESIGN hold."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from beistand.agent.recovery import Recovery
from beistand.domain.errors import BeistandError
from beistand.domain.job import JobState
from beistand.protocol import Greet, PlanTakeover, Release, Resume, RetryService, StartTakeover, WatchJob
from fakes.agents import OneOfTwo, TwoAgents
from fakes.pair_of_appliances import ADDRESS

STEPS = 40
EVERYTHING = (
    "peer-holds-address",
    "peer-still-serves",
    "isolated",
    "partition-suspected",
    "no-imported-generation",
    "own-data",
    "data-old",
)


class History:
    """One walk: each act is written down, so that a failure reads as a story."""

    def __init__(self, two: TwoAgents, seed: int) -> None:
        self.two, self.random, self.story = two, random.Random(seed), []
        self._watch_effects()

    def step(self) -> None:
        acts = [
            self.turn,
            self.turn,
            self.turn,
            self.hear,
            self.wait,
            self.cut_or_heal,
            self.power,
            self.click,
        ]
        one = self.random.choice([self.two.a, self.two.b])
        self.random.choice([*acts, self.restart, self.retry, self.kill, self.lose, self.come_and_go])(one)

    def settle(self, turns: int = 40) -> None:
        """Everything is back, and nobody clicks."""
        self._tell("all is back")
        self.two.heal()
        self.two.stranger.held.clear()
        for each in (self.two.a, self.two.b):
            each.wiring.peer_now.lost = set()
            if not each.machine.is_up:
                self._boot(each)
            elif not each.agent_runs:
                self.restart(each)
        for _ in range(turns):
            for each in (self.two.a, self.two.b):
                self._guard(each.agent.link.ask)
                self._guard(each.agent.keeper.tick)
                self._recover(each)
            self.two.clock.advance(6)

    def turn(self, one: OneOfTwo) -> None:
        if one.agent_runs:
            self._tell("turn", one)
            self._guard(one.agent.keeper.tick)

    def hear(self, one: OneOfTwo) -> None:
        if one.agent_runs:
            self._tell("greets", one)
            self._guard(one.agent.link.ask)

    def wait(self, _one: OneOfTwo) -> None:
        seconds = self.random.choice([2, 6, 6, 130, 1000])
        self._tell(f"{seconds} s pass")
        self.two.clock.advance(seconds)

    def cut_or_heal(self, _one: OneOfTwo) -> None:
        self._tell("heals" if self.two.segment.cut else "is cut")
        self.two.segment.cut = [] if self.two.segment.cut else [self.two.a.machine]

    def power(self, one: OneOfTwo) -> None:
        if one.machine.is_up:
            self._tell("loses its power", one)
            one.off()
        else:
            self._boot(one)

    def restart(self, one: OneOfTwo) -> None:
        if one.machine.is_up:
            self._tell("agent starts anew", one)
            one.agent.keeper.stop()
            one.start()
            self._recover(one)

    def kill(self, one: OneOfTwo) -> None:
        if one.agent_runs:
            self._tell("agent is killed", one)
            one.agent.keeper.stop()
            one.agent_runs = False

    def lose(self, one: OneOfTwo) -> None:
        """From now on some of what it says to the peer never arrives; or all does again."""
        lost = self.random.choice([set(), {Resume}, {Release}, {Greet}])
        self._tell(f"loses {[each.__name__ for each in lost]}", one)
        one.wiring.peer_now.lost = lost

    def come_and_go(self, _one: OneOfTwo) -> None:
        """A stranger takes the service address, or leaves it."""
        if self.two.stranger.held:
            self._tell("the stranger leaves")
            self.two.stranger.held.clear()
        elif not (self.two.a.machine.held or self.two.b.machine.held):
            self._tell("a stranger comes")
            self.two.stranger.held.add(ADDRESS)

    def retry(self, one: OneOfTwo) -> None:
        if one.agent_runs:
            self._tell("retry", one)
            self._guard(lambda: one.ask(RetryService()))

    def click(self, one: OneOfTwo) -> None:
        if not one.agent_runs:
            return
        self._tell("takeover", one)
        try:
            plan = one.ask(PlanTakeover())
            job = one.ask(StartTakeover(digest=plan.digest, accept=EVERYTHING, operator="walk"))
        except BeistandError as error:
            self._tell(f"  {error}")
            return
        while job.state is JobState.RUNNING:
            job = one.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
        self._tell(f"  {job.state} {job.error or ''}")

    def servers(self) -> list[OneOfTwo]:
        return [each for each in (self.two.a, self.two.b) if each.serves]

    def _boot(self, one: OneOfTwo) -> None:
        self._tell("boots", one)
        one.boot()
        self._recover(one)

    def _recover(self, one: OneOfTwo) -> None:
        if not one.agent.is_initialised:
            one.agent.reload()
        recovery = Recovery(one.agent)
        self._guard(recovery.tick)
        while (job := one.agent.worker.running()) is not None:
            one.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))

    def _watch_effects(self) -> None:
        """Check after every single effect on an address or a unit, in whatever thread it happens."""
        for one in (self.two.a, self.two.b):
            one.wiring.addresses.effect = self._checked(one)
            one.services.effect = self._checked(one)

    def _checked(self, one: OneOfTwo) -> Callable[[Callable[[], object]], None]:
        def effect(change: Callable[[], object]) -> None:
            held_before = bool(one.machine.held)
            change()
            other = self.two.other(one)
            if one.machine.held and not held_before and self.two.segment.connects(one.machine, other.machine):
                assert ADDRESS not in other.machine.held, self._says("I1: taken from a connected peer")

        return effect

    def _guard(self, act: Callable[[], object]) -> None:
        try:
            act()
        except BeistandError as error:
            self._tell(f"  {error}")

    def _tell(self, what: str, one: OneOfTwo | None = None) -> None:
        self.story.append(f"{one.me[0].upper()} {what}" if one else what)

    def _says(self, why: str) -> str:
        a, b = self.two.a, self.two.b
        ends = [f"{each.me[0]}: {each.state} {each.store.standing().epoch}" for each in (a, b)]
        return "\n".join([why, *self.story, *ends])


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_one_serves_in_the_end_or_one_click_is_enough(tmp_path: Path, seed: int) -> None:
    """I1, I6, I7, I8."""
    two = TwoAgents(tmp_path)
    history = History(two, seed)
    try:
        for _ in range(STEPS):
            history.step()
        history.settle()
        a, b = two.a, two.b
        if a.agent.keeper.is_forked or b.agent.keeper.is_forked:
            assert len(history.servers()) == 1, history._says("I6: a fork changes nothing by itself")
            history.click(history.random.choice([a, b]))
            history.settle()
        assert len(history.servers()) == 1, history._says("I8: exactly one serves")
        server = history.servers()[0]
        assert server.store.standing().is_holder, history._says("I3: under its grant")
        other = two.other(server)
        assert other.is_clean, history._says("the other is quiet")
        assert other.store.standing().epoch == server.store.standing().epoch, history._says("one truth")
    finally:
        two.stop()
