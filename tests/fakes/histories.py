"""Histories of two real agents: acts at random or on purpose, invariants after every effect, and what it ends in."""

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from beistand.agent.recovery import Recovery
from beistand.domain.errors import BeistandError
from beistand.domain.job import Job, JobState
from beistand.protocol import Greet, PlanTakeover, Release, Resume, RetryService, StartTakeover, WatchJob
from fakes.agents import Killed, OneOfTwo, TwoAgents
from fakes.fuse import Fused
from fakes.pair_of_appliances import ADDRESS

EVERYTHING = (
    "peer-holds-address",
    "peer-still-serves",
    "isolated",
    "partition-suspected",
    "no-imported-generation",
    "own-data",
    "data-old",
)
MOST_EFFECTS = 14
"""A takeover with its release has fewer on either side."""


class History:
    """One walk: each act is written down, so that a failure reads as a story."""

    def __init__(self, two: TwoAgents, chance: random.Random) -> None:
        self.two, self.random, self.story = two, chance, list[str]()
        self.faults = 0
        self._fused = {one.me: Fused(one, self._checker(one)) for one in (two.a, two.b)}
        self._held = {one.me: False for one in (two.a, two.b)}
        self._broken: list[str] = []
        self._clicks, self._minted = 0, {2: two.a.me}
        for one in (two.a, two.b):
            one.start()
            self._fused[one.me].renew()
            one.agent.reload()

    # --- acts ------------------------------------------------------------------------------------

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
        acts += [self.restart, self.retry, self.kill, self.lose, self.come_and_go, self.fuse, self.fuse]
        acts.append(self.deliver)
        one = self.random.choice([self.two.a, self.two.b])
        self.random.choice(acts)(one)

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
        self.faults += not self.two.segment.cut
        self.two.segment.cut = [] if self.two.segment.cut else [self.two.a.machine]

    def power(self, one: OneOfTwo) -> None:
        if one.machine.is_up:
            self._tell("loses its power", one)
            self.faults += 1
            one.off()
        else:
            self.boot(one)

    def restart(self, one: OneOfTwo) -> None:
        if one.machine.is_up:
            self._tell("agent starts anew", one)
            one.agent.keeper.stop()
            one.start()
            self._begin(one)

    def kill(self, one: OneOfTwo) -> None:
        if one.agent_runs:
            self._tell("agent is killed", one)
            self.faults += 1
            one.agent.keeper.stop()
            one.agent_runs = False

    def fuse(self, one: OneOfTwo) -> None:
        """The end comes at one of its next effects, whatever that is."""
        if one.agent_runs:
            effects, is_before, power = (
                self.random.randrange(MOST_EFFECTS),
                self.random.random() < 0.5,
                self.random.random() < 0.5,
            )
            self.set_fuse(one, effects, is_before=is_before, takes_power=power)

    def set_fuse(self, one: OneOfTwo, effects: int, *, is_before: bool, takes_power: bool) -> None:
        end = "loses its power" if takes_power else "is killed"
        self._tell(f"{end} {'before' if is_before else 'after'} effect {effects} from now", one)
        self._fused[one.me].fuse.set(effects, is_before=is_before, takes_power=takes_power)

    def is_blown(self, one: OneOfTwo) -> bool:
        return bool(self._fused[one.me].fuse.blown)

    def lose(self, one: OneOfTwo) -> None:
        """From now on some of what it says to the peer never arrives; or all does again."""
        lost = self.random.choice([set(), {Resume}, {Release}, {Greet}])
        self._tell(f"loses {[each.__name__ for each in lost]}", one)
        self.faults += bool(lost)
        one.wiring.peer_now.lost = lost

    def deliver(self, one: OneOfTwo) -> None:
        """A request to release comes late: its claim may be long over, and taken back already."""
        if one.agent_runs and one.wiring.peer_now.late:
            self._tell("is heard late", one)
            self._guard(one.wiring.peer_now.deliver)

    def come_and_go(self, _one: OneOfTwo) -> None:
        """A stranger takes the service address, or leaves it."""
        if self.two.stranger.held:
            self._tell("the stranger leaves")
            self.two.stranger.held.clear()
        elif not (self.two.a.machine.held or self.two.b.machine.held):
            self._tell("a stranger comes")
            self.faults += 1
            self.two.stranger.held.add(ADDRESS)

    def retry(self, one: OneOfTwo) -> None:
        if one.agent_runs:
            self._tell("retry", one)
            self._guard(lambda: one.ask(RetryService()))

    def click(self, one: OneOfTwo) -> None:
        if not one.agent_runs:
            return
        self._tell("takeover", one)
        self._clicks += 1
        self._guard(lambda: self._take_over(one))

    def boot(self, one: OneOfTwo) -> None:
        self._tell("boots", one)
        one.agent.keeper.stop()
        one.boot()
        self._begin(one)

    # --- ends --------------------------------------------------------------------------------------

    def settle(self, turns: int = 24) -> None:
        """Everything is back, and nobody clicks."""
        self._tell("all is back")
        self.two.heal()
        self.two.stranger.held.clear()
        for each in (self.two.a, self.two.b):
            self._fused[each.me].fuse.at = -1
            each.wiring.peer_now.lost = set()
            if not each.machine.is_up:
                self.boot(each)
            elif not each.agent_runs:
                self.restart(each)
        for _ in range(turns):
            for each in (self.two.a, self.two.b):
                self._guard(each.agent.link.ask)
                self._guard(each.agent.keeper.tick)
                self._recover(each)
            self.two.clock.advance(6)

    def check_end(self) -> None:
        """Settle, and see that one serves: by itself, or in a fork after one click (I1 to I9)."""
        self.settle()
        assert not self._broken, self._broken[0]
        a, b = self.two.a, self.two.b
        if a.agent.keeper.is_forked or b.agent.keeper.is_forked:
            assert len(self.servers()) == 1, self.says("I6: a fork changes nothing by itself")
            self.click(self.random.choice([a, b]))
            self.settle()
        assert len(self.servers()) == 1, self.says("I8: exactly one serves")
        server = self.servers()[0]
        assert server.store.standing().is_holder, self.says("I3: under its grant")
        other = self.two.other(server)
        assert other.is_clean, self.says("I2: the other is quiet")
        assert other.store.standing().epoch == server.store.standing().epoch, self.says("I6: one truth")
        for each in (a, b):
            assert each.store.plan() is None, self.says("nothing is left to be undone")
        assert not self._broken, self._broken[0]

    def recover_twice(self) -> None:
        """See that one serves, and that what recovers has nothing left to do."""
        self.check_end()
        before = [(each.serves, each.store.standing()) for each in (self.two.a, self.two.b)]
        for each in (self.two.a, self.two.b):
            self.restart(each)
        self.settle(turns=3)
        now = [(each.serves, each.store.standing()) for each in (self.two.a, self.two.b)]
        assert now == before, self.says("F1: a second recovery changes nothing")

    def servers(self) -> list[OneOfTwo]:
        return [each for each in (self.two.a, self.two.b) if each.serves]

    def says(self, why: str) -> str:
        a, b = self.two.a, self.two.b
        ends = [f"{each.me[0]}: {each.state} {each.store.standing().epoch}" for each in (a, b)]
        return "\n".join([why, *self.story, *ends])

    # --- inside ------------------------------------------------------------------------------------

    def _take_over(self, one: OneOfTwo) -> None:
        plan = one.ask(PlanTakeover())
        job = one.ask(StartTakeover(digest=plan.digest, accept=EVERYTHING, operator="walk"))
        job = self._ended(one, job)
        self._tell(f"  {job.state} {job.error or ''}")

    def _ended(self, one: OneOfTwo, job: Job) -> Job:
        while job.state is JobState.RUNNING and not self.is_blown(one):
            job = one.ask(WatchJob(id=job.id, seen=job.revision, seconds=0.2))
        return job

    def _begin(self, one: OneOfTwo) -> None:
        self._fused[one.me].renew()
        self._held[one.me] = bool(one.machine.held)
        if not one.agent.is_initialised:
            self._guard(one.agent.reload)
        self._recover(one)

    def _recover(self, one: OneOfTwo) -> None:
        if not one.agent_runs:
            return
        self._guard(Recovery(one.agent).tick)
        job = one.agent.worker.running()
        if job is not None and not self.is_blown(one):
            self._ended(one, job)
        self._mourn(one)

    def _guard(self, act: Callable[[], object]) -> None:
        try:
            act()
        except BeistandError as error:
            self._tell(f"  {error}")
        except Killed:
            pass
        for one in (self.two.a, self.two.b):
            self._mourn(one)

    def _mourn(self, one: OneOfTwo) -> None:
        """Write down that the fuse blew; what the dead agent's threads do has no effect any more."""
        fuse = self._fused[one.me].fuse
        if fuse.blown and not fuse.blown.endswith("."):
            self._tell(f"  ended {fuse.blown}", one)
            self.faults += 1
            fuse.blown += "."
            with suppress(Killed):
                one.agent.keeper.stop()

    def _checker(self, one: OneOfTwo) -> Callable[[str], None]:
        """Check after every single effect, in whatever thread it happens."""

        def check(what: str) -> None:
            other, me = self.two.other(one), one.store.standing()
            held_before, self._held[one.me] = self._held[one.me], bool(one.machine.held)
            if what == "store.close_plan" and me.is_holder and me.epoch not in self._minted:
                self._minted[me.epoch] = one.me
                self._expect(len(self._minted) <= 1 + self._clicks, "I4: a grant without a click")
            if me.is_holder:
                holder = self._minted.get(me.epoch)
                self._expect(holder == one.me, f"I5: {me.epoch} is {holder}'s")
            if what in {"address", "service"} and (self._held[one.me] and not held_before):
                self._expect(me.is_holder, "I3: the address without a grant")
                if self.two.segment.connects(one.machine, other.machine):
                    self._expect(ADDRESS not in other.machine.held, "I1: taken from a connected peer")
                    is_told = other.agent_runs and Greet not in one.wiring.peer_now.lost
                    higher = is_told and other.store.standing().epoch > me.epoch
                    self._expect(not higher, "I9: below a reachable peer")
            if what == "service" and one.services.running:
                self._expect(me.is_holder or not one.services.is_gate_open, "I3: the PBX without a grant")

        return check

    def _expect(self, holds: bool, why: str) -> None:
        """Remember what is wrong: it may happen in a thread of the agent, which survives everything."""
        if not holds:
            self._broken.append(self.says(why))

    def _tell(self, what: str, one: OneOfTwo | None = None) -> None:
        self.story.append(f"{one.me[0].upper()} {what}" if one else what)


def end_at(folder: Path, who: str, effect: int, *, is_before: bool, takes_power: bool) -> bool:
    """Take over from A to B, end one of them at this effect, recover twice; False: there is no such effect."""
    folder.mkdir()
    two = TwoAgents(folder)
    history = History(two, random.Random(0))
    try:
        two.turns(2)
        one = two.a if who == "a" else two.b
        history.set_fuse(one, effect, is_before=is_before, takes_power=takes_power)
        history.click(two.b)
        is_ended = history.is_blown(one)
        history.recover_twice()
    finally:
        two.stop()
    return is_ended
