"""The first visit: an administrator by the code from the console, then what this appliance is."""

from ipaddress import IPv4Interface

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from beistand.domain.errors import BeistandError
from beistand.domain.role import Role
from beistand.protocol import Done, GetNetwork, Init, NetworkView, Session, UseSetupCode
from beistand.web.address import PORT
from beistand.web.answers import see_other
from beistand.web.asking import Request, is_administrator
from beistand.web.choosing import decision
from beistand.web.failures import forbidden
from beistand.web.forms.setup import ApplianceForm, CodeForm
from beistand.web.pages.access import begin_session
from beistand.web.telling import notice, spoken, told

ENDS_CALLS = "init-ends-calls"
"""Code of the refusal that a person may override once its numbers were shown."""
INIT_SECONDS = 60.0
"""The PBX may run already and is asked for its version."""
UNDER_WAY = ("setup-begun", "setup-undoing")
"""Findings of a `beistand setup` that changes the machine right now: nothing can be set up beside it."""


@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: Request) -> HttpResponseBase:
    """Show the step that comes next; who is logged in and has nothing to set up comes to the overview."""
    if request.account is None:
        return _first_administrator(request)
    if request.agent.status().initialised:
        return see_other("overview")
    return _appliance(request) if is_administrator(request) else forbidden(request)


def _first_administrator(request: Request) -> HttpResponseBase:
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        asked = UseSetupCode(
            code=given["code"],
            name=given["name"],
            password=given["password"],
            address=request.agent.address,
        )
        try:
            begin_session(request, request.agent.ask(asked, Session))
        except BeistandError as error:
            told(request, error)
        else:
            notice(request, "web.setup.welcome", name=given["name"].strip().lower())
            return see_other("setup")
    return render(request, "setup_code.html", {"form": form, "status": request.agent.status()})


def _appliance(request: Request) -> HttpResponseBase:
    status = request.agent.status()
    if any(each.code in UNDER_WAY for each in status.findings):
        values = {"status": status, "decision": decision(status), "is_under_way": True}
        return render(request, "setup_appliance.html", values)
    view = request.agent.ask(GetNetwork(), NetworkView)
    form, ends_calls = ApplianceForm(view, request.POST or None), False
    if request.method == "POST" and form.is_valid():
        asked = _asked(form)
        try:
            with request.agent.confirmed(request.POST.get("password", "")) as agent:
                agent.ask(asked, Done, INIT_SECONDS)
        except BeistandError as error:
            told(request, error)
            ends_calls = error.message.code == ENDS_CALLS
        else:
            return _initialised(request, asked)
    values = {
        "ends_calls": ends_calls,
        "form": form,
        "view": view,
        "status": status,
        "decision": decision(status),
        "init_seconds": INIT_SECONDS,
    }
    return render(request, "setup_appliance.html", values)


def _asked(form: ApplianceForm) -> Init:
    given = form.cleaned_data
    interface, _, own = given["own"].partition(" ")
    return Init(
        role=Role(given["role"]),
        interface=interface,
        own_address=own,
        service_address=given["service"],
        profile=given["profile"],
        strict_boot=given["strict"],
        language="de" if spoken() == "de" else "en",
        accept=(ENDS_CALLS,) if given["ends_calls"] else (),
    )


def _initialised(request: Request, asked: Init) -> HttpResponseBase:
    """Go on to the overview; where the pages move to another address now, say which."""
    own = f"{IPv4Interface(asked.own_address).ip}:{PORT}"
    if request.get_host() != own and request.get_host().partition(":")[0] != request.agent.status().host:
        return render(request, "setup_moved.html", {"url": f"https://{own}/"})
    notice(request, "web.setup.done-active" if asked.role is Role.ACTIVE else "web.setup.done-standby")
    return see_other("overview")
