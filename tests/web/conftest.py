"""Django's test client over https, and a fake agent behind it that speaks the real protocol."""

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

# Before anything of Django is imported: its settings are read once.
_FOLDER = tempfile.TemporaryDirectory(prefix="web-")
os.environ["BEISTAND_WEB_STATE"] = _FOLDER.name
os.environ["BEISTAND_WEB_HOSTS"] = "testserver,localhost"
os.environ["DJANGO_SETTINGS_MODULE"] = "beistand.web.settings"

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from beistand.domain.account import AccountRole  # noqa: E402
from beistand.domain.role import Role  # noqa: E402
from beistand.domain.value import Value  # noqa: E402
from beistand.protocol import (  # noqa: E402
    AccountView,
    Authenticate,
    Coverage,
    Done,
    GenerationList,
    GetCoverage,
    GetStatus,
    ListGenerations,
    LogIn,
    LogOut,
    Session,
    Status,
)
from fakes.agent_server import FakeAgent, Reply  # noqa: E402

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATUS = Status(
    initialised=True,
    role=Role.ACTIVE,
    state="serving",
    host="pbx-a",
    own_address="192.0.2.1/24",
    service_address="192.0.2.10",
    epoch=2,
    version="0.1.0",
)
Start = Callable[..., tuple[Client, FakeAgent]]


def account(role: AccountRole = AccountRole.ADMINISTRATOR, name: str = "anna") -> AccountView:
    return AccountView(name=name, role=role, since=BEGIN)


def text_of(answer: Any) -> str:
    """Return the words of a page, without its elements."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture(scope="session", autouse=True)
def _environment() -> None:
    setup_test_environment()


def give_session(browser: Client, **entries: str) -> None:
    """Have the browser hold a session with these entries, as if the pages had signed it."""
    session = browser.session
    session.update(entries)
    session.save()
    browser.cookies[settings.SESSION_COOKIE_NAME] = session.session_key


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Return a browser and its agent: `start({GetMail: view}, role=AccountRole.VIEWER)`.

    Role None: nobody is logged in. The agent answers each request type with what is given; status, log-in,
    log-out and what the overview asks it answers by itself.
    """
    running: list[FakeAgent] = []

    def start(
        replies: dict[type[Value], Reply | list[Reply]] | None = None,
        *,
        role: AccountRole | None = AccountRole.ADMINISTRATOR,
        language: str = "en",
    ) -> tuple[Client, FakeAgent]:
        who = account(role or AccountRole.ADMINISTRATOR)
        usual: dict[type[Value], Reply | list[Reply]] = {
            GetStatus: STATUS,
            Authenticate: who,
            LogIn: Session(token="t0ken", account=who, expires=BEGIN),
            LogOut: Done(),
            ListGenerations: GenerationList(copies=()),
            GetCoverage: Coverage(at=None),
        }
        agent = FakeAgent({**usual, **(replies or {})}).__enter__()
        running.append(agent)
        monkeypatch.setenv("BEISTAND_SOCKET", str(agent.path))
        browser = Client(headers={"accept-language": language})
        browser.defaults["wsgi.url_scheme"] = "https"
        if role is not None:
            give_session(browser, token="t0ken")
        return browser, agent

    yield start
    for each in running:
        each.__exit__(None, None, None)
