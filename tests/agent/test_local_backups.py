"""S12, S14: local backups by hand and by the schedule, on the one that serves, never beside another job."""

from datetime import timedelta
from threading import Event
from typing import Any

import msgspec
import pytest

from beistand.agent.local_backups import DOCUMENT, TROUBLE, UNASKED_SECONDS, LastRun, ScheduledBackups
from beistand.agent.worker import Progress
from beistand.domain.errors import NoSpace, Refused
from beistand.domain.job import Job, JobKind, JobState
from beistand.domain.schedule import Interval, Schedule
from beistand.protocol import (
    BackupDetails,
    BackupList,
    Chunk,
    CreateBackup,
    DeleteBackup,
    GetBackup,
    GetStatus,
    ListBackups,
    ReadBackup,
)
from fakes.agents import OneOfTwo, TwoAgents
from fakes.carrying import begun, ended, with_files
from fakes.situations import NOW

HOURLY = Schedule(interval=Interval.HOUR, start=NOW.date(), at=NOW.time())


@pytest.fixture
def carrying(two: TwoAgents) -> TwoAgents:
    return with_files(two)


def listed(one: OneOfTwo) -> BackupList:
    found = one.ask(ListBackups())
    assert isinstance(found, BackupList)
    return found


def turn(one: OneOfTwo, backups: ScheduledBackups) -> Job | None:
    """Let the loop look whether one is due; return the job that ran."""
    return begun(one, backups.tick)


def scheduled(one: OneOfTwo, **changes: Any) -> None:
    one.store.set_config(one.config(**{"backup_schedule": HOURLY, **changes}))


def refuse_space(one: OneOfTwo) -> None:
    def full() -> int:
        raise NoSpace("disk-full", path="/")

    one.agent.wiring.backups.free = full  # type: ignore[method-assign]


def test_a_backup_is_made_listed_read_and_deleted(carrying: TwoAgents) -> None:
    active = carrying.a
    job = ended(active, active.ask(CreateBackup()))
    assert (job.kind, job.state) == (JobKind.LOCAL_BACKUP, JobState.DONE)
    name = str(job.result["backup"])
    found = listed(active)
    assert [(each.id, each.asked, each.is_encrypted) for each in found.backups] == [(name, True, False)]
    assert found.free_bytes > 0
    details = active.ask(GetBackup(id=name))
    assert isinstance(details, BackupDetails)
    assert details.backup == found.backups[0]
    assert details.host
    chunk = active.ask(ReadBackup(id=name, offset=0))
    assert isinstance(chunk, Chunk)
    assert (len(chunk.data), chunk.is_last) == (found.backups[0].file_size, True)
    rest = active.ask(ReadBackup(id=name, offset=10))
    assert isinstance(rest, Chunk)
    assert rest.data == chunk.data[10:]
    after = active.ask(DeleteBackup(id=name))
    assert isinstance(after, BackupList)
    assert after.backups == ()


@pytest.mark.parametrize("name", ["", "../state", "20260301T120000Z-1", "x" * 5000])
def test_an_unknown_name_is_refused(carrying: TwoAgents, name: str) -> None:
    for request in (GetBackup(id=name), DeleteBackup(id=name), ReadBackup(id=name, offset=0)):
        with pytest.raises(Refused, match="backup-unknown"):
            carrying.a.ask(request)


@pytest.mark.parametrize("offset", [-1, 1 << 40])
def test_nothing_is_read_beyond_the_file(carrying: TwoAgents, offset: int) -> None:
    job = ended(carrying.a, carrying.a.ask(CreateBackup()))
    with pytest.raises(Refused, match="backup-offset"):
        carrying.a.ask(ReadBackup(id=str(job.result["backup"]), offset=offset))


@pytest.mark.parametrize("passphrase", ["x" * 600, "two\nlines"])
def test_a_passphrase_that_nobody_can_type_is_refused(carrying: TwoAgents, passphrase: str) -> None:
    with pytest.raises(Refused, match="passphrase-unusable"):
        carrying.a.ask(CreateBackup(passphrase=passphrase))


@pytest.mark.parametrize("passphrase", ["x", "horse", "11 signs...", "aaaaaaaaaaaaaaaa", "abababababab"])
def test_a_passphrase_that_is_guessed_at_once_is_refused(carrying: TwoAgents, passphrase: str) -> None:
    with pytest.raises(Refused, match="passphrase-short"):
        carrying.a.ask(CreateBackup(passphrase=passphrase))


