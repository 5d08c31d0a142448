"""Logging in and out. The agent checks name and password and counts the tries; the session holds its token only."""

from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from beistand.domain.errors import BeistandError
from beistand.protocol import Done, LogIn, LogOut, Session
from beistand.web.answers import see_other
from beistand.web.asking import Request
from beistand.web.forms.access import LogInForm
from beistand.web.middleware import TOKEN
from beistand.web.rights import UNSENT, local_path
from beistand.web.telling import notice, told


@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: Request) -> HttpResponseBase:
    """Ask for name and password; `next` is the local path that the reader came from."""
    back = local_path(request.POST.get("next") or request.GET.get("next", "/"))
    if request.account is not None:
        return see_other(back)
    if not request.agent.status().has_administrator:
        return see_other("setup")
    form = LogInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name, password = form.cleaned_data["name"], form.cleaned_data["password"]
        asked = LogIn(name=name, password=password, address=request.agent.address)
        try:
            begin_session(request, request.agent.ask(asked, Session))
        except BeistandError as error:
            told(request, error)
        else:
            return see_other(back)
    return render(request, "log_in.html", {"form": form, "next": back, "unsent": UNSENT in request.GET})


@require_POST
def log_out(request: Request) -> HttpResponseBase:
    """End the session here and in the agent."""
    if request.account is not None:
        request.agent.ask(LogOut(), Done)
    request.session.flush()
    notice(request, "web.log-in.logged-out")
    return see_other("log-in")


def begin_session(request: Request, session: Session) -> None:
    """Put the agent's token into a session with a new id: one that somebody planted is worth nothing (F17)."""
    request.session.flush()
    request.session[TOKEN] = session.token
    rotate_token(request)
