"""When the agent starts a cycle by itself."""

from datetime import time
from pathlib import Path
from typing import NoReturn

import pytest

from beistand.adapters.store import SqliteStore
from beistand.agent.agent import Agent
from beistand.agent.cycles import UNASKED_SECONDS, start_due_cycle
from beistand.domain.attempts import Attempts
from beistand.domain.errors import NoSpace
from beistand.domain.schedule import Interval, Schedule
from fakes.agents import TwoAgents


class FullStore(SqliteStore):
    """Its disk has no room for the note that a run was answered."""

    begun = 0

    def set_attempts(self, attempts: Attempts) -> NoReturn:
        self.begun += 1
        raise NoSpace("state-disk-full", path="state.db")


@pytest.fixture
def world(tmp_path: Path) -> TwoAgents:
    return TwoAgents(tmp_path)


def turn(agent: Agent) -> None:
    """One turn of the main loop, and the end of what it began."""
    start_due_cycle(agent)
    while (job := agent.worker.running()) is not None:
        agent.worker.watch(job.id, job.revision, 1.0)


def test_a_full_disk_is_not_asked_again_at_every_turn(world: TwoAgents, tmp_path: Path) -> None:
    """F2: nothing durable says that the scheduled cycle was started; it is not started each second for that."""
    world.a.store.close()
    store = FullStore(tmp_path / "a" / "state" / "state.db")
    world.a.store = world.a.wiring.store = store
    world.a.start()
    world.a.agent.reload()
    world.turns(2)
    schedule = Schedule(interval=Interval.MINUTE, every=1, start=world.clock.now().date(), at=time(0, 0))
    store.set_config(world.a.config(schedule=schedule))
    world.clock.advance(61)
    world.turns()
    for _ in range(5):
        turn(world.a.agent)
    assert store.begun == 1
    world.clock.advance(UNASKED_SECONDS + 1)
    world.turns()
    turn(world.a.agent)
    assert store.begun == 2
    world.stop()
