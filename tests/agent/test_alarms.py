"""B3, F28, F30 and F9 with the real agents: who tells what, on which side, whatever the clocks show."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beistand.agent.alarms import ABSENCE_SECONDS
from beistand.agent.lookout import LOOK_SECONDS, TRIAL_SECONDS
from beistand.agent.status import status
from beistand.domain.config import ModuleConfig
from beistand.domain.errors import Failed
from beistand.domain.finding import Severity
from beistand.domain.generation import CopyState
from beistand.domain.imports import Lineage, Point
from beistand.domain.job import Job, JobState
from beistand.domain.mail import MailServer
from beistand.domain.schedule import Interval, Schedule
from beistand.domain.settings import PairSettings
from beistand.protocol import (
    Greet,
    PlanTakeover,
    ReadAudit,
    StartTakeover,
    TakeoverPlanAnswer,
    WatchJob,
)
from beistand.text.audit import audited
from fakes.agents import NoDisk, OneOfTwo, TwoAgents
from fakes.mail import DOWN
from fakes.situations import NOW, STRANGER_MAC, imported

SERVER = MailServer(host="mail.example.org", sender="pbx@example.org")
HOURLY = Schedule(interval=Interval.HOUR, start=NOW.date(), at=NOW.time())
CONFIG = ModuleConfig(send_mail=True, mail_address="admin@example.org", schedule=HOURLY)

COPY = imported(begin=NOW - timedelta(hours=1))


class Imported(NoDisk):
    """Holds the record of what was imported, and nothing else."""

    def read(self, path: Path) -> bytes | None:
        points = (Point(generation=COPY.generation),)
        return msgspec.json.encode(Lineage(points=points, live=0)) if path.name == "live.json" else None


@pytest.fixture
def pair(two: TwoAgents) -> TwoAgents:
    """Both know each other, mails are wanted, and the standby has data of an hour ago."""
    for each in (two.a, two.b):
        each.store.set_settings(PairSettings(mail_server=SERVER))
        each.store.set_config(CONFIG)
        each.store.record(COPY)
    two.b.wiring.disk = Imported()
    two.b.agent.reload()
    live(two, 3)
    return two


def live(two: TwoAgents, turns: int, seconds: float = 6.0) -> None:
    """Let both do all that a turn does, and time pass; jobs are not started."""
    for _ in range(turns):
        two.turns(1, seconds=0)
        for each in (two.a, two.b):
            if each.agent_runs and each.machine.is_up:
                each.agent.postman.turn()
                each.agent.lookout.turn()
                each.agent.alarms.tick()
                each.agent.notices.look()
        two.clock.advance(seconds)
    two.turns(1, seconds=0)


def told(one: OneOfTwo) -> dict[str, Severity]:
    return {each.code: each.severity for each in status(one.agent).findings}


def mails(one: OneOfTwo) -> list[str]:
    return [each.kind for each in reversed(one.store.outbox())]


def test_the_other_one_tells_that_no_mail_gets_out(pair: TwoAgents) -> None:
    """F30: the mail server takes nothing from a: after ten minutes both pages are red, and b mails it."""
    pair.a.wiring.mailer.trouble = DOWN
    pair.a.store.set_config(msgspec.structs.replace(CONFIG, mail_address="other@example.org"))
    pair.cut()
    live(pair, 30)  # a wants to tell that b is silent
    pair.heal()
    live(pair, 20, seconds=60)
    assert told(pair.a)["mails-wait"] is Severity.BLOCK
    assert told(pair.b)["peer-mails-wait"] is Severity.BLOCK
    live(pair, 15)
    letter = next(each for each in pair.b.store.outbox() if "cannot send its mails" in each.body)
    assert letter.state.value == "sent"
    pair.a.wiring.mailer.trouble = {}
    live(pair, 80, seconds=60)
    assert "mails-wait" not in told(pair.a)
    assert "peer-mails-wait" not in told(pair.b)
    assert mails(pair.b)[-1] == "problem-gone"


@pytest.mark.shows("F30")
def test_no_news_is_red_on_the_other_side_and_ends_with_its_begin(pair: TwoAgents) -> None:
    """F30: the agent of a stops for five hours."""
    pair.a.agent_runs = False
    live(pair, 3)
    assert told(pair.b)["peer-silent"] is Severity.WARN
    live(pair, 20)
    assert told(pair.b)["peer-silent"] is Severity.BLOCK
    pair.clock.advance(5 * 3600)
    live(pair, 1)
    pair.a.start()
    pair.a.agent.reload()
    live(pair, 5)
    assert "peer-silent" not in told(pair.b)
    back = next(each for each in pair.b.store.outbox() if each.kind == "peer-back")
    assert "silent from" in back.body
    away = next(each for each in pair.a.store.outbox() if each.kind == "was-away")
    assert "was away from" in away.body


def alarms_of(one: OneOfTwo, contains: str) -> list[tuple[str, str]]:
    """Return who raised or ended an alarm, and which, oldest first, as the audit log shows it."""
    found: Any = one.ask(ReadAudit(contains=contains, limit=100))
    return [(each.who, audited(each.what, "en").split(",")[0]) for each in reversed(found.lines)]


@pytest.mark.shows("F30", "B3")
def test_an_alarm_stands_where_nobody_can_switch_it_off(pair: TwoAgents) -> None:
    """F30: a is silent for hours, and b is restarted meanwhile: one begin, one end, without the module's log."""
    silent = "the other appliance does not answer"
    for each in (pair.a, pair.b):
        each.store.set_config(msgspec.structs.replace(CONFIG, log=False))
    pair.a.agent_runs = False
    live(pair, 23)
    assert alarms_of(pair.b, silent) == [("Beistand", f"raised an alarm: {silent}")]
    pair.b.start()
    pair.b.agent.reload()
    live(pair, 23)
    assert len(alarms_of(pair.b, silent)) == 1
    pair.a.start()
    pair.a.agent.reload()
    live(pair, 5)
    (_, (who, what)) = alarms_of(pair.b, silent)
    assert who == "Beistand"
    assert what.startswith("ended the alarm of ")


