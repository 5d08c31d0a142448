"""When a cycle runs by itself, and when none may (S9, S10, S12)."""

from datetime import UTC, datetime, timedelta
from threading import Event
from time import perf_counter

import msgspec
import pytest

from beistand.agent.cycles import is_cycle_due, start_due_cycle
from beistand.agent.recovery import Recovery
from beistand.domain.attempts import Attempts
from beistand.domain.config import ModuleConfig
from beistand.domain.errors import Failed, Refused
from beistand.domain.generation import CopyState
from beistand.domain.schedule import Schedule
from beistand.protocol import GetStatus, StartCycle
from fakes.agents import TwoAgents
from fakes.situations import imported

DAILY = Schedule(
    start=datetime(2026, 1, 1, tzinfo=UTC).date(), at=datetime(2026, 1, 1, 2, 0, tzinfo=UTC).time()
)


def test_without_a_schedule_nothing_is_due(two: TwoAgents) -> None:
    assert not is_cycle_due(two.a.agent.wiring.node(), ModuleConfig(), Attempts(), two.clock.now())


def test_an_inactive_module_rests_also_in_the_middle_of_a_run(two: TwoAgents) -> None:
    config = ModuleConfig(active=False, schedule=DAILY)
    waiting = Attempts(failed=1, next_at=two.clock.now())
    assert not is_cycle_due(two.a.agent.node, config, waiting, two.clock.now())


def test_the_next_try_waits_for_its_five_minutes(two: TwoAgents) -> None:
    now = two.clock.now()
    waiting = Attempts(failed=1, next_at=now + timedelta(minutes=5), last_run=now)
    node, config = two.a.agent.node, ModuleConfig(schedule=DAILY)
    assert not is_cycle_due(node, config, waiting, now + timedelta(minutes=4, seconds=59))
    assert is_cycle_due(node, config, waiting, now + timedelta(minutes=5))


def test_a_clock_that_was_set_back_holds_up_no_try(two: TwoAgents) -> None:
    """F9: the next try was noted for a time that is now a year away."""
    now = two.clock.now()
    waiting = Attempts(failed=1, next_at=now + timedelta(days=365), last_run=now)
    assert is_cycle_due(two.a.agent.node, ModuleConfig(), waiting, now)


def test_only_who_serves_cycles(two: TwoAgents) -> None:
    """S17: the standby's own schedule rests, whatever stands in the configuration."""
    for each in (two.a, two.b):
        each.store.set_config(ModuleConfig(schedule=DAILY))
    two.b.turn()
    start_due_cycle(two.b.agent)
    assert two.b.agent.worker.running() is None
    with pytest.raises(Refused, match="not-the-active"):
        two.b.ask(StartCycle())
    with pytest.raises(Refused, match="not-serving"):
        two.a.ask(StartCycle())


def test_many_failures_do_not_hide_the_last_good_copy(two: TwoAgents) -> None:
    two.turns(1)
    good = imported(id="20260301T000000Z-1", sequence=1)
    other = imported(id="20260301T000000Z-900", sequence=900, pair="1" * 32)
    two.a.store.record(other)
    two.a.store.record(good)
    for number in range(2, 60):
        copy = imported(id=f"20260301T000000Z-{number}", sequence=number)
        two.a.store.record(msgspec.structs.replace(copy, state=CopyState.FAILED))
    usable = two.a.agent.usable()
    assert usable is not None
    assert usable.generation.id == good.generation.id


def test_an_rsync_that_changed_is_a_finding(two: TwoAgents) -> None:
    two.a.wiring.transfer_trouble = Failed("rsync-changed", why="--info: unknown option")
    Recovery(two.a.agent).begin()
    limit = perf_counter() + 10
    while "rsync" not in two.a.agent.troubles and perf_counter() < limit:
        Event().wait(0.01)
    status = two.a.ask(GetStatus())
    assert "rsync-changed" in {each.code for each in status.findings}
