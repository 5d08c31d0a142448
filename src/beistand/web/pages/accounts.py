"""Accounts of people and tokens of programs. The agent keeps them and checks every change (S19)."""

from typing import TypeVar

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from beistand.domain.account import AccountRole
from beistand.domain.errors import BeistandError
from beistand.domain.value import Value
from beistand.protocol import (
    AccountList,
    AccountView,
    ChangePassword,
    Done,
    ListAccounts,
    MakeToken,
    NewToken,
    PutAccount,
    RemoveAccount,
    RemoveToken,
)
from beistand.web.answers import see_other
from beistand.web.asking import Request
from beistand.web.failures import not_found
from beistand.web.forms.access import AccountForm, PasswordForm, TokenForm
from beistand.web.rights import for_administrators, for_viewers
from beistand.web.telling import notice, told

T = TypeVar("T")
with_form = require_http_methods(["GET", "HEAD", "POST"])


@for_administrators
def accounts(request: Request) -> HttpResponseBase:
    """List who may log in and what programs may ask."""
    return render(request, "accounts.html", {"list": request.agent.ask(ListAccounts(), AccountList)})


@with_form
@for_administrators
def create(request: Request) -> HttpResponseBase:
    """Make an account."""
    form = AccountForm(request.POST or None, initial={"role": AccountRole.VIEWER.value})
    form.fields["new_password"].required = True
    if request.method == "POST" and form.is_valid() and _put(request, form, form.cleaned_data["account"]):
        notice(request, "web.accounts.made", name=form.cleaned_data["account"].strip().lower())
        return see_other("accounts")
    return render(request, "account.html", {"form": form, "shown": None})


@with_form
@for_administrators
def change(request: Request, name: str) -> HttpResponseBase:
    """Give an account another role or another password."""
    shown = _account(request, name)
    if shown is None:
        return not_found(request)
    form = AccountForm(request.POST or None, initial={"role": shown.role.value})
    del form.fields["account"]
    if request.method == "POST" and form.is_valid() and _put(request, form, name):
        notice(request, "web.accounts.changed", name=name)
        return see_other("accounts")
    return render(request, "account.html", {"form": form, "shown": shown})


@with_form
@for_administrators
def remove(request: Request, name: str) -> HttpResponseBase:
    """Ask for the password, then take the account away."""
    if _account(request, name) is None:
        return not_found(request)
    if request.method == "POST" and _sure(request, RemoveAccount(name=name), AccountList) is not None:
        notice(request, "web.accounts.removed", name=name)
        return see_other("accounts")
    return render(request, "account_remove.html", {"name": name, "is_program": False})


@with_form
@for_administrators
def create_token(request: Request) -> HttpResponseBase:
    """Make a program's token and show it, this once."""
    form = TokenForm(request.POST or None, initial={"role": AccountRole.VIEWER.value})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        asked = MakeToken(name=given["program"], role=AccountRole(given["role"]))
        if made := _sure(request, asked, NewToken):
            return render(request, "token_made.html", {"made": made})
    return render(request, "token.html", {"form": form})


@with_form
@for_administrators
def remove_token(request: Request, id: str) -> HttpResponseBase:  # noqa: A002  as the address names it
    """Ask for the password, then take the token away: the program gets no answer any more."""
    tokens = request.agent.ask(ListAccounts(), AccountList).tokens
    shown = next((each for each in tokens if each.id == id), None)
    if shown is None:
        return not_found(request)
    if request.method == "POST" and _sure(request, RemoveToken(id=id), AccountList) is not None:
        notice(request, "web.accounts.token-removed", name=shown.name)
        return see_other("accounts")
    return render(request, "account_remove.html", {"name": shown.name, "is_program": True})


@with_form
@for_viewers
def password(request: Request) -> HttpResponseBase:
    """Change one's own password; other sessions of the account end."""
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            request.agent.ask(ChangePassword(old=given["old"], new=given["new"]), Done)
        except BeistandError as error:
            told(request, error)
        else:
            notice(request, "web.password.changed")
            return see_other("overview")
    return render(request, "password.html", {"form": form})


def _account(request: Request, name: str) -> AccountView | None:
    known = request.agent.ask(ListAccounts(), AccountList).accounts
    return next((each for each in known if each.name == name), None)


def _put(request: Request, form: AccountForm, name: str) -> bool:
    given = form.cleaned_data
    asked = PutAccount(name=name, role=AccountRole(given["role"]), password=given["new_password"])
    return _sure(request, asked, AccountList) is not None


def _sure(request: Request, asked: Value, answer: type[T]) -> T | None:
    """Ask in the name of the password that came with the form; None: it was refused, and the page says why."""
    try:
        with request.agent.confirmed(request.POST.get("password", "")) as agent:
            return agent.ask(asked, answer)
    except BeistandError as error:
        told(request, error)
        return None