def test_an_alarm_that_no_disk_takes_is_not_told_again_and_again(
    pair: TwoAgents, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_words: object, **_more: object) -> None:
        raise Failed("disk-full", path="/var")

    pair.b.store.put = pair.b.store.tell = full  # type: ignore[method-assign]
    pair.a.agent_runs = False
    live(pair, 40)
    said = capsys.readouterr().err
    assert said.count('alarm-begins what="peer-silent ') == 1


def test_a_short_stop_is_no_absence(pair: TwoAgents) -> None:
    pair.clock.advance(ABSENCE_SECONDS - 60)
    pair.a.start()
    pair.a.agent.reload()
    live(pair, 3)
    assert "was-away" not in mails(pair.a)


def test_a_clock_that_comes_right_later_tells_the_absence_then(pair: TwoAgents) -> None:
    """F9: the machine boots in 1970, and NTP sets the clock minutes later."""
    pair.a.agent_runs = False
    right = pair.clock.now() + timedelta(hours=3)
    pair.clock.jump(datetime(1970, 1, 1, tzinfo=UTC))
    pair.a.boot()
    pair.a.agent.reload()
    live(pair, 5)
    assert "clock-unset" in told(pair.a)
    assert "was-away" not in mails(pair.a)
    pair.clock.jump(right)
    live(pair, 3)
    assert mails(pair.a).count("was-away") == 1
    assert "clock-unset" not in told(pair.a)


def test_a_schedule_that_starts_nothing_is_told_on_both_sides(pair: TwoAgents) -> None:
    """F30: a cycle is due, and nothing begins it: here the loop's part that would is never called."""
    live(pair, 3)
    assert "cycle-overdue" not in told(pair.a)
    live(pair, 10, seconds=60)
    assert "cycle-overdue" in told(pair.a)
    assert "peer-cycle-overdue" in told(pair.b)
    pair.a.store.set_config(msgspec.structs.replace(CONFIG, active=False))
    live(pair, 2)
    assert "cycle-overdue" not in told(pair.a)
    assert "peer-cycle-overdue" not in told(pair.b)


def test_old_data_says_on_both_sides_how_far_anything_newer_came(pair: TwoAgents) -> None:
    """B3: nothing was imported for a day, and the newest generation stays on the way."""
    stays = imported(id="20260302T080000Z-8", sequence=8, begin=NOW)
    for each in (pair.a, pair.b):
        each.store.record(msgspec.structs.replace(stays, state=CopyState.TRANSFERRED))
    assert "copy-stale" not in told(pair.a)
    live(pair, 24, seconds=3600)
    for each in (pair.a, pair.b):
        assert {"copy-stale", "stays-not-imported"} <= told(each).keys()
        assert mails(each).count("data-stale") == 1


@pytest.mark.parametrize("skew", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=-20000)])
def test_the_age_is_what_the_clock_says_that_dated_the_data(pair: TwoAgents, skew: timedelta) -> None:
    """F9: the clock of the standby is off; the data is an hour and some seconds old, and both say so."""
    pair.b.wiring.clock = pair.b.agent.clock = Shifted(pair.clock, skew)
    pair.b.start()
    pair.b.agent.reload()
    live(pair, 2)
    for each in (pair.a, pair.b):
        shown = status(each.agent)
        assert "clocks-differ" in told(each)
        assert shown.usable_age_seconds is not None
        assert 3600 <= shown.usable_age_seconds < 3700
    pair.cut()
    live(pair, 10)
    shown = status(pair.b.agent)
    assert shown.usable_age_seconds is not None, (
        "what its clock showed is known while the peer is silent, too"
    )
    assert 3600 <= shown.usable_age_seconds < 3800
    pair.b.start()
    pair.b.agent.reload()
    pair.b.turn()
    shown = status(pair.b.agent)
    assert shown.usable_age_seconds is not None, "and after a restart"
    assert 3600 <= shown.usable_age_seconds < 3800


