"""Language and light: by the browser, or as its reader switched them. A cookie each, no account needed."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST

from beistand.text import LANGUAGES
from beistand.web.answers import see_other
from beistand.web.asking import Request
from beistand.web.rights import local_path

THEME_COOKIE = "__Host-theme"
THEMES = ("light", "dark")
_YEAR = 365 * 24 * 3600


def theme(request: HttpRequest) -> str:
    """Return `light`, `dark`, or nothing: as the browser prefers."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


@require_POST
def switch(request: Request) -> HttpResponseBase:
    """Remember the language or the light that was clicked, and go back."""
    response = see_other(local_path(request.POST.get("next", "/")))
    if (language := request.POST.get("language", "")) in LANGUAGES:
        _remember(response, settings.LANGUAGE_COOKIE_NAME, language)
    if "theme" in request.POST:
        _remember(
            response, THEME_COOKIE, request.POST["theme"] if request.POST["theme"] in THEMES else "auto"
        )
    return response


def _remember(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=_YEAR, secure=True, httponly=True, samesite="Lax")
