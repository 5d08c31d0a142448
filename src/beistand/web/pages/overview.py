"""The overview: is there a standby that could take over now, and with what?"""

from typing import TypeVar

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from beistand.domain.errors import BeistandError
from beistand.domain.job import Job, JobKind
from beistand.domain.message import Message
from beistand.domain.role import Role
from beistand.domain.value import Value
from beistand.domain.waits import until_state
from beistand.protocol import Coverage, GenerationList, GetCoverage, ListGenerations, StartCycle, Status
from beistand.web import copy_state
from beistand.web.answers import see_other
from beistand.web.asking import Request, is_administrator
from beistand.web.choosing import decision
from beistand.web.cycle_picture import picture
from beistand.web.going import see_job
from beistand.web.rights import for_administrators, for_viewers
from beistand.web.summary import summary
from beistand.web.telling import told
from beistand.web.zone import local_now

T = TypeVar("T")
ASK_SECONDS = 5.0
"""For each section: the page is there without it, and looks again soon."""
CYCLE_JOBS = (JobKind.CYCLE, JobKind.RECEIVE)


@for_viewers
def overview(request: Request) -> HttpResponseBase:
    """Show everything that an administrator asks first; a fresh machine is set up instead."""
    return _page(request)


@require_GET
@for_viewers
def now(request: Request) -> HttpResponseBase:
    """The same without what is around it, for the page that looks again by itself."""
    return _page(request, "overview_now.html")


@require_POST
@for_administrators
def cycle(request: Request) -> HttpResponseBase:
    """Run a cycle now."""
    try:
        started = request.agent.ask(StartCycle(), Job)
    except BeistandError as error:
        told(request, error)
        return _page(request)
    return see_job(started.id, "overview")


def _page(request: Request, template: str = "overview.html") -> HttpResponseBase:
    status = request.agent.status()
    if not status.initialised and is_administrator(request):
        return see_other("setup")
    is_active, has_role = status.role is Role.ACTIVE, status.role is not None
    generations, no_generations = _asked(request, ListGenerations(), GenerationList, is_wanted=has_role)
    coverage, no_coverage = _asked(request, GetCoverage(), Coverage, is_wanted=is_active)
    is_cycling = status.job is not None and status.job.kind in CYCLE_JOBS
    values = {
        "now": local_now(),
        "status": status,
        "summary": summary(status),
        "until": until_state(status.state, status.role),
        "decision": decision(status),
        "is_active": is_active,
        "steps": copy_state.steps(status.newest, is_running=is_cycling) if status.newest else (),
        "age": copy_state.age(status.usable, status.usable_age_seconds, status.oldest_promised_seconds),
        "failed_on": copy_state.failed_on(status),
        "is_usable_newest": _is_same(status),
        "picture": picture(generations.copies) if generations and generations.copies else None,
        "no_generations": no_generations,
        "coverage": coverage,
        "no_coverage": no_coverage,
    }
    return render(request, template, values)


def _is_same(status: Status) -> bool:
    """Tell whether the newest generation is what a takeover would serve."""
    return bool(
        status.newest and status.usable and status.newest.generation.id == status.usable.generation.id
    )


def _asked(
    request: Request, asked: Value, answer: type[T], *, is_wanted: bool
) -> tuple[T | None, Message | None]:
    """Return the answer, or why there is none: that stands in its place, and the page stays a page."""
    if not is_wanted:
        return None, None
    try:
        return request.agent.ask(asked, answer, ASK_SECONDS), None
    except BeistandError as error:
        return None, error.message
