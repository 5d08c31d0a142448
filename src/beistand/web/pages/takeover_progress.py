"""A takeover that runs, step by step, and what came of it (S20, S21). Every administrator sees the same one (F16)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from beistand.client import Told
from beistand.domain.errors import BeistandError
from beistand.domain.job import Job, JobKind, JobState
from beistand.domain.message import Message, message
from beistand.domain.phones import reached_message
from beistand.domain.waits import until
from beistand.protocol import GetMail, MailView, Status, UsersTold, WatchJob
from beistand.web.answers import see_other
from beistand.web.choosing import peer_name
from beistand.web.rights import for_administrators
from beistand.web.summary import summary

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

from beistand.web.asking import Request

SETTLED = timedelta(minutes=1)
"""So long after the end the page goes on looking at the mails."""


UNDO_OPEN = "undo-open"
"""The finding of an appliance whose journal still holds what a takeover had begun."""


class Outcome(StrEnum):
    """How it stands with a takeover."""

    RUNNING = "running"
    DONE = "done"
    LATE = "late"
    """This appliance is the active one, and its telephone system does not answer."""
    OPEN = "open"
    """Nothing was taken over, and what was begun is still to be undone."""
    UNDONE = "undone"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step of the job."""

    code: str
    state: str
    """`done`, `doing`, `todo`, `failed`, `undone`, `open` or `skipped`."""


@require_GET
@for_administrators
def progress(request: Request, job: str) -> HttpResponseBase:
    """The whole page, or with `part` only what changes."""
    try:
        found = request.agent.ask(WatchJob(id=job, seconds=0.0), Job)
    except Told as refused:
        if refused.message.code == "unknown-job":
            return _gone(request)
        raise
    if found.kind is not JobKind.TAKEOVER:
        return see_other("job", job)
    status = request.agent.status()
    came_of_it = outcome(found, status)
    mails = _mails(request, found) if came_of_it is Outcome.DONE else None
    are_mails_moving = _is_recent(found) and (mails is None or mails.is_moving)
    values: dict[str, Any] = {
        "job": found,
        "outcome": came_of_it,
        "stages": stages(found, came_of_it),
        "why": why(found),
        "until": until(found),
        "is_settling": came_of_it is Outcome.OPEN or (came_of_it is Outcome.DONE and are_mails_moving),
        "status": status,
        "peer": peer_name(status),
        "here": reverse("takeover-progress", args=[job]),
        "mails": mails,
        "phones": _phones(found),
    }
    page = "parts/takeover_progress.html" if "part" in request.GET else "takeover_progress.html"
    return render(request, page, values)


def outcome(job: Job, status: Status) -> Outcome:
    """Return how it stands. Only a grant makes it done; whether it is undone says the journal, not the error."""
    if job.state is JobState.RUNNING:
        return Outcome.RUNNING
    if "epoch" in job.result:
        return Outcome.DONE
    if job.stages and job.stage == job.stages[-1]:
        return Outcome.LATE  # the last stage begins with the grant
    return Outcome.OPEN if any(each.code == UNDO_OPEN for each in status.findings) else Outcome.UNDONE


def stages(job: Job, came_of_it: Outcome) -> tuple[Stage, ...]:
    """Return what it goes through, each with how far it came."""
    codes = job.stages or ((job.stage,) if job.stage else ())
    # What is being undone does not go on: it is shown as it will be if the undo fails.
    came_of_it = Outcome.OPEN if job.failed_stage and came_of_it is Outcome.RUNNING else came_of_it
    now = job.failed_stage or job.stage
    at = codes.index(now) if now in codes else -1
    return tuple(Stage(code=code, state=_state(came_of_it, index, at)) for index, code in enumerate(codes))


def _state(came_of_it: Outcome, index: int, at: int) -> str:
    is_running = came_of_it is Outcome.RUNNING
    if came_of_it is Outcome.DONE:
        return "done"
    if index < at:
        # Before the grant everything is undone when one step fails.
        return came_of_it.value if came_of_it in (Outcome.OPEN, Outcome.UNDONE) else "done"
    if index > at:
        return "todo" if is_running else "skipped"
    return "doing" if is_running else "failed"


def why(job: Job) -> Message | None:
    """Return why nothing was taken over. How it stands with an undo that failed then, the page says as it is now."""
    if job.error is not None and job.error.code == "undo-failed":
        return message("web.takeover.failed.why", why=job.error.fields.get("why", ""))
    return job.error


def _is_recent(job: Job) -> bool:
    return job.end is not None and datetime.now(UTC) - job.end < SETTLED


def _phones(job: Job) -> Message | None:
    """Say how many phones can be called; None where the job does not say it."""
    at_once, later = job.result.get("phones_at_once", 0), job.result.get("phones_later", 0)
    if not isinstance(at_once, int) or not isinstance(later, int) or not at_once + later:
        return None
    return reached_message(at_once, later)


def _mails(request: Request, job: Job) -> UsersTold | None:
    """Return what became of the mails to all users (S21); None where nobody can say it now."""
    try:
        told = request.agent.ask(GetMail(), MailView).users_told
    except BeistandError:
        return None  # the takeover is what this page is about
    # A later takeover has mails of its own.
    return told if told is not None and told.epoch == job.result.get("epoch") else None


def _gone(request: Request) -> HttpResponseBase:
    """404: a restart of the agent ends jobs and forgets them. What became of it, says how the appliance is now."""
    status: Status = request.agent.status()
    values = {
        "job": None,
        "summary": summary(status),
        "findings": [each for each in status.findings if each.code == UNDO_OPEN],
    }
    return render(request, "takeover_progress.html", values, status=404)
