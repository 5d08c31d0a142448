"""The OpenAPI 3.1 document, made from the table of routes and the types of the protocol."""

from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, get_args

import msgspec

from beistand import __version__
from beistand.domain.bounds import Moment
from beistand.text import term
from beistand.web.api.field_notes import field_notes
from beistand.web.api.problems import MEDIA_TYPE, Problem
from beistand.web.api.reading import CONFIRMATION
from beistand.web.api.route import PREFIX, Carries, Needs, Route
from beistand.web.api.routes import GROUPS, ROUTES

Json = dict[str, Any]
FILE = "application/octet-stream"
WALL_TIME = "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"


@cache
def document(language: str) -> Json:
    """Return the document; its sentences are in this language, notes on single fields in English."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Beistand",
            "version": __version__,
            "description": term("web.api.about", language),
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": PREFIX}],
        "tags": [{"name": name, "description": term(f"web.api.group.{name}", language)} for name in GROUPS],
        "paths": _paths(language),
        "components": {"schemas": _schemas(), "securitySchemes": _security_schemes(language)},
    }


SECURITY: dict[Needs, list[Json]] = {
    Needs.CONFIRMATION: [{"token": [], "confirmation": []}],
    Needs.PERHAPS: [{"token": []}, {"token": [], "confirmation": []}],
}
"""Where a token is not all; in a list any one is enough."""


def _paths(language: str) -> Json:
    paths: Json = {}
    for tag, routes in GROUPS.items():
        for route in routes:
            operation = {"tags": [tag], **_operation(route, language)}
            paths.setdefault(route.path, {})[route.method.lower()] = operation
    return paths


def _operation(route: Route, language: str) -> Json:
    operation: Json = {
        "operationId": route.name,
        "summary": term(f"web.api.{route.name}", language),
        "description": term(f"web.api.needs.{route.needs}", language),
        "security": SECURITY.get(route.needs, [{"token": []}]),
        "parameters": [
            *_parameters(route.in_path, "path"),
            *_parameters(route.in_query, "query"),
        ],
        "responses": {
            str(route.status): _success(route, language),
            "default": {
                "description": term("web.api.problem", language),
                "content": {MEDIA_TYPE: {"schema": _reference(Problem)}},
            },
        },
    }
    if route.carries is Carries.UPLOAD:
        operation["requestBody"] = {"required": True, "content": {FILE: {}}}
    elif fields := msgspec.structs.fields(route.in_body):
        is_required = route.method == "PUT" or any(each.required for each in fields)
        content = {"application/json": {"schema": _reference(route.in_body)}}
        operation["requestBody"] = {"required": is_required, "content": content}
    return operation


def _success(route: Route, language: str) -> Json:
    success: Json = {"description": term("web.api.success", language)}
    if route.carries is Carries.DOWNLOAD:
        success["content"] = {FILE: {}}
    elif route.status != 204:
        success["content"] = {"application/json": {"schema": _reference(route.answer)}}
    if route.status == 202:
        about = term("web.api.location", language)
        success["headers"] = {"Location": {"description": about, "schema": {"type": "string"}}}
    return success


def _parameters(part: type[msgspec.Struct], place: str) -> list[Json]:
    fields = msgspec.structs.fields(part)
    (_,), components = msgspec.json.schema_components([part])
    properties = components[part.__name__]["properties"]
    notes = _notes(part)
    return [
        {
            "name": each.name,
            "in": place,
            "required": each.required,
            "schema": {**properties[each.name], **({"minLength": 1} if place == "path" else {})},
            **({"description": notes[each.name]} if each.name in notes else {}),
        }
        for each in fields
    ]


def _security_schemes(language: str) -> Json:
    return {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": term("web.api.security.token", language),
        },
        "confirmation": {
            "type": "apiKey",
            "in": "header",
            "name": CONFIRMATION,
            "description": term("web.api.security.confirmation", language),
        },
    }


def _schemas() -> Json:
    answers = [each.answer for each in ROUTES if each.status != 204 and each.carries is not Carries.DOWNLOAD]
    bodies = [each.in_body for each in ROUTES if each.in_body.__struct_fields__]
    template = "#/components/schemas/{name}"
    _, components = msgspec.json.schema_components([*answers, *bodies, Problem], ref_template=template)
    for struct in _structs(chain(answers, bodies, [Problem])):
        _annotate(components[struct.__name__], struct)
    return dict(components)


_MOMENTS = (datetime, Moment)


def _annotate(schema: Json, struct: type[msgspec.Struct]) -> None:
    """Add what msgspec leaves out: notes on fields, and that a moment is one."""
    notes = _notes(struct)
    for field in msgspec.structs.fields(struct):
        shown = schema["properties"][field.name]
        if field.type in _MOMENTS:
            shown["format"] = "date-time"
        elif any(each in _MOMENTS for each in get_args(field.type)):
            shown["anyOf"][0]["format"] = "date-time"
        if field.name in notes:
            shown["description"] = notes[field.name]
    if struct.__name__ == "Schedule":
        schema["properties"]["at"]["pattern"] = WALL_TIME


def _structs(types: Any) -> set[type[msgspec.Struct]]:
    """Return the structs that these types are made of, themselves included."""
    found: set[type[msgspec.Struct]] = set()
    waiting = list(types)
    while waiting:
        each = waiting.pop()
        waiting.extend(get_args(each))
        if isinstance(each, type) and issubclass(each, msgspec.Struct) and each not in found:
            found.add(each)
            waiting.extend(field.type for field in msgspec.structs.fields(each))
    return found


def _notes(struct: type[msgspec.Struct]) -> dict[str, str]:
    return field_notes(_SOURCES.get(struct, struct))


def _reference(struct: type[msgspec.Struct]) -> Json:
    return {"$ref": f"#/components/schemas/{struct.__name__}"}


_SOURCES = {part: route.named for route in ROUTES for part in (route.in_path, route.in_query, route.in_body)}
"""Where the fields of a route's own structs are described."""
