"""Follow a job of the agent to its end."""

import sys
import time
from collections.abc import Callable

import click

from beistand.cli.console import Console
from beistand.client import Client, has_ended
from beistand.domain.job import Job, JobKind, JobState
from beistand.domain.message import message
from beistand.domain.waits import until
from beistand.protocol import CancelJob, Done, GetStatus, Status
from beistand.text.catalogue import sentence

BAR_SIGNS = 24
Show = Callable[[Job], None]


def follow(client: Client, job: Job, show: Show) -> Job:
    """Watch the job until it has ended, showing each change."""
    show(job)
    while not has_ended(job):
        job = client.watch(job)
        show(job)
    return job


def follow_with_care(client: Client, job: Job, console: Console) -> Job:
    """Follow the job; at Ctrl-C ask whether to cancel it or to leave it running."""
    shown = shower(console)
    while True:
        try:
            return follow(client, job, shown)
        except KeyboardInterrupt:
            click.echo(err=True)
            if not console.is_interactive or not console.confirm("cli.job.ask-cancel"):
                console.line("cli.job.left-running", job=job.id)
                raise SystemExit(1) from None
        # The answer to the interrupted question is still under way on the old connection.
        with Client() as other:
            other.call(CancelJob(id=job.id), Done)
            return follow(other, other.watch(job), shown)


def cancelled(client: Client, kind: JobKind, show: Show) -> Job | None:
    """End the job of this kind that runs, and return how it ended; None: there is none."""
    job = client.call(GetStatus(), Status).job
    if job is None or job.kind is not kind:
        return None
    client.call(CancelJob(id=job.id), Done)
    return follow(client, job, show)


def must_be_done(console: Console, job: Job) -> None:
    """End with status 1 and the job's own reason unless it is done."""
    if job.state is not JobState.DONE:
        console.fail(job.error or message("cancelled"), job)


def shower(console: Console) -> Show:
    """Return what shows progress: one moving line on a terminal, else one line a stage."""
    if console.as_json:
        return lambda _: None
    return _moving(console) if sys.stderr.isatty() else _lines(console)


def stages_with_seconds(console: Console) -> Show:
    """Return what prints each stage with the seconds since the job was accepted."""
    begin, seen = time.monotonic(), [""]

    def show(job: Job) -> None:
        if job.stage and job.stage != seen[0]:
            seen[0] = job.stage
            console.text(f"{time.monotonic() - begin:7.2f} s  {_stage(console, job)}")

    return show


def _lines(console: Console) -> Show:
    seen = [""]

    def show(job: Job) -> None:
        if job.stage and job.stage != seen[0]:
            seen[0] = job.stage
            click.echo(_stage(console, job), err=True)

    return show


def _moving(console: Console) -> Show:
    def show(job: Job) -> None:
        if has_ended(job):
            click.echo("\r\033[K", nl=False, err=True)
        elif job.stage:
            click.echo(f"\r\033[K{progress_line(console, job)}", nl=False, err=True)

    return show


def _stage(console: Console, job: Job) -> str:
    """Return the stage with how long it may last, and what then."""
    ends = until(job)
    text = console.term(f"job.stage.{job.stage}")
    return f"{text} ({sentence(ends, console.language)})" if ends else text


def progress_line(console: Console, job: Job) -> str:
    """Return the stage with a bar, or with what is done while the total is unknown."""
    stage = console.term(f"job.stage.{job.stage}")
    if job.total <= 0:
        return (
            f"{_stage(console, job)} …"
            if job.done == 0
            else f"{stage} {console.term('cli.number', count=job.done)}"
        )
    part = min(1.0, job.done / job.total)
    filled = round(part * BAR_SIGNS)
    return f"{stage} [{'#' * filled}{'.' * (BAR_SIGNS - filled)}] {part:4.0%}"
