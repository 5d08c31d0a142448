"""F17 from outside of the view functions: what a hostile page, name or form gets."""

import pytest
from django.conf import settings
from django.core import signing
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern

from beistand.domain.account import AccountRole
from beistand.domain.message import message
from beistand.protocol import (
    Authenticate,
    ListAccounts,
    LogIn,
    LogOut,
    RemoveAccount,
    Session,
    StartCycle,
)
from beistand.web.middleware import POLICY
from beistand.web.state import state_folder
from web.conftest import BEGIN, Start, account, give_session

pytestmark = pytest.mark.shows("F17")
OPEN_PAGES = {"log-in", "log-out", "setup", "appearance"}


def test_every_page_forbids_what_it_does_not_need(start: Start) -> None:
    browser, _ = start()
    answer = browser.get("/")
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8443", "192.0.2.99:8443", "testserver.evil.example"]
)
def test_another_name_for_this_machine_is_refused(start: Start, host: str) -> None:
    browser, agent = start()
    answer = browser.get("/", headers={"host": host})
    assert answer.status_code == 400
    assert agent.requests == []


@pytest.mark.parametrize(
    "path", ["/cycle/", "/log-in/", "/setup/", "/password/", "/appearance/", "/accounts/new/"]
)
def test_a_form_of_another_site_does_nothing(start: Start, path: str) -> None:
    _, agent = start()
    hostile = Client(enforce_csrf_checks=True)
    hostile.defaults["wsgi.url_scheme"] = "https"
    give_session(hostile, token="t0ken")
    answer = hostile.post(path, {"name": "anna", "password": "x"}, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert not [each for each in agent.requests if isinstance(each, (LogIn, StartCycle))]


def test_logging_in_makes_a_session_with_another_name(start: Start) -> None:
    """Fixation: whoever planted a session does not share the one that comes of it."""
    browser, _ = start(role=None)
    give_session(browser, planted="by somebody else")
    planted = browser.cookies["__Host-session"].value
    answer = browser.post("/log-in/", {"name": "anna", "password": "x"})
    assert answer.status_code == 303
    assert browser.cookies["__Host-session"].value != planted
    assert "planted" not in browser.session
    assert browser.session["token"] == "t0ken"


@pytest.mark.shows("F12")
def test_logging_in_needs_no_disk(start: Start) -> None:
    """On the day the disk may be full: nothing of a session is written here."""
    before = sorted(state_folder().iterdir())
    browser, _ = start(role=None)
    assert browser.post("/log-in/", {"name": "anna", "password": "x"}).status_code == 303
    assert sorted(state_folder().iterdir()) == before
    assert settings.DATABASES["default"]["ENGINE"] == "django.db.backends.dummy"


def test_a_session_that_nobody_here_signed_is_none(start: Start) -> None:
    browser, agent = start(role=None)
    forged = signing.dumps(
        {"token": "t0ken"}, key="guessed", salt="django.contrib.sessions.backends.signed_cookies"
    )
    browser.cookies["__Host-session"] = forged
    assert browser.get("/").status_code == 303
    assert not [each for each in agent.requests if isinstance(each, Authenticate)]


def test_logging_out_ends_the_session_in_the_agent_too(start: Start) -> None:
    browser, agent = start()
    browser.post("/log-out/")
    assert agent.asked(LogOut)
    assert "token" not in browser.session


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "/\t/evil.example",
        "",
    ],
)
@pytest.mark.parametrize("how", ["log-in", "appearance"])
def test_nobody_is_sent_to_another_site(start: Start, how: str, back: str) -> None:
    browser, _ = start(role=None)
    answer = browser.post(f"/{how}/", {"name": "anna", "password": "x", "theme": "dark", "next": back})
    assert answer.headers["Location"] == "/"


def test_a_local_path_is_kept(start: Start) -> None:
    browser, _ = start(role=None)
    answer = browser.post("/log-in/", {"name": "anna", "password": "x", "next": "/logs/?level=error"})
    assert answer.headers["Location"] == "/logs/?level=error"


def test_cookies_are_for_this_host_and_for_tls_only(start: Start) -> None:
    browser, _ = start(role=None)
    browser.get("/log-in/")
    browser.post("/log-in/", {"name": "anna", "password": "x"})
    browser.post("/appearance/", {"language": "de", "theme": "dark"})
    assert set(browser.cookies) == {"__Host-session", "__Host-csrf", "__Host-language", "__Host-theme"}
    for name, cookie in browser.cookies.items():
        assert cookie["secure"], name
        assert cookie["httponly"], name
        assert cookie["samesite"] == "Lax", name
        assert cookie["path"] == "/", name
        assert not cookie["domain"], name


def test_the_browsers_address_goes_with_every_request(start: Start) -> None:
    browser, agent = start()
    browser.get("/", REMOTE_ADDR="192.0.2.77")
    asked = agent.asked(Authenticate)[0]
    assert isinstance(asked, Authenticate)
    assert asked.address == "192.0.2.77"


def test_guessing_is_told_as_the_agent_tells_it(start: Start) -> None:
    browser, _ = start({LogIn: message("too-many-tries", seconds=42)}, role=None)
    page = browser.post("/log-in/", {"name": "anna", "password": "guess"}).content.decode()
    assert "42 seconds" in page
    assert "guess" not in page


def test_a_password_never_comes_back_into_a_form(start: Start) -> None:
    who = account()
    browser, _ = start(
        {LogIn: [message("log-in-wrong"), Session(token="t", account=who, expires=BEGIN)]}, role=None
    )
    page = browser.post("/log-in/", {"name": "anna", "password": "geheim-und-lang"}).content.decode()
    assert "geheim-und-lang" not in page
    assert 'value="anna"' in page


def names() -> list[URLPattern]:
    return [each for each in get_resolver().url_patterns if isinstance(each, URLPattern)]


@pytest.mark.parametrize(
    "page", [each for each in names() if each.name not in OPEN_PAGES], ids=lambda each: each.name
)
def test_no_page_opens_without_an_account(start: Start, page: URLPattern) -> None:
    browser, agent = start(role=None)
    path = "/" + str(page.pattern).replace("<str:", "<")
    for word in ("id", "name", "key", "job"):
        path = path.replace(f"<{word}>", "x1")
    for answer in (browser.get(path, follow=True), browser.post(path, follow=True)):
        if answer.status_code != 405:
            assert answer.redirect_chain[-1][0].startswith("/log-in/"), path
    assert {type(each).__name__ for each in agent.requests} <= {"Hello", "GetStatus"}


@pytest.mark.parametrize(
    "path", ["/accounts/", "/accounts/new/", "/accounts/account/anna/remove/", "/admin/redundancy/"]
)
def test_a_viewer_sees_no_page_of_administrators(start: Start, path: str) -> None:
    browser, agent = start(role=AccountRole.VIEWER)
    assert browser.get(path).status_code == 403
    assert browser.post(path).status_code == 403
    assert not [each for each in agent.requests if isinstance(each, (ListAccounts, RemoveAccount))]
