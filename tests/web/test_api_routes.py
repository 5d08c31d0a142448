"""The table of routes against the protocol and the agent's own rights: nothing is forgotten, nothing is wider."""

from typing import get_args

import msgspec
import pytest

from beistand.agent.access import ACCESS, Access
from beistand.protocol import NewToken, PersonRequest, SetConfig
from beistand.text import LANGUAGES
from beistand.text.catalogue import entries
from beistand.web.api.document import document
from beistand.web.api.problems import STATUSES, status_of
from beistand.web.api.route import Needs, Route
from beistand.web.api.routes import GROUPS, ROUTES, WITHOUT_ROUTE

NEEDS = {
    Access.OPEN: Needs.VIEWER,
    Access.LOOK: Needs.VIEWER,
    Access.ACT: Needs.ADMINISTRATOR,
    Access.DANGEROUS: Needs.CONFIRMATION,
}
EVERY = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.method_and_path)
SECRETS = {"password", "verifier", "digest", "passphrase", "token", "private_key", "old", "new"}
HARMLESS = {("TakeoverPlanAnswer", "digest"), ("Backup", "digest")}
"""Of a plan and of a file, not of a secret."""
SHOWN_ONCE = {(NewToken.__name__, "token")}


def test_every_request_of_people_has_a_route_or_a_reason() -> None:
    asked = {route.request for route in ROUTES}
    assert asked | WITHOUT_ROUTE.keys() == set(get_args(PersonRequest))
    assert asked & WITHOUT_ROUTE.keys() == set()
    assert all(WITHOUT_ROUTE.values())


def test_no_route_is_there_twice() -> None:
    assert len({route.method_and_path for route in ROUTES}) == len(ROUTES)
    assert len({route.request for route in ROUTES}) == len(ROUTES)


@EVERY
def test_a_route_needs_what_the_agent_will_ask_for(route: Route) -> None:
    wanted = NEEDS[ACCESS[route.request]]
    # What makes the pair weaker in a configuration the agent decides when it sees it.
    assert route.needs is (Needs.PERHAPS if route.request is SetConfig else wanted)


@EVERY
def test_every_field_of_a_request_has_its_place_once(route: Route) -> None:
    parts = (route.in_path, route.in_query, route.in_body)
    placed = [name for part in parts for name in part.__struct_fields__] + list(route.filled)
    wanted = [each.name for each in msgspec.structs.fields(route.named)]
    assert sorted(placed) == sorted(wanted)


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_sentence_of_the_document_is_there(spoken: str) -> None:
    codes = [
        *(f"web.api.{route.name}" for route in ROUTES),
        *(f"web.api.group.{name}" for name in GROUPS),
        *(f"web.api.needs.{each}" for each in Needs),
    ]
    assert [code for code in codes if not entries(spoken).get(code)] == []
    assert "web.api." not in msgspec.json.encode(document(spoken)).decode()


def test_no_answer_has_room_for_a_secret() -> None:
    schemas = document("en")["components"]["schemas"]
    waiting, seen, found = [route.answer.__name__ for route in ROUTES], set(), set()
    while waiting:
        name = waiting.pop()
        if name not in seen and name in schemas:
            seen.add(name)
            found |= {(name, field) for field in schemas[name].get("properties", {}) if field in SECRETS}
            waiting += _references(schemas[name])
    assert found - HARMLESS == SHOWN_ONCE


def _references(schema: object) -> list[str]:
    if isinstance(schema, dict):
        own = [schema["$ref"].rpartition("/")[2]] if isinstance(schema.get("$ref"), str) else []
        return own + [each for value in schema.values() for each in _references(value)]
    return [each for value in schema for each in _references(value)] if isinstance(schema, list) else []


def test_no_code_has_two_statuses() -> None:
    codes = [code for each in STATUSES.values() for code in each]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_every_code_with_a_status_has_a_sentence(spoken: str) -> None:
    codes = {code for each in STATUSES.values() for code in each}
    assert {code for code in codes if not entries(spoken).get(code)} == set()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("api-path-unknown", 404),
        ("unknown-job", 404),
        ("licence-key-form", 422),
        ("log-in-wrong", 403),
        ("too-many-tries", 429),
        ("job-running", 409),
        ("nobody-knows-this-one", 409),
    ],
)
def test_a_status_follows_from_the_code(code: str, status: int) -> None:
    assert status_of(code) == status
