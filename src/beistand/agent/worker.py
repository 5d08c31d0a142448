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

    def enter(self, code: str, within_seconds: float = 0.0) -> None:
        self._enter(code, within_seconds=within_seconds)

    def turn_back(self, code: str) -> None:
        job = self._worker.job(self.job_id)
        self._enter(code, failed_stage=job.failed_stage or job.stage)

    def _enter(self, code: str, **changes: object) -> None:
        log("job-stage", level="debug", job=self.job_id, stage=code)
        fresh: dict[str, object] = {"stage": code, "done": 0, "total": 0, "within_seconds": 0.0}
        self._worker.change(self.job_id, **(fresh | changes))

    def take_turn(self) -> None:
        """Wait until the job that this one ended is over, in a stage of its own. Raises Cancelled."""
        self._worker.await_turn(self)

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
        self._running: list[Progress] = []
        """The one that works; and one that ended it, which everybody sees and which waits for that end."""
        self._stopping = False

    def start(self, kind: JobKind, work: Work, stages: tuple[str, ...] = ()) -> Job:
        """Start the work, which goes through these stages.

        Raises Refused `job-running` while another one runs, `agent-stopping` at the end.
        """
        with self._changed:
            if self._running:
                raise self._refusal()
            return self._begin(kind, work, stages)

    def start_instead(
        self, ends: tuple[JobKind, ...], kind: JobKind, work: Work, stages: tuple[str, ...] = ()
    ) -> Job:
        """Start the work; a running job of the kinds in `ends` is ended, and nothing comes between.

        The work calls `Progress.take_turn` before it touches anything that a job works on: an import may have
        renamed a million files, and takes them back first. Raises Refused `job-running` when another kind runs.
        """
        with self._changed:
            if not self._running:
                return self._begin(kind, work, stages)
            ending = self._running[-1]
            if self._jobs[ending.job_id].kind not in ends:
                raise self._refusal()
            ending.cancelled.set()
            return self._begin(kind, work, ("end-import", *stages))

    def run(self, kind: JobKind, work: Work) -> None:
        """Do the work as a job in the thread of the caller. Raises what `start` raises."""
        with self._changed:
            if self._running:
                raise self._refusal()
            progress = self._register(kind, ())
        self._run(progress, work)

    def _refusal(self) -> Refused:
        running = self._jobs[self._running[-1].job_id]
        return Refused("job-running", kind=running.kind, job=running.id)

    def _begin(self, kind: JobKind, work: Work, stages: tuple[str, ...]) -> Job:
        progress = self._register(kind, stages)
        Thread(target=self._run, args=(progress, work), name=f"job-{kind}", daemon=True).start()
        return self._jobs[progress.job_id]

    def _register(self, kind: JobKind, stages: tuple[str, ...]) -> Progress:
        if self._stopping:
            raise Refused("agent-stopping")
        job = Job(id=secrets.token_hex(8), kind=kind, stages=stages, begin=self._clock.now())
        progress = Progress(self, job.id, self._clock)
        self._jobs[job.id] = job
        self._running.append(progress)
        while len(self._jobs) > KEPT:
            self._jobs.popitem(last=False)
        log("job-begins", job=job.id, kind=kind)
        return progress

    def await_turn(self, progress: Progress) -> None:
        """Return when nothing else works; meanwhile tell how far a way back is that the ended job is on."""
        with self._changed:
            if self._running[0] is not progress:
                progress.stage("end-import")
            while self._running[0] is not progress:
                progress.check()
                ending = self._jobs[self._running[0].job_id]
                if ending.stage == "take-back":
                    progress.advance(ending.done, ending.total)
                self._changed.wait()

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
            self._running.remove(progress)
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
            found = [each for each in self._running if each.job_id == job_id]
            if not found:
                raise Refused("job-not-running", job=job_id)
            found[0].cancelled.set()
            self._changed.notify_all()

    def newest(self, kind: JobKind) -> Job | None:
        """Return the job of this kind that began last, under way or ended."""
        with self._changed:
            return next((each for each in reversed(self._jobs.values()) if each.kind is kind), None)

    def running(self) -> Job | None:
        """Return the job that everybody sees: the one that works, or the one that ended it and waits for that."""
        with self._changed:
            return self._jobs[self._running[-1].job_id] if self._running else None

    def job(self, job_id: str) -> Job:
        with self._changed:
            return self._jobs[job_id]

    def stop(self, seconds: float) -> None:
        """Let nothing start any more, cancel what runs, and wait for it so long."""
        with self._changed:
            self._stopping = True
            for each in self._running:
                each.cancelled.set()
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._running, timeout=seconds)
