"""What is the same on every page."""

from beistand.domain.message import message
from beistand.protocol import Authenticate, GetStatus
from web.conftest import Start


def test_a_page_says_which_appliance_it_is(start: Start) -> None:
    browser, _ = start()
    page = browser.get("/").content.decode()
    assert "pbx-a" in page
    assert "active" in page


def test_it_speaks_german_to_a_german_browser(start: Start) -> None:
    browser, _ = start(language="de")
    page = browser.get("/").content.decode()
    assert '<html lang="de"' in page
    assert "Übersicht" in page


def test_an_agent_that_does_not_run_is_told_and_asked_again(monkeypatch, start: Start) -> None:
    browser, _ = start()
    monkeypatch.setenv("BEISTAND_SOCKET", "/nowhere/agent.sock")
    answer = browser.get("/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert 'http-equiv="refresh"' in answer.content.decode()


def test_a_session_that_the_agent_ended_leads_to_the_log_in_page(start: Start) -> None:
    browser, agent = start({Authenticate: message("session-ended")})
    answer = browser.get("/")
    assert answer.headers["Location"] == "/log-in/"
    assert "Your session has ended" in browser.get("/log-in/").content.decode()
    assert agent.asked(GetStatus)
