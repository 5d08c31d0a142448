"""The overview: is there a standby that could take over now, and with what?"""

from typing import TypeVar

from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from beistand.domain.errors import BeistandError
from beistand.domain.job import Job, JobKind
from beistand.domain.role import Role
from beistand.domain.value import Value
from beistand.domain.waits import until_state
from beistand.protocol import Coverage, GenerationList, GetCoverage, ListGenerations, StartCycle, Status
from beistand.web import copy_state
from beistand.web.answers import see_other
from beistand.web.asking import Request, is_administrator
from beistand.web.choosing import decision
from beistand.web.cycle_picture import picture
from beistand.web.rights import for_administrators, for_viewers
from beistand.web.summary import summary
from beistand.web.telling import told

T = TypeVar("T")
CYCLE_JOBS = (JobKind.CYCLE, JobKind.RECEIVE)


@for_viewers
def overview(request: Request) -> HttpResponseBase:
    """Show everything that an administrator asks first; a fresh machine is set up instead."""
    return _page(request)


@require_POST
@for_administrators
def cycle(request: Request) -> HttpResponseBase:
    """Run a cycle now."""
    try:
        started = request.agent.ask(StartCycle(), Job)
    except BeistandError as error:
        told(request, error)
        return _page(request)
    return see_other(f"{reverse('job', args=[started.id])}?next=/")


def _page(request: Request) -> HttpResponseBase:
    status = request.agent.status()
    if not status.initialised and is_administrator(request):
        return redirect("setup")
    generations = _asked(request, ListGenerations(), GenerationList)
    is_cycling = status.job is not None and status.job.kind in CYCLE_JOBS
    values = {
        "status": status,
        "summary": summary(status),
        "until": until_state(status.state, status.role),
        "decision": decision(status),
        "is_active": status.role is Role.ACTIVE,
        "steps": copy_state.steps(status.newest, is_running=is_cycling) if status.newest else (),
        "age": copy_state.age(status.usable, status.usable_age_seconds, status.oldest_promised_seconds),
        "failed_on": copy_state.failed_on(status),
        "is_usable_newest": _is_same(status),
        "picture": picture(generations.copies) if generations and generations.copies else None,
        "coverage": _asked(request, GetCoverage(), Coverage) if status.initialised else None,
    }
    return render(request, "overview.html", values)


def _is_same(status: Status) -> bool:
    """Tell whether the newest generation is what a takeover would serve."""
    return bool(
        status.newest and status.usable and status.newest.generation.id == status.usable.generation.id
    )


def _asked(request: Request, asked: Value, answer: type[T]) -> T | None:
    """Return the answer; None where the agent cannot give it: the status says why, and the page stays a page."""
    try:
        return request.agent.ask(asked, answer)
    except BeistandError:
        return None
