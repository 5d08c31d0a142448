"""Around every page: headers, and the agent."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from beistand.client import Told
from beistand.domain.errors import BeistandError
from beistand.web.agent_link import AgentLink
from beistand.web.answers import see_other
from beistand.web.asking import Request
from beistand.web.failures import failed
from beistand.web.telling import notice

Respond = Callable[[HttpRequest], HttpResponse]
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""No inline script or style: what somebody smuggled into a page does not run."""
WATCHING = "Beistand-Watching"
"""Header of what a page asks by itself, again and again: nobody does anything."""
TOKEN = "token"  # noqa: S105  the name of the session's entry


def headers(respond: Respond) -> Respond:
    """Set the content policy, and forbid anybody to keep a page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        response.setdefault("Content-Security-Policy", POLICY)
        response.setdefault("Cache-Control", "no-store")
        response.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response

    return middleware


def leading_back(respond: Respond) -> Respond:
    """Lead whoever looks at an address that only takes forms to the page of the form, one folder up.

    What answers a form stands at that address: people reload it, and come back to it by logging in.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or request.method not in ("GET", "HEAD"):
            return response
        return see_other(request.path.rstrip("/").rpartition("/")[0] + "/")

    return middleware


class AgentMiddleware:
    """Gives each request its link to the agent and the account behind the session; closes the link after it."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond

    def __call__(self, request: Request) -> HttpResponse:
        token = request.session.get(TOKEN, "")
        is_watching = WATCHING in request.headers
        request.agent = AgentLink(token, request.META.get("REMOTE_ADDR", ""), is_watching=is_watching)
        request.account = None
        request.told = []
        request.own_password_problem = None
        try:
            if token:
                self._recognise(request)
        except BeistandError as error:
            response = failed(request, error, has_begun=False)
        else:
            response = self._respond(request)
        # A download asks the agent while it streams: the link ends with the answer, not before.
        _at_the_end(response, request.agent.close)
        return response

    def process_exception(self, request: Request, exception: Exception) -> HttpResponseBase | None:
        """Show what the agent says where a page did not expect it."""
        return failed(request, exception) if isinstance(exception, BeistandError) else None

    def _recognise(self, request: Request) -> None:
        try:
            request.account = request.agent.account()
        except Told:
            # Expired, logged out elsewhere, account removed: whoever it was starts anew.
            address = request.agent.address
            request.agent.close()
            request.session.flush()
            request.agent = AgentLink("", address)
            notice(request, "web.log-in.ended")


def _at_the_end(response: HttpResponse, act: Callable[[], None]) -> None:
    """Do this when the whole answer is on its way, however that ended."""
    close = response.close

    def closing() -> None:
        act()
        close()

    response.close = closing  # type: ignore[method-assign]  # Django offers no other hook for one response
