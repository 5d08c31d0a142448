"""A takeover that runs, step by step, and what came of it (S20, S21). Every administrator sees the same one (F16)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from beistand.client import Told
from beistand.domain.errors import BeistandError
from beistand.domain.job import Job, JobState
from beistand.domain.mail import MailState
from beistand.domain.waits import until
from beistand.protocol import GetMail, MailView, Status, WatchJob
from beistand.text import term
from beistand.web.rights import for_administrators
from beistand.web.telling import spoken

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

    from beistand.web.asking import Request


SETTLED = timedelta(minutes=1)
"""So long after the end the page goes on looking at the mails."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step of the job."""

    code: str
    state: str
    """`done`, `doing`, `todo`, `failed`, `undone` or `skipped`."""


@dataclass(frozen=True, kw_only=True)
class Mails:
    """What became of the mails to all users (S21)."""

    sent: int
    waiting: int
    given_up: int
    has_server: bool

    @property
    def all(self) -> int:
        return self.sent + self.waiting + self.given_up

    @property
    def is_moving(self) -> bool:
        """The agent may still be putting them into the outbox, or sending them."""
        return self.has_server and (self.waiting > 0 or self.all == 0)


@require_GET
@for_administrators
def progress(request: Request, job: str) -> HttpResponseBase:
    """The whole page, or with `part` only what changes."""
    try:
        found = request.agent.ask(WatchJob(id=job, seconds=0.0), Job)
    except Told as gone:
        request.told.append(gone.message)
        return redirect("takeover") if "part" in request.GET else _gone(request)
    status = request.agent.status()
    mails = _mails(request, found)
    values: dict[str, Any] = {
        "job": found,
        "stages": stages(found),
        "is_running": found.state is JobState.RUNNING,
        "until": until(found),
        "is_settling": mails is not None and mails.is_moving and _is_recent(found),
        "is_granted": is_granted(found),
        "status": status,
        "peer": status.peer.host if status.peer else term("web.takeover.the-other", spoken()),
        "here": reverse("takeover-progress", args=[job]),
        "mails": mails,
    }
    page = "parts/takeover_progress.html" if "part" in request.GET else "takeover_progress.html"
    return render(request, page, values)


def stages(job: Job) -> tuple[Stage, ...]:
    """Return what it goes through, each with how far it came."""
    codes = job.stages or ((job.stage,) if job.stage else ())
    at = codes.index(job.stage) if job.stage in codes else -1
    return tuple(Stage(code=code, state=_state(job, index, at)) for index, code in enumerate(codes))


def _state(job: Job, index: int, at: int) -> str:
    if job.state is JobState.DONE:
        return "done"
    is_over = job.state is not JobState.RUNNING
    if index < at:
        # Before the grant everything is undone when one step fails.
        return "undone" if is_over and not is_granted(job) else "done"
    if index > at:
        return "skipped" if is_over else "todo"
    return "failed" if is_over else "doing"


def is_granted(job: Job) -> bool:
    """Tell whether this appliance became the active one: the last stage begins with that."""
    return job.state is JobState.DONE or bool(job.stages and job.stage == job.stages[-1])


def _is_recent(job: Job) -> bool:
    return job.end is not None and datetime.now(UTC) - job.end < SETTLED


def _mails(request: Request, job: Job) -> Mails | None:
    epoch = job.result.get("epoch")
    if epoch is None:
        return None
    try:
        view = request.agent.ask(GetMail(), MailView)
    except BeistandError:
        return None  # the takeover is what this page is about
    states = Counter(each.state for each in view.outbox if each.occasion == f"takeover-{epoch}")
    return Mails(
        sent=states[MailState.SENT],
        waiting=states[MailState.WAITING],
        given_up=states[MailState.GIVEN_UP],
        has_server=bool(view.host),
    )


def _gone(request: Request) -> HttpResponseBase:
    status: Status = request.agent.status()
    return render(request, "takeover_progress.html", {"status": status, "job": None}, status=404)
