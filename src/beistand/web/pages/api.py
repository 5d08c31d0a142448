"""What programs may do, for people to read: the page of the JSON API, made from the OpenAPI document itself."""

from typing import Any

import msgspec
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from beistand.domain.value import Value
from beistand.web.api.document import document
from beistand.web.api.route import PREFIX
from beistand.web.asking import Request
from beistand.web.rights import for_viewers
from beistand.web.telling import spoken

Json = dict[str, Any]


class FieldLine(Value, frozen=True, kw_only=True):
    name: str
    place: str
    """`path`, `query` or `body`."""
    form: str
    is_required: bool
    note: str


class RouteLine(Value, frozen=True, kw_only=True):
    id: str
    method: str
    path: str
    summary: str
    needs: str
    fields: tuple[FieldLine, ...]
    answer: str
    """Name of its type; empty: nothing."""
    is_file: bool


@require_safe
@for_viewers
def api(request: Request) -> HttpResponseBase:
    read = document(spoken())
    groups = [
        {
            "name": tag["name"],
            "title": tag["description"],
            "routes": _routes(read, tag["name"]),
        }
        for tag in read["tags"]
    ]
    address = f"https://{request.get_host()}{PREFIX}"
    return render(request, "api.html", {"groups": groups, "prefix": PREFIX, "address": address})


def _routes(read: Json, tag: str) -> list[RouteLine]:
    return [
        _line(read, path, method, operation)
        for path, operations in read["paths"].items()
        for method, operation in operations.items()
        if tag in operation["tags"]
    ]


def _line(read: Json, path: str, method: str, operation: Json) -> RouteLine:
    success = next(iter(operation["responses"].values())).get("content", {})
    answer = success.get("application/json", {}).get("schema", {})
    return RouteLine(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        needs=operation["description"],
        fields=(*_parameters(operation), *_body(read, operation)),
        answer=_form(answer) if answer else "",
        is_file=bool(success) and not answer,
    )


def _parameters(operation: Json) -> list[FieldLine]:
    return [
        FieldLine(
            name=each["name"],
            place=each["in"],
            form=_form(each["schema"]),
            is_required=each["required"],
            note=each.get("description", ""),
        )
        for each in operation["parameters"]
    ]


def _body(read: Json, operation: Json) -> list[FieldLine]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return []
    schema = read["components"]["schemas"][_form(content["schema"])]
    return [
        FieldLine(
            name=name,
            place="body",
            form=_form(each),
            is_required=name in schema["required"],
            note=each.get("description", ""),
        )
        for name, each in schema["properties"].items()
    ]


def _form(schema: Json) -> str:
    """Return a schema in a few words: `integer 1…100 = 5`."""
    text: str
    if "$ref" in schema:
        text = schema["$ref"].rpartition("/")[2]
    elif "anyOf" in schema:
        text = " | ".join(_form(each) for each in schema["anyOf"])
    elif schema.get("type") == "array":
        text = f"[{_form(schema['items'])}]"
    else:
        text = str(schema.get("type", ""))
    if "minimum" in schema:
        text += f" {schema['minimum']}…{schema.get('maximum', '')}"
    if schema.get("default") not in (None, "", [], {}):
        text += f" = {msgspec.json.encode(schema['default']).decode()}"
    return text
