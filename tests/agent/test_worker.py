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


class Import:
    """A job that goes its whole way back once it is ended: that takes as long as the test wants."""

    def __init__(self) -> None:
        self.has_begun = Event()
        self.is_going_back = Event()
        self.is_back = Event()
        self.says = (0, 0)

    def __call__(self, progress: Progress) -> Result:
        progress.stage("import")
        self.has_begun.set()
        progress.cancelled.wait(10)
        progress.turn_back("take-back")
        progress.advance(*self.says)
        self.is_going_back.set()
        self.is_back.wait(10)
        progress.check()
        return {}


def importing(worker: Worker, work: Import) -> Job:
    job = worker.start(JobKind.RECEIVE, work)
    assert work.has_begun.wait(5)
    return job


def taking_turn(progress: Progress) -> Result:
    progress.take_turn()
    progress.stage("make-data-ready")
    return {}


def instead(worker: Worker) -> Job:
    return worker.start_instead((JobKind.RECEIVE,), JobKind.TAKEOVER, taking_turn, ("make-data-ready",))


def until_at(worker: Worker, job: Job, stage: str) -> Job:
    while job.stage != stage:
        job = worker.watch(job.id, job.revision, 5)
    return job


def test_a_takeover_begins_at_once_and_waits_until_an_import_has_gone_back(worker: Worker) -> None:
    """F14: the click is accepted however long the way back is, and the page says what is waited for."""
    work = Import()
    receiving = importing(worker, work)
    job = until_at(worker, instead(worker), "end-import")
    assert job.stages == ("end-import", "make-data-ready")
    assert work.is_going_back.wait(5)
    assert worker.job(receiving.id).failed_stage == "import"
    assert worker.job(job.id).stage == "end-import"
    work.is_back.set()
    assert ended(worker, receiving).state is JobState.CANCELLED
    done = ended(worker, job)
    assert (done.state, done.stage) == (JobState.DONE, "make-data-ready")
    assert worker.running() is None


def test_a_second_click_meets_the_takeover_and_not_the_import_that_it_ends(worker: Worker) -> None:
    """F16."""
    work = Import()
    importing(worker, work)
    job = instead(worker)
    assert worker.running() is not None
    assert worker.running().id == job.id
    for click in (lambda: instead(worker), lambda: worker.start(JobKind.CYCLE, until_cancelled)):
        with pytest.raises(Refused, match="job-running") as refused:
            click()
        assert refused.value.message.fields == {"kind": "takeover", "job": job.id}
    work.is_back.set()
    assert ended(worker, job).state is JobState.DONE


def test_how_far_the_way_back_is_is_told_by_the_takeover(worker: Worker) -> None:
    work = Import()
    work.says = (3, 10)
    importing(worker, work)
    job = instead(worker)
    while job.total == 0:
        job = worker.watch(job.id, job.revision, 5)
    assert (job.stage, job.done, job.total) == ("end-import", 3, 10)
    work.is_back.set()
    assert ended(worker, job).state is JobState.DONE


def test_a_takeover_that_waits_can_be_cancelled_and_clicked_again(worker: Worker) -> None:
    """Nothing begins beside the import that is still on its way back."""
    work = Import()
    receiving = importing(worker, work)
    first = until_at(worker, instead(worker), "end-import")
    worker.cancel(first.id)
    assert ended(worker, first).state is JobState.CANCELLED
    with pytest.raises(Refused, match="job-running") as refused:
        worker.start(JobKind.CYCLE, until_cancelled)
    assert refused.value.message.fields["job"] == receiving.id
    second = instead(worker)
    work.is_back.set()
    assert ended(worker, second).state is JobState.DONE


def test_a_takeover_does_not_end_another_takeover(worker: Worker) -> None:
    first = worker.start(JobKind.TAKEOVER, until_cancelled)
    with pytest.raises(Refused, match="job-running"):
        instead(worker)
    assert worker.running() is not None
    worker.cancel(first.id)


def test_a_stop_ends_the_takeover_that_waits_and_the_import(worker: Worker) -> None:
    work = Import()
    receiving = importing(worker, work)
    job = until_at(worker, instead(worker), "end-import")
    worker.stop(0.0)
    work.is_back.set()
    assert ended(worker, job).state is JobState.CANCELLED
    assert ended(worker, receiving).state is JobState.CANCELLED


def test_what_nothing_ends_any_more_is_told_all_the_same(worker: Worker) -> None:
    """A cancel behind the grant comes too late, and the page says what is done."""

    def work(progress: Progress) -> Result:
        progress.cancelled.set()
        progress.enter("serve", 110.0)
        return {}

    job = ended(worker, worker.start(JobKind.TAKEOVER, work))
    assert (job.state, job.stage, job.within_seconds) == (JobState.DONE, "serve", 110.0)


def test_a_job_in_the_thread_of_who_wants_it_is_a_job_like_any_other(worker: Worker) -> None:
    seen: list[Job | None] = []

    def work(progress: Progress) -> Result:
        seen.append(worker.running())
        with pytest.raises(Refused, match="job-running"):
            worker.start(JobKind.CYCLE, until_cancelled)
        progress.stage("take-back")
        return {}

    worker.run(JobKind.RECOVER, work)
    assert [each and each.kind for each in seen] == [JobKind.RECOVER]
    assert worker.running() is None


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
