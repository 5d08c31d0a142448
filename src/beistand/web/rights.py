"""Who may see a page. The agent decides again over every request: this only spares a person the refusal."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from beistand.web.answers import see_other
from beistand.web.asking import Request, is_administrator
from beistand.web.failures import forbidden

UNSENT = "unsent"
"""In the address of the log-in page: a form was sent, and nobody was there to take it."""
P = ParamSpec("P")
View = Callable[Concatenate[Request, P], HttpResponseBase]


def for_viewers(view: View[P]) -> View[P]:
    """Let everybody with an account in; anybody else comes to the log-in page and back from there."""

    @wraps(view)
    def checked(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.account is None:
            return _log_in(request)
        return view(request, *args, **kwargs)

    return checked


def for_administrators(view: View[P]) -> View[P]:
    """Let administrators in; a viewer gets the page that says why not."""

    @wraps(view)
    def checked(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.account is None:
            return _log_in(request)
        if not is_administrator(request):
            return forbidden(request)
        return view(request, *args, **kwargs)

    return checked


def local_path(path: str) -> str:
    """Return the path if it leads to these pages, else the overview's: nobody is sent elsewhere (F17)."""
    # One slash only: a browser reads //host and /\host as another machine.
    is_local = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if is_local else reverse("overview")


def _log_in(request: Request) -> HttpResponse:
    if not request.agent.status().has_administrator:
        return see_other("setup")
    # A form that was sent is not sent again: whoever logs in comes to the page it stood on.
    back = request.get_full_path() if request.method in ("GET", "HEAD") else request.path
    query = {} if back == reverse("overview") else {"next": back}
    if request.method not in ("GET", "HEAD"):
        query[UNSENT] = "yes"
    return see_other(reverse("log-in") + (f"?{urlencode(query)}" if query else ""))
