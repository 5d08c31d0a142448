"""The worker: one job at a time, so that a cycle, an import and a local backup never overlap (S12)."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Condition, Event, Thread

import msgspec

from beistand.agent.log import log, log_bug
from beistand.domain.errors import BeistandError, Cancelled, Refused
from beistand.domain.job import Job, JobKind, JobState
from beistand.domain.message import Field, Message
from beistand.ports.clock import Clock

KEPT = 50
"""Ended jobs that can still be asked for."""

TELL_SECONDS = 0.2
"""Between two figures of progress: each is a message to every watcher, the peer among them."""

Result = Mapping[str, Field]


class Progress:
    """The port Progress, told to everyone who watches the job."""

    def __init__(self, worker: "Worker", job_id: str, clock: Clock) -> None:
        self._worker = worker
        self._clock = clock
        self._next = clock.monotonic()
        self.job_id = job_id
        self.cancelled = Event()

    def stage(self, code: str) -> None:
        self.check()
        self.enter(code)

    def enter(self, code: str) -> None:
        """Tell the stage, also of a job that nobody can end any more."""
        log("job-stage", level="debug", job=self.job_id, stage=code)
        self._worker.change(self.job_id, stage=code, done=0, total=0)

    def advance(self, done: int, total: int) -> None:
        """Tell how far the stage is, unless that was told just now; its end is always told."""
        now = self._clock.monotonic()
        if done >= total or now >= self._next:
            self._next = now + TELL_SECONDS
            self._worker.change(self.job_id, done=done, total=total)

    def check(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled


Work = Callable[[Progress], Result]


class Worker:
    """Runs jobs in a thread of their own and remembers them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = Condition()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._running: Progress | None = None
        self._stopping = False

    def start(self, kind: JobKind, work: Work, stages: tuple[str, ...] = ()) -> Job:
        """Start the work, which goes through these stages.

        Raises Refused `job-running` while another one runs, `agent-stopping` at the end.
        """
        with self._changed:
            if self._stopping:
                raise Refused("agent-stopping")
            if self._running is not None:
                running = self._jobs[self._running.job_id]
                raise Refused("job-running", kind=running.kind, job=running.id)
            job = Job(id=secrets.token_hex(8), kind=kind, stages=stages, begin=self._clock.now())
            progress = Progress(self, job.id, self._clock)
            self._jobs[job.id] = job
            self._running = progress
            while len(self._jobs) > KEPT:
                self._jobs.popitem(last=False)
        log("job-begins", job=job.id, kind=kind)
        Thread(target=self._run, args=(progress, work), name=f"job-{kind}", daemon=True).start()
        return job

    def _run(self, progress: Progress, work: Work) -> None:
        state, error, result = JobState.DONE, None, {}
        try:
            result = dict(work(progress))
        except Cancelled as end:
            state, error = JobState.CANCELLED, end.message
        except BeistandError as end:
            state, error = JobState.FAILED, end.message
        except Exception:  # noqa: BLE001  the edge of every job: a bug ends the job, not the agent
            state, error = JobState.FAILED, log_bug("job")
        self._finish(progress, state, error, result)

    def _finish(
        self, progress: Progress, state: JobState, error: Message | None, result: dict[str, Field]
    ) -> None:
        with self._changed:
            self._running = None
            job = self.change(progress.job_id, state=state, error=error, result=result, end=self._clock.now())
        log(
            "job-ends",
            level="info" if state is JobState.DONE else "warning",
            job=job.id,
            kind=job.kind,
            state=state,
            why=str(error or ""),
        )

    def change(self, job_id: str, **changes: object) -> Job:
        """Change the job and wake up everybody who watches it."""
        with self._changed:
            job = self._jobs[job_id]
            job = msgspec.structs.replace(job, revision=job.revision + 1, **changes)
            self._jobs[job_id] = job
            self._changed.notify_all()
            return job

    def watch(self, job_id: str, seen: int, seconds: float) -> Job:
        """Return the job once its revision is above `seen`, or after so long. Raises Refused `unknown-job`."""
        with self._changed:
            if job_id not in self._jobs:
                raise Refused("unknown-job", job=job_id)
            self._changed.wait_for(lambda: self._jobs[job_id].revision > seen, timeout=seconds)
            return self._jobs[job_id]

    def cancel(self, job_id: str) -> None:
        """Ask the job to end; it does between two effects. Raises Refused `job-not-running`."""
        with self._changed:
            if self._running is None or self._running.job_id != job_id:
                raise Refused("job-not-running", job=job_id)
            self._running.cancelled.set()

    def newest(self, kind: JobKind) -> Job | None:
        """Return the job of this kind that began last, under way or ended."""
        with self._changed:
            return next((each for each in reversed(self._jobs.values()) if each.kind is kind), None)

    def running(self) -> Job | None:
        with self._changed:
            return self._jobs[self._running.job_id] if self._running else None

    def start_instead(
        self,
        ends: tuple[JobKind, ...],
        seconds: float,
        kind: JobKind,
        work: Work,
        stages: tuple[str, ...] = (),
    ) -> Job:
        """Start the work; a running job of the kinds in `ends` is cancelled first, and nothing comes between.

        Raises Refused `job-running` when another kind runs or when it does not end in time.
        """
        with self._changed:
            job = self.running()
            if job is not None and job.kind in ends:
                self.cancel(job.id)
                self._changed.wait_for(lambda: self._running is None, timeout=seconds)
            return self.start(kind, work, stages)

    def stop(self, seconds: float) -> None:
        """Let nothing start any more, cancel what runs, and wait for it so long."""
        with self._changed:
            self._stopping = True
            if self._running is not None:
                self._running.cancelled.set()
            self._changed.wait_for(lambda: self._running is None, timeout=seconds)
