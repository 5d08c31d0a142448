"""One request of a program: read, asked over a connection of its own, answered. No cookie is looked at."""

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from beistand.client import Client, Told
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.job import Job
from beistand.domain.message import Message
from beistand.domain.value import Value
from beistand.protocol import AccountView, Authenticate, Done
from beistand.web.api.document import document
from beistand.web.api.problems import problem
from beistand.web.api.reading import (
    Confirmation,
    check_host,
    confirmation_of,
    found_route,
    language_of,
    parts_of,
    token_of,
)
from beistand.web.api.route import PREFIX, Carries, Route
from beistand.web.api.streams import download, upload
from beistand.web.waiting import patient

DOCUMENT = f"{PREFIX}/openapi.json"
POLICY = "default-src 'none'; frame-ancestors 'none'"
Respond = Callable[[HttpRequest], HttpResponseBase]


def api(respond: Respond) -> Respond:
    """Answer what is below /api/v1 before anything of the pages: sessions, cookies and forms stay theirs."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(f"{PREFIX}/"):
            return respond(request)
        response = _answer(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Vary", "Accept-Language, Authorization")
        if isinstance(response, HttpResponse) and response.status_code != 204:
            response.headers["Content-Length"] = str(len(response.content))
        return response

    return middleware


def _answer(request: HttpRequest) -> HttpResponseBase:
    language = language_of(request)
    try:
        check_host(request)
        if request.path_info == DOCUMENT and request.method in ("GET", "HEAD"):
            return _json(document(language))
        return _done(request)
    except BeistandError as error:
        return problem(error.message, language)
    except Exception:
        reference = secrets.token_hex(4)
        logging.getLogger(__name__).exception("internal-error reference=%s", reference)
        return problem(Message(code="api-broken", fields={"reference": reference}), language)


def _done(request: HttpRequest) -> HttpResponseBase:
    # In the order that tells a stranger least: whoever has no token learns of paths only.
    route, names = found_route(request)
    token, confirmation = token_of(request), confirmation_of(request, route)
    parts = parts_of(request, route, names)
    if route.carries is Carries.JSON:
        with (
            _connection(request, token, confirmation) as client,
            patient(route.built(parts, **_filled(request, confirmation)), token) as asked,
        ):
            return _told(route, client.call(asked, route.answer, route.seconds))
    connection = _connection(request, token, confirmation)
    if route.carries is Carries.UPLOAD:
        with connection as client:
            return _told(route, upload(client, request, route, parts))
    return download(connection, names["id"])


def _filled(request: HttpRequest, confirmation: Confirmation) -> dict[str, str | bool]:
    """Return the fields that nobody sends: who confirmed, and to which address of this machine the request came."""
    return {
        "operator": confirmation.name,
        "forged": "",
        "reached": request.META["SERVER_NAME"],
        "at_console": False,
    }


@contextmanager
def _connection(request: HttpRequest, token: str, confirmation: Confirmation) -> Iterator[Client]:
    """Yield a connection that acts for the token, and with the confirmation beside it."""
    with Client() as client:
        address = request.META.get("REMOTE_ADDR", "")
        asked = Authenticate(
            token=token, address=address, name=confirmation.name, password=confirmation.password
        )
        try:
            account = client.call(asked, AccountView)
        except Told as told:
            if told.message.code == "session-ended":
                raise Refused("api-token-wrong") from None
            raise
        # A session's token belongs into its browser's cookie and nowhere else.
        if not account.is_program:
            raise Refused("api-token-wrong")
        yield client


def _told(route: Route, answer: Value) -> HttpResponse:
    if isinstance(answer, Done):
        return HttpResponse(status=204)
    response = _json(answer, route.status)
    if isinstance(answer, Job) and route.status == 202:
        response["Location"] = f"{PREFIX}/jobs/{answer.id}"
    return response


def _json(answer: object, status: int = 200) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json", status=status)
