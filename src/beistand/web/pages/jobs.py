"""A job: how far it is, and how it ended. Everybody sees the same one (F16)."""

from typing import Any

from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_POST

from beistand.domain.errors import BeistandError
from beistand.domain.job import Job, JobKind, JobState
from beistand.domain.message import Message
from beistand.domain.waits import until
from beistand.protocol import CancelJob, Done, WatchJob
from beistand.text import hint, sentence
from beistand.web.answers import see_other
from beistand.web.asking import Request, is_administrator
from beistand.web.failures import forgotten
from beistand.web.going import see_job
from beistand.web.middleware import TOKEN
from beistand.web.rights import for_administrators, for_viewers, local_path
from beistand.web.telling import say, spoken, told
from beistand.web.waiting import patient

WAIT_SECONDS = 2.0
"""The script asks again after an answer: a change is seen at once, and no thread waits long."""
CANCELLABLE = (JobKind.CYCLE, JobKind.PAIR, JobKind.LOCAL_BACKUP, JobKind.CHECK)
FIGURES = ("bytes", "bytes_on_wire", "growing")
"""What a job's result may hold that is worth telling, `web.jobs.result.<name>` in the catalogue."""


@for_viewers
def job(request: Request, id: str) -> HttpResponseBase:  # noqa: A002  as the address names it
    """Show the job; `next` leads to where its result is seen."""
    try:
        shown = _watch(request, id)
    except BeistandError as error:
        if error.message.code == "unknown-job":
            return forgotten(request)
        raise
    return _page(request, shown)


@for_viewers
def progress(request: Request, id: str) -> HttpResponseBase:  # noqa: A002
    """Answer the script: the job after its next change above `seen`, or as it is after two seconds."""
    seen = request.GET.get("seen", "")
    try:
        now = _watch(request, id, int(seen) if seen.isdecimal() and len(seen) < 10 else -1)
    except BeistandError as error:
        if error.message.code == "unknown-job":
            return JsonResponse({}, status=404)
        words = {"error": sentence(error.message, spoken()), "hint": hint(error.message, spoken())}
        return JsonResponse(words, status=503)
    return JsonResponse(
        {
            "revision": now.revision,
            "is_running": now.state is JobState.RUNNING,
            "stage": _stage(request, now),
            "done": now.done,
            "total": now.total,
        }
    )


@require_POST
@for_administrators
def cancel(request: Request, id: str) -> HttpResponseBase:  # noqa: A002
    """Ask the job to end; it does so where it leaves nothing half done."""
    try:
        request.agent.ask(CancelJob(id=id), Done)
    except BeistandError as error:
        told(request, error)
        return _page(request, _watch(request, id))
    return see_job(id, _next(request))


def _page(request: Request, shown: Job) -> HttpResponseBase:
    # The page of the takeover is for administrators (S19); how far it is, everybody may see.
    if shown.kind is JobKind.TAKEOVER and is_administrator(request):
        return see_other("takeover-progress", shown.id)
    values = {
        "job": shown,
        "is_running": shown.state is JobState.RUNNING,
        "stage": _stage(request, shown),
        "seconds": (shown.end - shown.begin).total_seconds() if shown.end else 0.0,
        "results": _results(shown),
        "next": _next(request),
        "can_cancel": shown.kind in CANCELLABLE,
    }
    return render(request, "job.html", values)


def _next(request: Request) -> str:
    return local_path(request.POST.get("next") or request.GET.get("next", "/"))


def _watch(request: Request, id: str, seen: int = -1) -> Job:  # noqa: A002
    asked = WatchJob(id=id, seen=seen, seconds=WAIT_SECONDS if seen >= 0 else 0.0)
    with patient(asked, request.session.get(TOKEN, "")) as asked_now:
        return request.agent.ask(asked_now, Job)


def _stage(request: Request, job: Job) -> str:
    if not job.stage:
        return say(request, "web.jobs.begins")
    text, ends = say(request, f"job.stage.{job.stage}"), until(job)
    return f"{text} ({sentence(ends, spoken())})" if ends else text


def _results(job: Job) -> list[Message]:
    found: list[Any] = [(name, job.result[name]) for name in FIGURES if job.result.get(name)]
    return [Message(code=f"web.jobs.result.{name}", fields={"value": value}) for name, value in found]
