"""What an HTTP request says, read strictly: route, path, query, body and who confirms."""

import base64
import binascii
import re
from collections.abc import Iterator
from functools import cache

import msgspec
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, QueryDict
from django.utils.translation.trans_real import parse_accept_lang_header

from beistand.domain.errors import Refused
from beistand.domain.value import Value
from beistand.text import LANGUAGES
from beistand.web.api.route import PREFIX, Carries, Needs, Route
from beistand.web.api.routes import ROUTES

LARGEST_BODY = 512 * 1024
"""Bytes of JSON; the agent's own messages end at 1 MiB."""
CONFIRMATION = "Beistand-Confirmation"
"""Header of dangerous acts: `Basic`, as in RFC 7617, with name and password of an administrator."""


class Confirmation(Value, frozen=True, kw_only=True):
    """Who confirms a dangerous act."""

    name: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Confirmation(name={self.name!r})"


def language_of(request: HttpRequest) -> str:
    """Return the language that Accept-Language wants most of those spoken here."""
    wanted = parse_accept_lang_header(request.headers.get("Accept-Language", "").lower())
    return next((each[:2] for each, _ in wanted if each[:2] in LANGUAGES), "en")


def check_host(request: HttpRequest) -> None:
    """Raise Refused `api-host` for a name that is not this appliance's (F17)."""
    try:
        request.get_host()
    except DisallowedHost:
        raise Refused("api-host") from None


def found_route(request: HttpRequest) -> tuple[Route, dict[str, str]]:
    """Return the route and what its path names. Raises Refused `api-path-unknown`, `api-method`."""
    path = request.path_info.removeprefix(PREFIX)
    here = [(route, match.groupdict()) for route in ROUTES if (match := _pattern(route).fullmatch(path))]
    for route, names in here:
        if request.method in _methods(route):
            return route, names
    if not here:
        raise Refused("api-path-unknown", path=request.path_info)
    allowed = {method for route, _ in here for method in _methods(route)}
    raise Refused("api-method", method=str(request.method), allowed=", ".join(sorted(allowed)))


def token_of(request: HttpRequest) -> str:
    """Return the program's token. Raises Refused `api-token-missing`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused("api-token-missing")
    return token.strip()


def confirmation_of(request: HttpRequest, route: Route) -> Confirmation:
    """Return who confirms. Raises Refused `api-confirmation-missing` where the route needs one."""
    if route.needs not in (Needs.CONFIRMATION, Needs.PERHAPS):
        return Confirmation()
    if route.needs is Needs.PERHAPS and CONFIRMATION not in request.headers:
        return Confirmation()
    scheme, _, encoded = request.headers.get(CONFIRMATION, "").partition(" ")
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise Refused("api-confirmation-missing", header=CONFIRMATION) from None
    # An empty password would ask the agent for less than a confirmed act.
    if scheme.lower() != "basic" or not (name and colon and password):
        raise Refused("api-confirmation-missing", header=CONFIRMATION)
    return Confirmation(name=name, password=password)


def parts_of(request: HttpRequest, route: Route, names: dict[str, str]) -> list[msgspec.Struct]:
    """Return path, query and body, each as the route's own struct.

    Raises Refused `api-field-wrong` for unknown, missing, repeated and ill-formed fields, `api-not-json`,
    `api-media-type`, `api-body-too-large`.
    """
    try:
        parts = [
            msgspec.convert(names, route.in_path),
            msgspec.convert(dict(_single(request.GET)), route.in_query, strict=False),
        ]
        if route.carries is not Carries.UPLOAD:
            parts.append(_body(request, route.in_body))
    except msgspec.ValidationError as wrong:
        raise Refused("api-field-wrong", why=str(wrong)) from None
    return parts


def _single(query: QueryDict) -> Iterator[tuple[str, str]]:
    for name, values in query.lists():
        if len(values) != 1:
            raise Refused("api-field-wrong", why=f"`{name}` is there more than once")
        yield name, values[0]


def _body(request: HttpRequest, type_: type[msgspec.Struct]) -> msgspec.Struct:
    body = _read(request)
    # What is put is there whole: no body must not mean "as if it were new".
    if not body and request.method != "PUT":
        return msgspec.convert({}, type_)
    if request.content_type != "application/json":
        raise Refused("api-media-type", expected="application/json")
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("api-not-json") from None


def _read(request: HttpRequest) -> bytes:
    check_length(request)
    try:
        body: bytes = request.read(LARGEST_BODY + 1)
    except OSError:
        raise Refused("api-not-json") from None
    if len(body) > LARGEST_BODY:
        raise Refused("api-body-too-large", most=LARGEST_BODY)
    return body


def check_length(request: HttpRequest) -> None:
    """Raise Refused `api-length-missing` for a body in chunks: Django would take it for an empty one."""
    if "Transfer-Encoding" in request.headers:
        raise Refused("api-length-missing")


def _methods(route: Route) -> tuple[str, ...]:
    """HEAD is GET whose body the server leaves away; nobody reads a whole file for that."""
    is_plain = route.method == "GET" and route.carries is Carries.JSON
    return ("GET", "HEAD") if is_plain else (route.method,)


@cache
def _pattern(route: Route) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(route.path)))
