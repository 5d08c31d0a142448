"""Licences (S5 to S7): both sets side by side, install by file or key, read off the server licence key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.forms import Form
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from beistand.client import Told
from beistand.protocol import GetLicences, InstallLicence, InstallLicences, LicencesView, RemoveLicence
from beistand.web.answers import see_other
from beistand.web.asking import is_administrator
from beistand.web.confirming import ask_surely, tell_refusal
from beistand.web.failures import forbidden
from beistand.web.forms.licences import LicenceFileForm, LicenceKeyForm
from beistand.web.forms.refusals import in_full
from beistand.web.rights import for_administrators, for_viewers
from beistand.web.telling import notice, say

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.http.response import HttpResponseBase

    from beistand.domain.value import Value
    from beistand.web.asking import Request


@require_http_methods(["GET", "HEAD", "POST"])
@for_viewers
def licences(request: Request) -> HttpResponseBase:
    if request.method != "POST":
        return _page(request)
    if not is_administrator(request):
        return forbidden(request)
    if request.POST.get("act") == "key":
        form: Form = LicenceKeyForm(request.POST)
        return _install(request, form, "key", lambda: InstallLicence(key=form.cleaned_data["key"]))
    file_form = LicenceFileForm(request.POST, request.FILES)
    return _install(request, file_form, "file", lambda: InstallLicences(file=file_form.file_text))


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def remove(request: Request, key: str) -> HttpResponseBase:
    """Ask first: what a licence grants is gone with it."""
    view = request.agent.ask(GetLicences(), LicencesView)
    licence = next((each for each in view.own if each.key == key), None)
    if licence is None:
        return see_other("licences")
    if request.method == "POST":
        try:
            ask_surely(request, RemoveLicence(key=key), LicencesView)
        except Told as refused:
            tell_refusal(request, refused)
        else:
            notice(request, "web.licences.removed", key=key)
            return see_other("licences")
    return render(request, "licence_remove.html", {"licence": licence})


def _install(request: Request, form: Form, kind: str, asked: Callable[[], Value]) -> HttpResponse:
    """Tell beside the field that was filled in why nothing was installed (F8): a key that is on both sides, …"""
    if form.is_valid():
        field = "key" if kind == "key" else "text" if form.data.get("text") else "file"
        try:
            view = request.agent.ask(asked(), LicencesView)
        except Told as refused:
            form.add_error(field, in_full(refused.message))
        else:
            if view.installed:
                _say_installed(request, view)
                return see_other("licences")
            form.add_error(field, say(request, "web.licences.none-here", count=len(view.elsewhere)))
    return _page(request, **{f"{kind}_form": form})


def _say_installed(request: Request, view: LicencesView) -> None:
    count = len(view.installed)
    notice(request, "web.licences.installed-many" if count > 1 else "web.licences.installed", count=count)
    if view.elsewhere:
        notice(request, "web.licences.elsewhere", count=len(view.elsewhere))


def _page(request: Request, file_form: Form | None = None, key_form: Form | None = None) -> HttpResponse:
    view = request.agent.ask(GetLicences(), LicencesView)
    status = request.agent.status()
    values = {
        "view": view,
        "status": status,
        "peer": status.peer.host if status.peer else "",
        "keys_on_both": {each.key for each in view.own} & {each.key for each in view.peer},
        "file_form": file_form or LicenceFileForm(),
        "key_form": key_form or LicenceKeyForm(),
    }
    return render(request, "licences.html", values)
