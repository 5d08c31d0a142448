"""Pages for what went wrong: each says what, and what to do."""

import secrets
import sys
import traceback

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from beistand.domain.errors import BeistandError
from beistand.domain.message import Field, Message
from beistand.web.agent_link import is_missing


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """400: also a Host header that is not ours (F17)."""
    return _page(request, 400, "web.errors.bad-request")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return _page(request, 403, "web.errors.forbidden")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  Django names it
    """403: a form without the token of this browser."""
    return _page(request, 403, "web.errors.csrf")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return _page(request, 404, "web.errors.not-found")


def forgotten(request: HttpRequest) -> HttpResponse:
    """404 for a job: a restart of the agent ends jobs and forgets them, and old ones make room for new ones."""
    return _page(request, 404, "web.jobs.unknown")


def broken(request: HttpRequest) -> HttpResponse:
    """500: a bug; the journal has the trace beside the reference."""
    reference = secrets.token_hex(4)
    sys.stderr.write(f"internal-error reference={reference}\n{traceback.format_exc()}")
    return _page(request, 500, "web.errors.broken", reference=reference)


def failed(request: HttpRequest, error: BeistandError) -> HttpResponse:
    """503 where no agent answers, and the page asks again; else 409 with what it said."""
    if is_missing(error):
        response = _page(request, 503, "web.errors.agent-missing", error.message, retry=5)
        response["Retry-After"] = "5"
        return response
    return _page(request, 409, "web.errors.refused", error.message)


def _page(
    request: HttpRequest,
    status: int,
    code: str,
    message: Message | None = None,
    retry: int = 0,
    **fields: Field,
) -> HttpResponse:
    about = Message(code=code, fields=fields)
    values = {"about": about, "message": message, "retry": retry, "status_code": status}
    return render(request, "error.html", values, status=status)
