"""Random lives of a pair whose two clocks jump for hours, days and decades (F9): the agents' own code, on fakes.

What a cycle would carry is not moved: its decision when to run, its count of tries, its record, the retention and
the ages told are the real ones.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from beistand.agent.cycles import is_cycle_due
from beistand.agent.status import status
from beistand.domain.config import ModuleConfig
from beistand.domain.export import BackupRecord, ExportHeader, surplus
from beistand.domain.generation import Copy, CopyState, Generation
from beistand.domain.imports import Lineage, Point
from beistand.domain.mail import MailServer
from beistand.domain.retention import retained
from beistand.domain.schedule import Interval, Schedule
from beistand.domain.settings import PairSettings
from beistand.operations.tries import counted
from fakes.agents import NoDisk, OneOfTwo, TwoAgents
from fakes.clock import FakeClock
from fakes.situations import NOW, A, generation

KEEP = 5
HOUR, TURN = 3600.0, 300.0
LONG_AGO = date(1960, 1, 1)
"""The schedule runs in 1970, too: before its first day nothing would, and that is told as `clock-unset`."""
DEAD = datetime(1970, 1, 1, tzinfo=UTC)
JUMPS = (
    timedelta(hours=1),
    timedelta(hours=-1),
    timedelta(seconds=90),
    timedelta(days=1),
    timedelta(days=-3),
    timedelta(days=365),
    timedelta(days=-365),
)
SCHEDULES = (
    Schedule(interval=Interval.HOUR, start=LONG_AGO, at=NOW.time()),
    Schedule(interval=Interval.MINUTE, every=30, start=LONG_AGO, at=NOW.time()),
    Schedule(interval=Interval.HOUR, every=4, start=LONG_AGO, at=NOW.time()),
)
MOST_MAILS_A_JUMP = 12


@dataclass
class JumpingClock:
    """Shows another time than it is, and its monotonic seconds go on as if nothing were."""

    true: FakeClock
    off: timedelta = timedelta(0)

    def now(self) -> datetime:
        return self.true.now() + self.off

    def __getattr__(self, name: str) -> Any:
        return getattr(self.true, name)


@dataclass
class LineageDisk(NoDisk):
    """Holds the record of what was imported here."""

    lineage: Lineage = field(default_factory=Lineage)

    def read(self, path: Path) -> bytes | None:
        return msgspec.json.encode(self.lineage) if path.name == "live.json" else None


@dataclass
class Made:
    """A generation, when it was really made, and what the clock that dated it was off by."""

    generation: Generation
    at: float
    off: timedelta


@dataclass
class Life:
    """One random life; `story` tells it, `check` is called after each act."""

    two: TwoAgents
    random: Random
    story: list[str] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    backups: list[BackupRecord] = field(default_factory=list)
    jumps: int = 0

    def __post_init__(self) -> None:
        self.clocks = {each.me: JumpingClock(self.two.clock) for each in self._both()}
        self.schedule = self.random.choice(SCHEDULES)
        config = ModuleConfig(
            schedule=self.schedule,
            send_mail=True,
            mail_address="admin@example.org",
            keep_generations=KEEP,
            keep_backups=KEEP,
        )
        server = MailServer(host="mail.example.org", sender="pbx@example.org")
        self.disk = LineageDisk()
        for each in self._both():
            each.wiring.clock = self.clocks[each.me]  # type: ignore[assignment]
            each.wiring.disk = self.disk if each is self.two.b else NoDisk()
            each.store.set_config(config)
            each.store.set_settings(PairSettings(mail_server=server))
            each.start()
            each.agent.reload()
        self.began = self.two.clock.monotonic()

    # --- acts -----------------------------------------------------------------------------------

    def step(self) -> None:
        """Let something happen, and half an hour pass."""
        act = self.random.choice([self.nothing] * 6 + [self.jump] * 3 + [self.reboot, self.cut_or_heal])
        act(self.random.choice(self._both()))
        self.live(self.random.choice([300.0, 1200.0, 1800.0]))
        self.check()

    def nothing(self, _one: OneOfTwo) -> None:
        pass

    def jump(self, one: OneOfTwo) -> None:
        clock = self.clocks[one.me]
        jump = self.random.choice((*JUMPS, None, DEAD - self.two.clock.now() - clock.off))
        clock.off = timedelta(0) if jump is None else clock.off + jump
        self.jumps += 1
        self._tell(f"the clock of {one.me[0]} shows {clock.now():%Y-%m-%d %H:%M}")

    def reboot(self, one: OneOfTwo) -> None:
        """As after a power cut with an empty battery, sometimes."""
        if self.random.random() < 0.5:
            self.clocks[one.me].off = DEAD - self.two.clock.now()
        self.jumps += 1
        self._tell(f"{one.me[0]} boots at {self.clocks[one.me].now():%Y-%m-%d %H:%M}")
        one.boot()
        one.agent.reload()

    def cut_or_heal(self, _one: OneOfTwo) -> None:
        if self.two.segment.cut:
            self.two.heal()
        else:
            self.two.cut()
        self._tell("the line is cut" if self.two.segment.cut else "the line heals")

    def set_right(self) -> None:
        """What NTP does at last."""
        for each in self.clocks.values():
            each.off = timedelta(0)
        self.two.heal()
        self.jumps += 2
        self._tell("all clocks are right")

    def live(self, seconds: float) -> None:
        """Let both work for so long, in turns of five minutes."""
        end = self.two.clock.monotonic() + seconds
        while self.two.clock.monotonic() < end:
            self.two.turns(1, seconds=0)
            self._cycle(self.two.a)
            for each in self._both():
                each.agent.postman.turn()
                each.agent.alarms.tick()
                each.agent.notices.look()
            self.two.clock.advance(TURN)
        self.two.turns(1, seconds=0)

    def _cycle(self, one: OneOfTwo) -> None:
        """Run what is due, as the agent's loop decides it; a cut line fails the try."""
        agent, node = one.agent, one.agent.node
        attempts = agent.store.attempts()
        if not agent.keeper.is_serving:
            return
        if not is_cycle_due(node, agent.store.config(), attempts, agent.clock.now()):
            return
        agent.store.set_attempts(msgspec.structs.replace(attempts, last_run=agent.clock.now()))
        if self.two.segment.cut:
            return
        with counted(node):
            self._take(one)

    def _take(self, one: OneOfTwo) -> None:
        now, sequence = one.agent.clock.now(), one.store.next_sequence(2)
        new = generation(
            id=f"{now:%Y%m%dT%H%M%SZ}-{sequence}", sequence=sequence, begin=now, end=now, source=A
        )
        self.made.append(Made(new, self.two.clock.monotonic(), self.clocks[A].off))
        for each in self._both():
            at = each.agent.clock.now()
            each.store.record(Copy(generation=new, state=CopyState.IMPORTED, at=at))
        points = (*self.disk.lineage.points, Point(generation=new, undo=f"undo-{sequence}"))
        self.disk.lineage = retained(Lineage(points=points, live=len(points) - 1), KEEP)
        header = ExportHeader(
            format=1, generation=new, signer=A, host="a", version="1", made=now, asked=False, parts=()
        )
        self.backups.append(
            BackupRecord(id=str(sequence), header=header, file_size=1, digest="", is_encrypted=False)
        )
        gone = surplus(self.backups, KEEP)
        self.backups = [each for each in self.backups if each.id not in gone]

    # --- what must hold -------------------------------------------------------------------------

    def check(self) -> None:
        """Raise AssertionError with the story where something that was promised is not so."""
        self._check_order()
        self._check_ages()
        elapsed = self.two.clock.monotonic() - self.began
        step = {Interval.HOUR: HOUR, Interval.MINUTE: 60.0}[self.schedule.interval] * self.schedule.every
        self._holds(len(self.made) <= elapsed / step + 2 * self.jumps + 2, "a storm of cycles")
        mails = sum(len(each.store.outbox(100_000)) for each in self._both())
        most = MOST_MAILS_A_JUMP * (self.jumps + 2) + 4 * elapsed / HOUR
        self._holds(mails <= most, f"a storm of mails: {mails}")

    def _check_order(self) -> None:
        """The newest by its number is what is kept and served, whatever the clocks say."""
        numbers = [each.generation.sequence for each in self.made]
        kept = [each.generation.sequence for each in self.disk.lineage.points]
        self._holds(not numbers or kept[-1] == numbers[-1], "an older generation is live")
        self._holds(len(kept) >= min(KEEP, len(numbers)), f"restore points are missing: {kept}")
        self._holds([int(each.id) for each in self.backups] == numbers[-KEEP:], "backups are missing")
        if numbers:
            for each in self._both():
                usable = each.agent.usable()
                self._holds(
                    usable is not None and usable.generation.sequence == numbers[-1], "another is told"
                )

    def _check_ages(self) -> None:
        if not self.made:
            return
        last, now = self.made[-1], self.two.clock.monotonic()
        for each in self._both():
            age = status(each.agent).usable_age_seconds
            self._holds(age is None or age >= 0.0, f"an age of {age}")
            is_heard = each is self.two.a or each.agent.link.is_connected()
            if is_heard and self.clocks[A].off == last.off:
                self._holds(age is not None, f"{each.me[0]} does not know the age")
                self._holds(abs((age or 0.0) - (now - last.at)) <= TURN + 70, f"{each.me[0]} tells {age}")

    def settle(self) -> None:
        """Everything is right again: the promise of the schedule is kept, and nothing is wrong any more."""
        self.set_right()
        self.live(2 * 4 * HOUR + 1800.0)
        self.check()
        for each in self._both():
            wrong = {found.code for found in status(each.agent).findings}
            clocks = {"copy-stale", "copy-from-the-future", "clocks-differ", "clock-unset", "cycle-overdue"}
            self._holds(not wrong & clocks, f"{each.me[0]} still tells {wrong & clocks}")

    def _holds(self, is_so: bool, what: str) -> None:
        assert is_so, f"{what}: {'; '.join(self.story)}"

    def _both(self) -> list[OneOfTwo]:
        return [self.two.a, self.two.b]

    def _tell(self, what: str) -> None:
        minutes = (self.two.clock.monotonic() - 1000.0) / 60
        self.story.append(f"{minutes:.0f} min: {what}")
