"""F2: an appliance whose disk takes nothing but what is kept for a takeover: the click works, so does the release."""

from pathlib import Path
from typing import Any, NoReturn

import pytest

from beistand.agent import log
from beistand.domain.errors import NoSpace
from beistand.domain.job import Job, JobState
from beistand.domain.message import message
from beistand.protocol import PlanTakeover, StartTakeover, TakeoverPlanAnswer, WatchJob
from fakes.agents import OneOfTwo, TwoAgents


class FullStore:
    """The store of a machine whose disk is full: what reads works, and what has a reserve."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        changes = name.startswith(("set_", "tell", "record", "enqueue", "put_", "next_", "settle", "begin"))
        return refused if changes else getattr(self._store, name)

    def put(self, name: str, body: bytes, *, vital: bool = False) -> None:
        if not vital:
            refused()
        self._store.put(name, body, vital=True)


def refused(*_arguments: object, **_named: object) -> NoReturn:
    raise NoSpace("state-disk-full", path="/var/lib/beistand/state.db")


def fill_disk(one: OneOfTwo) -> None:
    one.wiring.store = FullStore(one.store)
    one.start()
    one.agent.reload()


def click(one: OneOfTwo) -> Job:
    plan = one.ask(PlanTakeover())
    assert isinstance(plan, TakeoverPlanAnswer)
    accepted = tuple(each.code for each in plan.findings)
    job = one.ask(StartTakeover(digest=plan.digest, accept=accepted, operator="test"))
    assert isinstance(job, Job)
    while job.state is JobState.RUNNING:
        answer = one.ask(WatchJob(id=job.id, seen=job.revision, seconds=5))
        assert isinstance(answer, Job)
        job = answer
    return job


def test_the_click_works_on_a_full_disk(two: TwoAgents) -> None:
    two.turns(2)
    two.a.off()
    fill_disk(two.b)
    two.clock.advance(30)
    job = click(two.b)
    assert job.state is JobState.DONE, job
    assert two.b.serves
    for _ in range(3):
        two.b.turn()
    assert two.b.state == "serving"


def test_a_full_active_still_gives_up_for_the_other_side(two: TwoAgents) -> None:
    two.turns(2)
    fill_disk(two.a)
    two.a.turn()
    assert two.a.serves
    job = click(two.b)
    assert job.state is JobState.DONE, job
    two.turns(2)
    assert two.b.serves
    assert two.a.is_clean


class BrokenPipe:
    def write(self, _line: str) -> NoReturn:
        raise BrokenPipeError

    def flush(self) -> None:
        pass


def test_a_journal_that_is_gone_stops_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """While journald is restarted a line can get EPIPE."""
    monkeypatch.setattr("sys.stderr", BrokenPipe())
    log.log_message(message("state-disk-full", path=str(tmp_path)), "error")
    log.log("agent-ready", version="1")