def test_what_was_missed_runs_once(carrying: TwoAgents) -> None:
    active, backups = carrying.a, ScheduledBackups(carrying.a.agent)
    scheduled(active)
    carrying.clock.advance(timedelta(hours=5).total_seconds())
    job = turn(active, backups)
    assert job is not None
    assert job.state is JobState.DONE
    carrying.clock.advance(UNASKED_SECONDS + 1)
    assert turn(active, backups) is None
    assert [each.asked for each in listed(active).backups] == [False]
    assert listed(active).next_backup
    carrying.clock.advance(3600)
    assert turn(active, backups) is not None


@pytest.mark.parametrize(
    "changes", [{"active": False}, {"is_removed": True}, {"backup_schedule": None}], ids=str
)
def test_the_schedule_rests_with_the_module(carrying: TwoAgents, changes: dict[str, Any]) -> None:
    scheduled(carrying.a, **changes)
    assert turn(carrying.a, ScheduledBackups(carrying.a.agent)) is None
    assert listed(carrying.a).next_backup == ""


def test_on_the_standby_the_schedule_rests(carrying: TwoAgents) -> None:
    """S17."""
    scheduled(carrying.b)
    assert turn(carrying.b, ScheduledBackups(carrying.b.agent)) is None


def test_it_waits_for_the_end_of_another_job(carrying: TwoAgents) -> None:
    """S12: a cycle runs while it falls due; no cycle begins while it runs."""
    active, backups, over = carrying.a, ScheduledBackups(carrying.a.agent), Event()
    scheduled(active)

    def work(_progress: Progress) -> dict[str, str]:
        assert over.wait(20)
        return {}

    cycle = active.agent.worker.start(JobKind.CYCLE, work)
    backups.tick()
    running = active.agent.worker.running()
    assert running is not None
    assert running.id == cycle.id
    with pytest.raises(Refused, match="job-running"):
        active.ask(CreateBackup())
    over.set()
    ended(active, cycle)
    assert turn(active, backups) is not None


def test_a_failed_one_is_told_until_the_next_good_one(carrying: TwoAgents) -> None:
    """Also over a start of the agent."""
    active, backups = carrying.a, ScheduledBackups(carrying.a.agent)
    scheduled(active)
    free = active.agent.wiring.backups.free
    refuse_space(active)
    job = turn(active, backups)
    assert job is not None
    assert job.state is JobState.FAILED
    codes = [each.code for each in active.ask(GetStatus()).findings]  # type: ignore[attr-defined]
    assert "local-backup-failed" in codes
    active.agent.troubles.clear()
    again = ScheduledBackups(active.agent)
    again.tick()
    assert active.agent.troubles[TROUBLE].code == "local-backup-failed"
    active.agent.wiring.backups.free = free  # type: ignore[method-assign]
    carrying.clock.advance(3600)
    job = turn(active, again)
    assert job is not None
    assert job.state is JobState.DONE
    assert TROUBLE not in active.agent.troubles


@pytest.mark.parametrize("at", ["begin", "bug"])
def test_one_that_ends_in_an_unexpected_way_is_told(
    carrying: TwoAgents, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes not even the note that one was begun; an error of ours."""
    active = carrying.a
    scheduled(active)
    backups = ScheduledBackups(active.agent)
    turn(active, backups)
    active.agent.troubles.clear()
    carrying.clock.advance(timedelta(hours=1, minutes=1).total_seconds())
    if at == "begin":
        full = NoSpace("disk-full", path="/")

        def put(_name: str, _body: bytes) -> None:
            raise full

        monkeypatch.setattr(active.agent.store, "put", put)
    else:

        def free() -> int:
            raise ZeroDivisionError

        monkeypatch.setattr(active.agent.wiring.backups, "free", free)
    turn(active, backups)
    assert active.agent.troubles[TROUBLE].code == "local-backup-failed"


def test_a_failed_one_is_not_tried_every_second(carrying: TwoAgents) -> None:
    active, backups = carrying.a, ScheduledBackups(carrying.a.agent)
    scheduled(active)
    refuse_space(active)
    assert turn(active, backups) is not None
    carrying.clock.advance(UNASKED_SECONDS + 1)
    assert turn(active, backups) is None


def test_one_that_a_power_cut_ended_is_told(carrying: TwoAgents) -> None:
    active = carrying.a
    scheduled(active)
    draft = active.folder / "state/backups/.draft-x"
    draft.parent.mkdir(parents=True)
    draft.write_bytes(b"half")
    last = LastRun(at=carrying.clock.now(), is_running=True)
    active.store.put(DOCUMENT, msgspec.json.encode(last))
    ScheduledBackups(active.agent).tick()
    assert active.agent.troubles[TROUBLE].fields == {"why": "backup-interrupted"}
    assert not draft.exists()
