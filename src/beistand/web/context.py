"""What every template knows beside what its page gives it."""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from beistand.domain.errors import BeistandError
from beistand.web.appearance import theme
from beistand.web.asking import Request, is_administrator
from beistand.web.menu import menu
from beistand.web.rights import local_path
from beistand.web.telling import notices, spoken


def page(request: HttpRequest) -> dict[str, Any]:
    if not isinstance(getattr(request, "told", None), list):
        return {
            "language": spoken(),
            "theme": theme(request),
            "here": "/",
        }  # refused before anybody looked at the session
    asked: Request = request  # type: ignore[assignment]  # AgentMiddleware has seen it
    appliance = _status(asked)
    return {
        "account": asked.account,
        "is_administrator": is_administrator(asked),
        "appliance": appliance,
        # A fresh machine has one page only: it is set up first.
        "menu": menu(asked) if appliance is None or appliance.initialised else [],
        "told": asked.told,
        "own_password_problem": asked.own_password_problem,
        # Told once: a part of a page that is asked for again and again takes none away from the page that shows them.
        "notices": SimpleLazyObject(lambda: notices(asked)),
        "language": spoken(),
        "theme": theme(request),
        "here": _here(request),
    }


def _here(request: HttpRequest) -> str:
    """Return the path that shows this page again; what answers a form has the page that the form stood on."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    return local_path(urlsplit(request.headers.get("referer", "")).path)


def _status(request: Request) -> Any:
    """Which of the two appliances this is stands on every page; without an agent there is nothing to say."""
    try:
        return request.agent.status()
    except BeistandError:
        return None
