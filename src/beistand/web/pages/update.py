"""Update: both appliances to a new version, in steps that are seen on both sides (S4)."""

from __future__ import annotations

from ipaddress import IPv4Interface
from typing import TYPE_CHECKING

from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from beistand.domain.errors import BeistandError
from beistand.domain.job import Job
from beistand.protocol import GetUpdate, PauseCycles, ResumeCycles, StartCycle, UpdateView
from beistand.web.address import PORT
from beistand.web.answers import see_other
from beistand.web.asking import Request, is_administrator
from beistand.web.confirming import ask_surely, tell_refusal
from beistand.web.going import see_job
from beistand.web.rights import for_administrators, for_viewers
from beistand.web.telling import notice, told

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

    from beistand.protocol import Status


@require_GET
@for_viewers
def update(request: Request) -> HttpResponseBase:
    return _page(request)


@require_POST
@for_administrators
def pause(request: Request) -> HttpResponseBase:
    """Let the cycles rest."""
    try:
        ask_surely(request, PauseCycles(), UpdateView)
    except BeistandError as error:
        tell_refusal(request, error)
        return _page(request)
    notice(request, "web.update.paused")
    return see_other("update")


@require_POST
@for_administrators
def resume(request: Request) -> HttpResponseBase:
    """Let the cycles run again, and run one now."""
    try:
        request.agent.ask(ResumeCycles(), UpdateView)
        # True whatever becomes of the cycle: where that is refused, both stand on this page.
        notice(request, "web.update.resumed")
        started = request.agent.ask(StartCycle(), Job)
    except BeistandError as error:
        told(request, error)
        return _page(request)
    return see_job(started.id, "update")


def _page(request: Request) -> HttpResponseBase:
    view, status = request.agent.ask(GetUpdate(), UpdateView), request.agent.status()
    is_paused = view.pause is not None and view.pause.is_on
    values = {
        "view": view,
        "sides": [each for each in (view.standby, view.active) if each],
        "is_paused": is_paused,
        "can_pause": view.is_active and not is_paused,
        "can_resume": view.is_active and is_paused,
        "may_act": is_administrator(request),
        "is_over": view.pause is not None and not view.pause.is_on,
        "broken": [each.finding for each in view.checks if each.finding],
        "elsewhere": "" if view.is_active else _elsewhere(status),
    }
    return render(request, "update.html", values)


def _elsewhere(status: Status) -> str:
    """Return the address of this page on the other appliance; empty where there is none."""
    if status.peer is None:
        return ""
    return f"https://{IPv4Interface(status.peer.own_address).ip}:{PORT}{reverse('update')}"
