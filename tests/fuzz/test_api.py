"""The JSON API, tried from its own description against a whole agent: whatever is sent, it stays an API (F17, F18)."""

import base64
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# Before anything of Django is imported: its settings are read once.
os.environ.setdefault("BEISTAND_WEB_STATE", tempfile.mkdtemp(prefix="web-"))
os.environ["BEISTAND_WEB_HOSTS"] = "testserver,localhost"
os.environ["DJANGO_SETTINGS_MODULE"] = "beistand.web.settings"

import django
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from beistand.client import SOCKET
from beistand.domain.account import AccountRole
from beistand.domain.config import ModuleConfig
from beistand.domain.role import Role
from beistand.protocol import (
    AccountList,
    BackupList,
    GetConfig,
    GetLicences,
    GetMail,
    GetStatus,
    GetUpload,
    LicencesView,
    ListAccounts,
    ListBackups,
    MailView,
    Status,
    UploadView,
)
from beistand.web.api.reading import CONFIRMATION
from beistand.web.api.route import Needs
from beistand.web.api.routes import ROUTES
from beistand_lab.lone_appliance import PASSWORD, ask, lone_appliance, make_people

django.setup()
from beistand.web.wsgi import application  # noqa: E402

EXAMPLES = int(os.environ.get("BEISTAND_FUZZ_EXAMPLES", "15"))
REFUSED = max(EXAMPLES // 2, 1)
"""What is refused before it is looked at has less to go wrong."""
SEED = int(os.environ.get("BEISTAND_FUZZ_SEED", "20260301"))
CONFIRMED = "Basic " + base64.b64encode(f"anna:{PASSWORD}".encode()).decode()
NEEDS = {route.name: route.needs for route in ROUTES}
"""By `operationId`."""
SCHEMA = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
SCHEMA.config.generation.update(with_security_parameters=False)  # who asks is ours to say
OPERATIONS = {str(each.ok().definition.raw["operationId"]): each.ok() for each in SCHEMA.get_all_operations()}
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
EVERY = pytest.mark.parametrize("name", OPERATIONS)
PROMISES = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)


class Appliance:
    """The agent behind the API, and who may ask it."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self.tokens = make_people(socket)

    def headers(self, role: AccountRole, confirmation: str = "") -> dict[str, str]:
        token = {"Authorization": f"Bearer {self.tokens[role]}"}
        return token | {CONFIRMATION: confirmation} if confirmation else token

    def state(self) -> tuple[object, ...]:
        """Return all that a request could have changed."""
        asked = {
            GetConfig(): ModuleConfig,
            ListAccounts(): AccountList,
            GetMail(): MailView,
            GetLicences(): LicencesView,
        }
        status = ask(self._socket, GetStatus(), Status)
        backups = ask(self._socket, ListBackups(), BackupList).backups
        upload = ask(self._socket, GetUpload(), UploadView).id
        rest = (ask(self._socket, *each) for each in asked.items())
        return (status.epoch, status.role, status.job, backups, upload, *rest)


@contextmanager
def appliance_as(role: Role, folder: Path) -> Iterator[Appliance]:
    with lone_appliance(folder, role) as socket, pytest.MonkeyPatch.context() as patch:
        patch.setenv(SOCKET, str(socket))
        yield Appliance(socket)


@pytest.fixture(scope="module")
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with appliance_as(Role.ACTIVE, tmp_path_factory.mktemp("active")) as active:
        yield active


@pytest.fixture(scope="module")
def standby(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with appliance_as(Role.STANDBY, tmp_path_factory.mktemp("standby")) as standby:
        yield standby


def tried(name: str, examples: int, test: Callable[[Any], None]) -> None:
    """Run the test with as many cases of one operation, valid ones and others."""
    operation = OPERATIONS[name]
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in MODES))
    print(f"BEISTAND_FUZZ_SEED={SEED} BEISTAND_FUZZ_EXAMPLES={examples}")  # noqa: T201
    quiet = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large]
    bounded = settings(max_examples=examples, deadline=None, database=None, suppress_health_check=quiet)
    seed(SEED)(bounded(given(case=cases)(test)))()


def test_the_document_is_valid() -> None:
    SCHEMA.validate()
    assert len(OPERATIONS) == len(ROUTES)


def as_described(appliance: Appliance, name: str) -> None:
    checks = [check for check in CHECKS.get_all() if check.__name__ in PROMISES]
    headers = appliance.headers(AccountRole.ADMINISTRATOR, CONFIRMED)

    def test(case: Any) -> None:
        case.validate_response(case.call(headers=headers), checks=checks)

    tried(name, EXAMPLES, test)


@pytest.mark.shows("F18")
@EVERY
def test_answers_are_as_described(appliance: Appliance, name: str) -> None:
    as_described(appliance, name)


@pytest.mark.shows("F18")
@pytest.mark.parametrize("name", [name for name in OPERATIONS if NEEDS[name] is not Needs.VIEWER])
def test_a_viewers_token_changes_nothing(appliance: Appliance, name: str) -> None:
    before = appliance.state()

    def test(case: Any) -> None:
        answer = case.call(headers=appliance.headers(AccountRole.VIEWER, CONFIRMED))
        assert 400 <= answer.status_code < 500, answer.text

    tried(name, REFUSED, test)
    assert appliance.state() == before


@pytest.mark.shows("F17 F18")
@pytest.mark.parametrize("name", [name for name in OPERATIONS if NEEDS[name] is Needs.CONFIRMATION])
def test_nothing_dangerous_happens_without_a_person(appliance: Appliance, name: str) -> None:
    before = appliance.state()

    def test(case: Any) -> None:
        answer = case.call(headers=appliance.headers(AccountRole.ADMINISTRATOR))
        assert 400 <= answer.status_code < 500, answer.text

    tried(name, REFUSED, test)
    assert appliance.state() == before


@pytest.mark.shows("F18")
@pytest.mark.parametrize("name", [name for name in OPERATIONS if name.startswith(("upload", "takeover"))])
def test_a_standbys_answers_are_as_described(standby: Appliance, name: str) -> None:
    as_described(standby, name)
