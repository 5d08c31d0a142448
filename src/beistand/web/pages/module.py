"""Module → Redundanz: the list of configurations, Allgemein, Einstellungen (S6, S8, S9)."""

import msgspec
from django import forms
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_POST

from beistand.domain.config import ModuleConfig
from beistand.domain.errors import BeistandError, Refused
from beistand.protocol import (
    Done,
    GetNetwork,
    LogLines,
    NetworkView,
    ReadModuleLog,
    RemoveConfig,
    SetConfig,
)
from beistand.web.answers import see_other
from beistand.web.asking import Request
from beistand.web.confirming import ask_surely, tell_refusal
from beistand.web.forms.module import GeneralForm, SettingsForm
from beistand.web.forms.refusals import tell_at
from beistand.web.forms.schedule import next_runs, rhythm
from beistand.web.module_state import ModuleState, module_state
from beistand.web.rights import for_administrators, for_viewers
from beistand.web.telling import notice, told
from beistand.web.zone import local_now, local_zone

LOG_LINES = 12


@for_viewers
def modules(request: Request) -> HttpResponseBase:
    """What is installed on which side, and its configurations."""
    state = module_state(request)
    network = request.agent.ask(GetNetwork(), NetworkView)
    return render(
        request,
        "module.html",
        {"state": state, "network": network, "rhythm": rhythm(state.config.schedule)},
    )


@require_POST
@for_administrators
def create(request: Request) -> HttpResponseBase:
    """Begin a configuration: default values, this appliance's key, and the standby that is known."""
    state = module_state(request)
    if not state.is_configured:
        new = ModuleConfig(
            licence_key=state.status.licence_key,
            standby=state.config.standby,
            replug=state.config.replug,
            backup_schedule=state.config.backup_schedule,
            keep_backups=state.config.keep_backups,
        )
        try:
            save(request, state, new)
        except BeistandError as error:
            told(request, error)
            return modules(request)
        notice(request, "web.module.created")
    return see_other("module-settings")


@for_administrators
def delete(request: Request) -> HttpResponseBase:
    """Delete the configuration, after a page that says what that means."""
    state = module_state(request)
    if not state.is_configured:
        return see_other("module")
    if request.method == "POST":
        try:
            ask_surely(request, RemoveConfig(), Done)
        except BeistandError as error:
            tell_refusal(request, error)
        else:
            notice(request, "web.module.deleted")
            return see_other("module")
    return render(request, "module_delete.html", {"state": state})


@for_viewers
def general(request: Request) -> HttpResponseBase:
    """Allgemein: name, active or inactive, logging, and the log itself."""
    state = module_state(request)
    if not state.is_configured:
        return see_other("module")
    form = GeneralForm(request.POST or None, config=state.config)
    if request.method == "POST" and form.is_valid() and _saved(request, state, form):
        return see_other("module-general")
    log = request.agent.ask(ReadModuleLog(limit=LOG_LINES), LogLines)
    values = {"state": state, "form": locked_fields(form, state), "lines": log.lines, "tab": "general"}
    return render(request, "module_general.html", values)


@for_viewers
def settings(request: Request) -> HttpResponseBase:
    """Einstellungen: the four questions. The button `preview` shows the next runs and saves nothing."""
    state = module_state(request)
    if not state.is_configured:
        return see_other("module")
    now, zone = local_now(), local_zone()
    form = SettingsForm(request.POST or None, config=state.config, now=now)
    is_right = request.method == "POST" and form.is_valid()
    if is_right and "preview" not in request.POST and _saved(request, state, form):
        return see_other("module-settings")
    values = {
        "state": state,
        "form": locked_fields(form, state),
        "rhythm": rhythm(form.schedule),
        "runs": next_runs(form.schedule, now, zone),
        "tab": "settings",
    }
    return render(request, "module_settings.html", values)


def save(request: Request, state: ModuleState, config: ModuleConfig) -> ModuleConfig:
    """Hand the configuration to the agent. Raises BeistandError: also why it cannot be edited here."""
    if state.locked:
        raise Refused(state.locked.code, **state.locked.fields)
    asked = SetConfig(config=msgspec.structs.replace(config, is_removed=False))
    return ask_surely(request, asked, ModuleConfig)


def say_saved(request: Request, state: ModuleState) -> None:
    notice(request, "web.module.saved-pair" if state.status.pair else "web.module.saved")


def locked_fields(form: forms.Form, state: ModuleState) -> forms.Form:
    """Return the form with every field disabled where it cannot be edited here."""
    if state.locked:
        for field in form.fields.values():
            field.widget.attrs["disabled"] = True
    return form


def _saved(request: Request, state: ModuleState, form: GeneralForm | SettingsForm) -> bool:
    """Save what was entered; what was refused is told at its field, or at the top."""
    try:
        save(request, state, form.changed(state.config))
    except BeistandError as error:
        if not tell_at(form, error.message):
            tell_refusal(request, error)
        return False
    say_saved(request, state)
    return True
