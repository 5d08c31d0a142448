"""Pages for what went wrong: each says what, and what to do."""

import secrets
import sys
import traceback

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from beistand.domain.errors import BeistandError
from beistand.domain.message import Field, Message, message
from beistand.domain.role import Role
from beistand.web.agent_link import is_missing, is_refusal
from beistand.web.asking import Request

RETRY_SECONDS = 5
SERVING = ("serving", "unverified")
NO_ANSWER = ("agent-silent", "agent-gone")
"""Their hint says that what was asked for may still happen; here the notes say it, of what was sent only."""


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
    notes = (message("web.errors.perhaps-done"),) if _is_form(request) else ()
    return _page(request, 500, "web.errors.broken", notes=notes, reference=reference)


def failed(request: Request, error: BeistandError, *, has_begun: bool = True) -> HttpResponse:
    """503 where no agent answers, and the page asks again; else 409 with what it said.

    `has_begun`: somebody may have been asked already for what the request is about.
    """
    notes = _outcome(error, has_begun=has_begun) if _is_form(request) else ()
    if not is_missing(error):
        return _page(request, 409, "web.errors.refused", told=error.message, notes=notes)
    notes = (_meaning(request), *notes)
    retry = 0 if _is_form(request) else RETRY_SECONDS
    response = _page(request, 503, "web.errors.agent-missing", told=error.message, notes=notes, retry=retry)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


def _is_form(request: HttpRequest) -> bool:
    return request.method not in ("GET", "HEAD")


def _outcome(error: BeistandError, *, has_begun: bool) -> tuple[Message, ...]:
    """Return what became of a form that was sent."""
    if not has_begun:
        return (message("web.errors.not-done"),)
    # Without an answer nobody knows, not even where the last thing asked was refused: it was not the first.
    if is_refusal(error) and not is_missing(error):
        return (message("web.errors.nothing-changed"),)
    return (message("web.errors.perhaps-done"),)


def _meaning(request: Request) -> Message:
    """Return what it means for calls that this agent does not answer, as far as it is known what it is."""
    try:
        status = request.agent.status()
    except BeistandError:
        return message("web.errors.who-serves")
    if status.state in SERVING:
        return message("web.errors.calls-go-on")
    return message("web.errors.no-takeover" if status.role is Role.STANDBY else "web.errors.who-serves")


def _page(
    request: HttpRequest,
    status: int,
    code: str,
    *,
    told: Message | None = None,
    notes: tuple[Message, ...] = (),
    retry: int = 0,
    **fields: Field,
) -> HttpResponse:
    values = {
        "about": Message(code=code, fields=fields),
        "message": told,
        "has_hint": told is not None and told.code not in NO_ANSWER,
        "notes": notes,
        "retry": retry,
        "is_form": _is_form(request),
    }
    return render(request, "error.html", values, status=status)
