"""Mail server (S22), the mail to all users (S21), the people, and the mails that are under way (F13)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from beistand.client import Told
from beistand.domain.errors import BeistandError
from beistand.domain.mail import MailState, MailText
from beistand.domain.mail_reach import unusable
from beistand.domain.mail_text import FIELDS, USERS_TAKEOVER, filled, text_problem
from beistand.domain.role import Role
from beistand.protocol import (
    GetMail,
    ListUsers,
    MailView,
    RetryMails,
    SendTestMail,
    SetMailServer,
    SetMailText,
    Status,
    Trial,
    UserList,
)
from beistand.text.figures import moment
from beistand.web.answers import see_other
from beistand.web.asking import is_administrator
from beistand.web.confirming import ask_surely, tell_refusal
from beistand.web.failures import forbidden
from beistand.web.forms.mail import PORTS, MailServerForm, MailTextForm, TestMailForm
from beistand.web.forms.refusals import in_full
from beistand.web.rights import for_viewers
from beistand.web.telling import notice, spoken, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.forms import Form
    from django.http.response import HttpResponseBase

    from beistand.web.asking import Request

TEST_SECONDS = 60.0
"""A test mail may wait for a server that takes its time."""
FIELD_OF = {
    "mail-host-form": "host",
    "mail-port-form": "port",
    "mail-user-form": "user",
    "mail-password-again": "password",
    "mail-sender-form": "sender",
    "mail-address-form": "address",
    "mail-text-field": "body",
    "mail-text-empty": "body",
    "mail-subject-lines": "subject",
}
"""Which field of a form a refusal is about."""


@require_http_methods(["GET", "HEAD", "POST"])
@for_viewers
def mail(request: Request) -> HttpResponseBase:
    if request.method != "POST":
        return _page(request)
    if not is_administrator(request):
        return forbidden(request)
    act = ACTS.get(request.POST.get("act", ""))
    return act(request) if act else _page(request)


def _save_server(request: Request) -> HttpResponse:
    form = MailServerForm(request.POST, view=request.agent.ask(GetMail(), MailView))
    if form.is_valid():
        given = form.cleaned_data
        asked = SetMailServer(
            host=given["host"],
            port=given["port"],
            encryption=given["encryption"],
            user=given["user"],
            password=form.new_password,
            sender=given["sender"],
        )
        try:
            ask_surely(request, asked, MailView)
        except Told as refused:
            _at_field(request, form, refused)
        else:
            notice(request, "web.mail.saved")
            return see_other("mail")
    return _page(request, server_form=form)


def _test(request: Request) -> HttpResponse:
    form = TestMailForm(request.POST)
    trial = None
    if form.is_valid():
        try:
            trial = request.agent.ask(SendTestMail(address=form.cleaned_data["address"]), Trial, TEST_SECONDS)
        except Told as refused:
            _at_field(request, form, refused)
    return _page(request, test_form=form, trial=trial)


def _save_text(request: Request) -> HttpResponse:
    form = MailTextForm(request.POST)
    preview = None
    if form.is_valid():
        text = MailText(
            kind=USERS_TAKEOVER, subject=form.cleaned_data["subject"], body=form.cleaned_data["body"]
        )
        if problem := text_problem(text):
            _at_field(request, form, Told(problem))
        elif request.POST.get("act") == "preview":
            preview = _preview(request, text)
        elif _set_text(request, text, form):
            notice(request, "web.mail.text.saved")
            return see_other("mail")
    return _page(request, text_form=form, preview=preview)


def _text_back(request: Request) -> HttpResponse:
    if _set_text(request, MailText(kind=USERS_TAKEOVER, subject="", body="")):
        notice(request, "web.mail.text.default.done")
        return see_other("mail")
    return _page(request)


def _set_text(request: Request, text: MailText, form: Form | None = None) -> bool:
    try:
        request.agent.ask(SetMailText(text=text), MailView)
    except Told as refused:
        _at_field(request, form, refused)
        return False
    return True


def _retry(request: Request) -> HttpResponse:
    try:
        request.agent.ask(RetryMails(), MailView)
    except Told as refused:
        told(request, refused)
        return _page(request)
    notice(request, "web.mail.retry.done")
    return see_other("mail")


ACTS: dict[str, Callable[[Request], HttpResponse]] = {
    "server": _save_server,
    "test": _test,
    "text": _save_text,
    "preview": _save_text,
    "text-back": _text_back,
    "retry": _retry,
}


def _at_field(request: Request, form: Form | None, refused: Told) -> None:
    """Tell a refusal at the field it is about, else at the top."""
    field = FIELD_OF.get(refused.message.code, "")
    if form is None or field not in form.fields:
        tell_refusal(request, refused)
        return
    form.add_error(field, in_full(refused.message))


def _preview(request: Request, text: MailText) -> dict[str, str]:
    """Return the mail as it would arrive if this happened now."""
    fields = _examples(request.agent.status())
    return {"subject": filled(text.subject, fields), "body": filled(text.body, fields)}


def _examples(status: Status) -> dict[str, str]:
    from datetime import datetime

    peer = status.peer.host if status.peer and status.role is Role.ACTIVE else status.host
    now = moment(datetime.now().astimezone(), spoken())
    return {"host": peer, "address": status.service_address, "when": now}


def _users(request: Request) -> UserList | None:
    """The directory is for administrators (agent/access.py); without it the rest of the page is of use."""
    if not is_administrator(request):
        return None
    try:
        return request.agent.ask(ListUsers(), UserList)
    except BeistandError as error:
        return UserList(users=(), problem=error.message)


def _page(request: Request, **more: Any) -> HttpResponse:
    view, status = request.agent.ask(GetMail(), MailView), request.agent.status()
    users = _users(request)
    text = next((each for each in view.texts if each.kind == USERS_TAKEOVER), None)
    initial = {"subject": text.subject, "body": text.body} if text else {}
    states = Counter(each.state for each in view.outbox)
    values = {
        "view": view,
        "status": status,
        "is_elsewhere": bool(status.pair) and status.role is not Role.ACTIVE,
        "users": users,
        "wrong": unusable(users.users) if users else (),
        "nameless": sum(1 for each in users.users if not each.address) if users else 0,
        "fields": [f"{{{each}}}" for each in FIELDS[USERS_TAKEOVER]],
        "ports": " ".join(f"{each.value}={port}" for each, port in PORTS.items()),
        "can_retry": states[MailState.WAITING] + states[MailState.GIVEN_UP] > 0,
        "server_form": MailServerForm(view=view),
        "test_form": TestMailForm(),
        "test_seconds": TEST_SECONDS,
        "text_form": MailTextForm(initial=initial),
        **more,
    }
    values["can_edit"] = is_administrator(request) and not values["is_elsewhere"]
    for form in (values["server_form"], values["text_form"]):
        for field in form.fields.values():
            field.disabled = not values["can_edit"]
    return render(request, "mail.html", values)
