"""One job at a time, told to everyone who watches it."""

from collections.abc import Callable
from threading import Event, Thread

import pytest

from beistand.agent.worker import KEPT, Progress, Result, Worker
from beistand.domain.errors import Failed, Refused
from beistand.domain.job import Job, JobKind, JobState
from fakes.clock import FakeClock


@pytest.fixture
def worker() -> Worker:
    return Worker(FakeClock())


def until_cancelled(progress: Progress) -> Result:
    progress.cancelled.wait(10)
    progress.check()
    return {}


def ended(worker: Worker, job: Job) -> Job:
    while job.state is JobState.RUNNING:
        job = worker.watch(job.id, job.revision, 5)
    return job


def failing(error: Exception) -> Callable[[Progress], Result]:
    def work(_progress: Progress) -> Result:
        raise error

    return work


def test_a_second_job_is_refused_and_told_of_the_first(worker: Worker) -> None:
    """S12, F16."""
    job = worker.start(JobKind.CYCLE, until_cancelled)
    with pytest.raises(Refused, match="job-running") as refused:
        worker.start(JobKind.RECEIVE, until_cancelled)
    assert refused.value.message.fields == {"kind": "cycle", "job": job.id}
    worker.cancel(job.id)
    assert ended(worker, job).state is JobState.CANCELLED
    assert worker.running() is None


def test_of_fifty_clicks_at_once_one_is_a_job(worker: Worker) -> None:
    jobs: list[Job] = []

    def click() -> None:
        try:
            jobs.append(worker.start(JobKind.TAKEOVER, until_cancelled))
        except Refused:
            return

    threads = [Thread(target=click) for _ in range(50)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(jobs) == 1
    worker.stop(5)


@pytest.mark.parametrize(
    ("error", "code"), [(Failed("disk-full", path="/"), "disk-full"), (ZeroDivisionError(), "internal-error")]
)
def test_a_job_that_fails_says_why_and_leaves_room_for_the_next(
    worker: Worker, error: Exception, code: str
) -> None:
    job = ended(worker, worker.start(JobKind.CYCLE, failing(error)))
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error.code == code
    assert ended(worker, worker.start(JobKind.CYCLE, lambda _: {"n": 1})).result == {"n": 1}


def test_progress_reaches_who_watches(worker: Worker) -> None:
    go = Event()

    def work(progress: Progress) -> Result:
        go.wait(10)
        progress.stage("scan")
        progress.advance(3, 10)
        progress.cancelled.wait(10)
        return {}

    job = worker.start(JobKind.CYCLE, work)
    go.set()
    while job.total == 0:
        job = worker.watch(job.id, job.revision, 5)
    assert (job.stage, job.done, job.total) == ("scan", 3, 10)
    worker.cancel(job.id)


def test_a_takeover_ends_an_import_and_nothing_comes_between(worker: Worker) -> None:
    receiving = worker.start(JobKind.RECEIVE, until_cancelled)
    job = worker.start_instead((JobKind.RECEIVE,), 5, JobKind.TAKEOVER, lambda _: {})
    assert ended(worker, receiving).state is JobState.CANCELLED
    assert ended(worker, job).state is JobState.DONE


def test_a_takeover_does_not_end_another_takeover(worker: Worker) -> None:
    first = worker.start(JobKind.TAKEOVER, until_cancelled)
    with pytest.raises(Refused, match="job-running"):
        worker.start_instead((JobKind.RECEIVE,), 5, JobKind.TAKEOVER, until_cancelled)
    assert worker.running() is not None
    worker.cancel(first.id)


def test_an_import_that_will_not_end_refuses_the_takeover_in_time(worker: Worker) -> None:
    free = Event()

    def stubborn(_progress: Progress) -> Result:
        free.wait(10)
        return {}

    worker.start(JobKind.RECEIVE, stubborn)
    with pytest.raises(Refused, match="job-running"):
        worker.start_instead((JobKind.RECEIVE,), 0.05, JobKind.TAKEOVER, until_cancelled)
    free.set()


def test_nothing_starts_any_more_once_the_agent_stops(worker: Worker) -> None:
    job = worker.start(JobKind.CYCLE, until_cancelled)
    worker.stop(5)
    assert ended(worker, job).state is JobState.CANCELLED
    with pytest.raises(Refused, match="agent-stopping"):
        worker.start(JobKind.CYCLE, until_cancelled)


def test_old_jobs_are_forgotten(worker: Worker) -> None:
    first = ended(worker, worker.start(JobKind.CYCLE, lambda _: {}))
    for _ in range(KEPT):
        ended(worker, worker.start(JobKind.CYCLE, lambda _: {}))
    with pytest.raises(Refused, match="unknown-job"):
        worker.watch(first.id, 0, 1)


def test_who_cancels_what_has_ended_is_told(worker: Worker) -> None:
    job = ended(worker, worker.start(JobKind.CYCLE, lambda _: {}))
    with pytest.raises(Refused, match="job-not-running"):
        worker.cancel(job.id)
