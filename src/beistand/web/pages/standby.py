"""Module → Redundanz → Standby-Einstellungen: pairing, the test of the way, what to replug (S13, S20)."""

import base64
import hashlib
from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_POST

from beistand.domain.errors import BeistandError, Refused
from beistand.domain.job import Job
from beistand.protocol import FetchHostKey, HostKey, StartPair, Trial, TryStandby
from beistand.web.answers import see_other
from beistand.web.asking import Request
from beistand.web.forms.refusals import tell_at
from beistand.web.forms.standby import PairForm, ReplugForm, StandbyForm
from beistand.web.going import see_job
from beistand.web.module_state import ModuleState, module_state
from beistand.web.pages.module import locked_fields, save, say_saved
from beistand.web.rights import for_administrators, for_viewers
from beistand.web.telling import told

FETCH_SECONDS = 30.0
TRY_SECONDS = 90.0


@for_viewers
def standby(request: Request) -> HttpResponseBase:
    """Angaben zur Standby-Anlage: who it is, since when its key is here, and a new one."""
    state = module_state(request)
    if not state.is_configured and state.is_active:
        return see_other("module")
    return _tab(request, state)


@require_POST
@for_administrators
def fetch(request: Request) -> HttpResponseBase:
    """First step of pairing: fetch the host key, nothing secret is sent; show it to be compared."""
    state = module_state(request)
    form = StandbyForm(request.POST, own_address=state.status.own_address)
    if not form.is_valid():
        return _tab(request, state, form=form)
    given = form.cleaned_data
    try:
        _must_be_open(state)
        key = request.agent.ask(FetchHostKey(server=given["server"]), HostKey, FETCH_SECONDS)
    except BeistandError as error:
        if not tell_at(form, error.message):
            told(request, error)
        return _tab(request, state, form=form)
    start = {"user": given["user"], "server": given["server"], "host_key": key.line}
    confirm = PairForm(own_address=state.status.own_address, initial=start)
    return _confirm(request, state, confirm, start)


@for_administrators
def pair(request: Request) -> HttpResponseBase:
    """Second step: the fingerprint was compared; the password is handed on once and kept nowhere."""
    if request.method != "POST":
        return see_other("module-standby")
    state = module_state(request)
    form = PairForm(request.POST, own_address=state.status.own_address)
    if form.is_valid():
        given = form.cleaned_data
        asked = StartPair(
            server=given["server"],
            user=given["user"],
            password=given["password"],
            host_key=given["host_key"],
            replace=given["replace"],
        )
        try:
            _must_be_open(state)
            with request.agent.confirmed(given["own_password"]) as agent:
                return see_job(agent.ask(asked, Job).id, "module-standby")
        except BeistandError as error:
            if not tell_at(form, error.message):
                told(request, error)
    if "server" in form.errors or "user" in form.errors:
        return _tab(request, state, form=StandbyForm(request.POST, own_address=state.status.own_address))
    return _confirm(request, state, form, request.POST.dict())


@require_POST
@for_administrators
def attempt(request: Request) -> HttpResponseBase:
    """Say step by step what works on the way to the standby."""
    state = module_state(request)
    form = StandbyForm(request.POST, own_address=state.status.own_address)
    if not form.is_valid():
        return _tab(request, state, form=form)
    server = form.cleaned_data["server"]
    try:
        asked = TryStandby(server="" if server == _peer_address(state) else server)
        trial = request.agent.ask(asked, Trial, TRY_SECONDS)
    except BeistandError as error:
        told(request, error)
        return _tab(request, state, form=form)
    return _tab(request, state, form=form, trial=trial)


@require_POST
@for_administrators
def replug(request: Request) -> HttpResponseBase:
    """Keep the list of what has to be replugged by hand before a takeover."""
    state = module_state(request)
    form = ReplugForm(request.POST)
    if form.is_valid():
        try:
            save(request, state, form.changed(state.config))
        except BeistandError as error:
            told(request, error)
        else:
            say_saved(request, state)
            return see_other("module-standby")
    return _tab(request, state, replug=form)


def fingerprint(line: str) -> str:
    """Return the fingerprint of a host key line as ssh-keygen prints it, so that what is shown is what is sent."""
    for word in line.split():
        if word.startswith("AAAA"):
            try:
                blob = base64.b64decode(word, validate=True)
            except ValueError:
                return ""
            return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return ""


def _tab(
    request: Request,
    state: ModuleState,
    *,
    form: StandbyForm | None = None,
    trial: Trial | None = None,
    replug: ReplugForm | None = None,
) -> HttpResponseBase:
    known = state.config.standby
    first = {"user": known.user, "server": _peer_address(state) or known.server}
    form = form or StandbyForm(own_address=state.status.own_address, initial=first)
    replug = replug or ReplugForm(initial={"replug": "\n".join(state.config.replug)})
    values = {
        "state": state,
        "form": locked_fields(form, state),
        "replug": locked_fields(replug, state),
        "trial": trial,
        "tab": "standby",
        "fetch_seconds": FETCH_SECONDS,
        "try_seconds": TRY_SECONDS,
    }
    return render(request, "module_standby.html", values)


def _confirm(request: Request, state: ModuleState, form: PairForm, given: dict[str, Any]) -> HttpResponseBase:
    line = given.get("host_key", "")
    values = {
        "state": state,
        "form": form,
        "server": given["server"],
        "user": given["user"],
        "fingerprint": fingerprint(line),
        "kind": next(iter(line.split()), ""),
        "tab": "standby",
    }
    return render(request, "module_pair.html", values)


def _peer_address(state: ModuleState) -> str:
    peer = state.status.peer
    return peer.own_address.partition("/")[0] if peer else ""


def _must_be_open(state: ModuleState) -> None:
    if state.locked:
        raise Refused(state.locked.code, **state.locked.fields)
