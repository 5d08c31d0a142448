"""What went wrong, as RFC 9457 tells it: one document, one table of status codes."""

from http import HTTPStatus
from math import ceil

import msgspec
from django.http import HttpResponse

from beistand.domain.message import Field, Message
from beistand.domain.value import Value
from beistand.text import hint, sentence

MEDIA_TYPE = "application/problem+json"
TRY_AGAIN_SECONDS = 5
"""After so long, where nothing says when."""


class Problem(Value, frozen=True, kw_only=True):
    """A problem document (RFC 9457) with the code, the fields and the hint that a page would show."""

    type: str = "about:blank"
    title: str
    """Of the status, always English."""
    status: int
    detail: str
    """The sentence, in the language of Accept-Language."""
    code: str
    """What happened, for programs; it never changes with the language."""
    fields: dict[str, Field] = {}
    hint: str = ""
    """What to do about it."""


STATUSES = {
    HTTPStatus.BAD_REQUEST: ("api-host", "api-not-json"),
    HTTPStatus.UNAUTHORIZED: ("api-token-missing", "api-token-wrong", "not-logged-in", "session-ended"),
    HTTPStatus.FORBIDDEN: (
        "api-confirmation-missing",
        "log-in-wrong",
        "needs-administrator",
        "needs-console",
        "change-needs-password",
        "needs-password",
        "needs-root",
    ),
    HTTPStatus.NOT_FOUND: ("api-path-unknown", "licence-unknown", "mail-text-unknown"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("api-method",),
    HTTPStatus.LENGTH_REQUIRED: ("api-length-missing",),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("api-body-too-large", "frame-too-large"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("api-media-type",),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "api-field-wrong",
        "bad-request",
        "bad-role",
        "config-name-missing",
        "interface-name-wrong",
        "log-level-unknown",
        "mail-address-missing",
        "mail-subject-lines",
        "mail-text-empty",
        "mail-text-field",
        "mail-text-long",
        "not-an-address",
        "own-address-wrong",
        "password-common",
        "password-is-name",
        "password-long",
        "password-short",
        "profile-unknown",
        "replug-too-long",
        "service-address-wrong",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: ("too-many-tries",),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("api-broken", "internal-error"),
    HTTPStatus.BAD_GATEWAY: ("agent-answer-wrong",),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "agent-gone",
        "agent-not-permitted",
        "agent-not-running",
        "agent-stopping",
        "protocol-differs",
    ),
    HTTPStatus.GATEWAY_TIMEOUT: ("agent-silent",),
}
"""Whatever stands nowhere here was refused, or failed, for what is so now: 409."""

_STATUS = {code: status for status, codes in STATUSES.items() for code in codes}


def status_of(code: str) -> HTTPStatus:
    """Return the HTTP status of a message that says why something did not work.

    By the table, then by how the codes of their kind begin and end.
    """
    if status := _STATUS.get(code):
        return status
    if code.startswith("unknown-"):
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.UNPROCESSABLE_ENTITY if code.endswith("-form") else HTTPStatus.CONFLICT


def problem(told: Message, language: str) -> HttpResponse:
    """Return the answer that tells this message."""
    status = status_of(told.code)
    document = Problem(
        title=status.phrase,
        status=status,
        detail=sentence(told, language),
        code=told.code,
        fields=told.fields,
        hint=hint(told, language),
    )
    response = HttpResponse(msgspec.json.encode(document), content_type=MEDIA_TYPE, status=status)
    response["Content-Language"] = language
    if status is HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="Beistand"'
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        response["Allow"] = str(told.fields["allowed"])
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        response["Retry-After"] = _retry_after(told.fields.get("seconds"))
    return response


def _retry_after(seconds: Field | None) -> str:
    return str(max(1, ceil(seconds)) if isinstance(seconds, int | float) else TRY_AGAIN_SECONDS)
