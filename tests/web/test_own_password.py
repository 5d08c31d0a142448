"""D13: what deletes something or makes the pair weaker asks for the password, on every page, and keeps the work."""

from typing import Any

import pytest

from beistand.domain.message import message
from beistand.domain.value import Value
from beistand.protocol import (
    Authenticate,
    DeleteBackup,
    GetLicences,
    GetMail,
    GetUpdate,
    ListUsers,
    PauseCycles,
    RemoveConfig,
    RemoveLicence,
    SetConfig,
    SetMailServer,
)
from fakes.agent_server import FakeAgent
from web import page_values, update_values
from web.conftest import Start, account, text_of
from web.module_views import CONFIG, on_the_active
from web.test_licences import USER
from web.test_licences import VIEW as LICENCES
from web.test_module_forms import RIGHT

SERVER = {"act": "server", "host": "mail.example.org", "encryption": "starttls", "port": "587"}
SERVER |= {"sender": "pbx@example.org"}
SETTINGS = {**RIGHT, "start": "2999-03-02"}
FORMS: dict[str, tuple[str, dict[str, str], type[Value]]] = {
    "backup": ("/backups/b1/delete/", {}, DeleteBackup),
    "licence": (f"/licences/{USER}/remove/", {}, RemoveLicence),
    "configuration": ("/module/delete/", {}, RemoveConfig),
    "pause": ("/update/pause/", {}, PauseCycles),
    "mail-server": ("/mail/", SERVER, SetMailServer),
    "settings": ("/module/redundancy/settings/", SETTINGS, SetConfig),
    "general": ("/module/redundancy/general/", {"name": "Redundanz", "log_level": "info"}, SetConfig),
    "backups": (
        "/backups/schedule/",
        {"interval": "day", "every": "1", "start": "2030-01-01", "at": "02:00", "keep_backups": "1"},
        SetConfig,
    ),
}


def asked_page(
    start: Start, name: str, why: str, sent: dict[str, str], *, at_log_in: bool = False
) -> tuple[Any, FakeAgent]:
    path, form, request = FORMS[name]
    refusal = message(why, change="mails-off") if why == "change-needs-password" else message(why)
    more = {Authenticate: [account(), refusal]} if at_log_in else {request: refusal}
    shown: dict[type[Value], Any] = {
        GetMail: page_values.MAIL,
        ListUsers: page_values.USERS,
        GetUpdate: update_values.BEFORE,
    }
    if name == "licence":
        shown[GetLicences] = LICENCES
    browser, agent = start({**on_the_active(), **shown, **more})
    return browser.post(path, {**form, **sent}), agent


@pytest.mark.parametrize("name", FORMS)
def test_without_the_password_nothing_is_done_and_it_is_asked_for(start: Start, name: str) -> None:
    request = FORMS[name][2]
    why = "change-needs-password" if request is SetConfig else "needs-password"
    page, _ = asked_page(start, name, why, {})
    assert page.status_code == 200
    assert 'name="own_password"' in page.content.decode()
    assert "needs the password of an administrator" in text_of(page)


@pytest.mark.parametrize("name", FORMS)
def test_a_wrong_password_is_told_and_stands_on_no_page(start: Start, name: str) -> None:
    page, agent = asked_page(start, name, "log-in-wrong", {"own_password": "falsch-getippt"}, at_log_in=True)
    assert page.status_code == 200
    assert agent.asked(FORMS[name][2]) == []
    assert agent.asked(Authenticate)[-1].password == "falsch-getippt"
    source = page.content.decode()
    assert 'id="id_own_password_error"' in source
    assert "falsch-getippt" not in source


def test_what_was_entered_is_still_there(start: Start) -> None:
    page, _ = asked_page(start, "settings", "change-needs-password", {"mail_address": "new@example.org"})
    source = page.content.decode()
    assert 'value="new@example.org"' in source
    assert "it turns the mails about errors off" in text_of(page)


def test_a_change_that_weakens_nothing_asks_for_nothing(start: Start) -> None:
    browser, agent = start(on_the_active({SetConfig: CONFIG}))
    assert "own_password" not in browser.get("/module/redundancy/settings/").content.decode()
    assert browser.post("/module/redundancy/settings/", SETTINGS).status_code == 303
    assert {each.password for each in agent.asked(Authenticate)} == {""}