def test_without_any_word_of_the_peer_a_dead_clock_is_no_age(pair: TwoAgents) -> None:
    """F9, F28: the standby boots in 1970 while the active is dead: not `0 s`, and not a silent yes."""
    pair.a.off()
    pair.clock.jump(datetime(1970, 1, 1, tzinfo=UTC))
    pair.b.boot()
    pair.b.agent.reload()
    live(pair, 2)
    assert status(pair.b.agent).usable_age_seconds is None
    assert {"clock-unset", "copy-from-the-future"} <= told(pair.b).keys()


def test_a_stranger_at_the_address_of_an_idle_pair_is_told_by_both(pair: TwoAgents) -> None:
    pair.stranger.held.add("192.0.2.10")
    live(pair, 15)
    for each in (pair.a, pair.b):
        found = next(f for f in status(each.agent).findings if f.code == "stranger-at-address")
        assert found.fields["mac"] == STRANGER_MAC
        assert found.severity is Severity.BLOCK
    pair.stranger.held.clear()
    live(pair, 3, seconds=LOOK_SECONDS)
    assert "stranger-at-address" not in {*told(pair.a), *told(pair.b)}


def test_a_switch_that_drops_announcements_is_told_within_a_minute(pair: TwoAgents) -> None:
    pair.b.machine.is_locked = True
    live(pair, 1, seconds=TRIAL_SECONDS)
    live(pair, 10)
    for each in (pair.a, pair.b):
        assert [f.code for f in status(each.agent).findings].count("announcements-dropped") == 1
    pair.b.machine.is_locked = False
    live(pair, 10)
    assert "announcements-dropped" not in {*told(pair.a), *told(pair.b)}


def click(one: OneOfTwo, *accept: str) -> Job:
    plan = one.ask(PlanTakeover())
    assert isinstance(plan, TakeoverPlanAnswer)
    job = one.ask(StartTakeover(digest=plan.digest, accept=accept, operator="test"))
    assert isinstance(job, Job)
    while job.state is JobState.RUNNING:
        again = one.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
        assert isinstance(again, Job)
        job = again
    return job


class Shifted:
    """The same time, shown by a clock that is off."""

    def __init__(self, clock: Any, skew: timedelta) -> None:
        self._clock, self._skew = clock, skew

    def now(self) -> datetime:
        return self._clock.now() + self._skew

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clock, name)


def test_a_clock_that_jumps_during_a_takeover_changes_no_figure(two: TwoAgents) -> None:
    """F9: NTP comes while the PBX starts: the seconds that are told are those that passed."""
    two.turns(2)
    two.a.off()
    two.clock.advance(10)
    start = two.b.services.changed

    def jump_and_start() -> None:
        two.clock.jump(two.clock.now() + timedelta(days=300))
        start()

    two.b.services.changed = jump_and_start
    job = click(two.b, "no-imported-generation", "own-data", "isolated", "partition-suspected")
    assert job.state is JobState.DONE, job
    assert 0 <= float(job.result["seconds"]) < 120, job.result


def test_both_say_that_nobody_serves(pair: TwoAgents) -> None:
    """F30: a released for a claim whose owner ended; its agent is back, and cannot be asked what became of it."""
    pair.b.agent.keeper.prepare(3)
    pair.b.wiring.peer_now.release(3)
    pair.b.agent.keeper.end_claim()
    pair.a.wiring.peer_now.lost = {Greet}
    live(pair, 3)
    assert not any("nobody-serves" in told(each) for each in (pair.a, pair.b))
    live(pair, 12)
    for each in (pair.a, pair.b):
        assert told(each)["nobody-serves"] is Severity.BLOCK
    live(pair, 12)
    assert "released" in mails(pair.a)
    assert "problem-found" in mails(pair.b)
    pair.a.wiring.peer_now.lost = set()
    live(pair, 3)
    assert pair.a.serves
    assert not any("nobody-serves" in told(each) for each in (pair.a, pair.b))


def test_a_takeover_that_lasts_is_not_nobody(pair: TwoAgents) -> None:
    pair.b.agent.keeper.prepare(3)
    pair.b.wiring.peer_now.release(3)
    live(pair, 20)
    assert not any("nobody-serves" in told(each) for each in (pair.a, pair.b))
