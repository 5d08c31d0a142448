"""The page that shows people what programs may do."""

import pytest

from beistand.domain.account import AccountRole
from beistand.web.api.routes import ROUTES
from web.conftest import Start


@pytest.mark.parametrize(
    ("language", "word"), [("en", "Make this machine an appliance"), ("de", "Umschaltung")]
)
def test_it_lists_every_route_in_the_readers_language(start: Start, language: str, word: str) -> None:
    browser, _ = start(role=AccountRole.VIEWER, language=language)
    page = browser.get("/api/").content.decode()
    assert all(f"<code>{route.path}</code>" in page for route in ROUTES)
    assert word in page
    assert "web.api." not in page
    assert "integer 1…1000 = 10" in page


def test_it_says_in_german_that_the_notes_on_fields_are_english(start: Start) -> None:
    """They stand in the source, once, and are the same for every tool."""
    browser, _ = start(language="de")
    page = browser.get("/api/").content.decode()
    said = "Namen von Feldern und Anmerkungen zu ihnen sind auf Englisch."
    assert said in page
    assert page.index(said) < page.index('<td data-label="Anmerkung" lang="en">')
    document = browser.get("/api/v1/openapi.json", headers={"accept-language": "de"}).json()
    assert said in document["info"]["description"]


def test_nobody_reads_it_who_is_not_logged_in(start: Start) -> None:
    browser, _ = start(role=None)
    assert browser.get("/api/").status_code == 303
