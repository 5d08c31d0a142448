"""What a page says where the agent refused, failed, or does not answer: no more than is so."""

from html import unescape

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from msgspec.structs import replace

from beistand.domain.errors import Refused
from beistand.domain.message import message
from beistand.protocol import GetMail, GetNetwork, GetStatus, LogOut, SetMailText
from beistand.web import failures as errors
from fakes.agent_server import Reply, breaks
from web import scenes
from web.conftest import STATUS, Start

NOTHING, PERHAPS, NOT = "has changed nothing", "may have been done all the same", "What you sent was not done"
TEXT = {"act": "text-back"}


def said(answer: HttpResponse) -> str:
    return unescape(answer.content.decode())


def outcome(answer: HttpResponse) -> list[str]:
    """Return what the page says about what was sent."""
    return [each for each in (NOTHING, PERHAPS, NOT) if each in said(answer)]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Refused("needs-root"), [NOTHING]),
        (message("internal-error", reference="1a2b"), [PERHAPS]),
        (message("disk-full", path="/"), [PERHAPS]),
    ],
)
def test_after_a_form_only_a_refusal_has_changed_nothing(start: Start, reply: Reply, told: list[str]) -> None:
    browser, _ = start({LogOut: reply})
    answer = browser.post("/log-out/")
    assert (answer.status_code, outcome(answer)) == (409, told)


@pytest.mark.parametrize("reply", [Refused("needs-root"), message("internal-error", reference="1a2b")])
def test_who_only_looked_is_told_nothing_about_changes(start: Start, reply: Reply) -> None:
    browser, _ = start({GetNetwork: reply})
    answer = browser.get("/network/")
    assert (answer.status_code, outcome(answer)) == (409, [])


def test_an_agent_that_goes_away_while_it_is_asked_may_have_done_it(start: Start) -> None:
    """docs/api.md says the same to programs."""
    browser, _ = start({SetMailText: breaks})
    answer = browser.post("/mail/", TEXT)
    assert (answer.status_code, outcome(answer)) == (503, [PERHAPS])
    assert "asks again every" not in said(answer)
    assert "Ask again now" not in said(answer)


@pytest.mark.parametrize(("method", "told"), [("post", [NOT]), ("get", [])])
def test_an_agent_that_was_not_there_has_done_nothing(start: Start, method: str, told: list[str]) -> None:
    browser, agent = start()
    agent.is_gone = True
    answer = getattr(browser, method)("/mail/", TEXT)
    assert (answer.status_code, outcome(answer)) == (503, told)
    assert "may still happen" not in said(answer)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (STATUS, "calls on this appliance go on"),
        (replace(STATUS, state="unverified"), "calls on this appliance go on"),
        (replace(STATUS, state="held"), "A standby cannot take over without it"),
        (scenes.STANDBY, "Without it this appliance cannot take over"),
        (breaks, "A standby cannot take over without it"),
    ],
)
def test_what_it_means_depends_on_the_appliance(start: Start, status: Reply, told: str) -> None:
    """On the standby, on the day, it is not calls that the reader has to think of."""
    browser, _ = start({GetStatus: status, GetMail: breaks})
    answer = browser.get("/mail/")
    assert answer.status_code == 503
    assert told in said(answer)


def test_a_bug_may_have_left_something_done() -> None:
    assert outcome(errors.broken(RequestFactory().post("/"))) == [PERHAPS]
    assert outcome(errors.broken(RequestFactory().get("/"))) == []
