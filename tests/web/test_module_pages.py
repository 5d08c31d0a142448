"""Module → Redundanz: list, Allgemein, Einstellungen, Standby-Einstellungen (S6, S8, S9, S13, S17)."""

from contextlib import suppress

import pytest
from msgspec.structs import replace

from beistand.client import Told
from beistand.domain.account import AccountRole
from beistand.domain.config import ModuleConfig
from beistand.domain.message import message
from beistand.protocol import (
    Authenticate,
    Done,
    FetchHostKey,
    GetConfig,
    GetLicences,
    GetStatus,
    HostKey,
    LicencesView,
    PeerView,
    RemoveConfig,
    SetConfig,
    StartPair,
    Trial,
    TrialStep,
    TryStandby,
)
from web.conftest import STATUS, Start
from web.module_views import BEGIN, CONFIG, JOB, STANDBY, SUPERSEDED, on_the_active, on_the_standby
from web.page_values import PEER
from web.test_module_forms import RIGHT

LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA"
TABS = ("general", "settings", "standby", "import")
PAIRING = {
    "server": "192.0.2.2",
    "user": "root",
    "host_key": LINE,
    "compared": "on",
    "password": "s3cret-there",
    "own_password": "mine",
}


@pytest.mark.parametrize("path", ["/module/", *(f"/module/redundancy/{tab}/" for tab in TABS), "/backups/"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_every_page_has_words_for_everything(start: Start, path: str, language: str) -> None:
    browser, _ = start(on_the_active(), language=language)
    answer = browser.get(path)
    assert answer.status_code == 200
    assert ">web." not in answer.content.decode()


def test_there_is_no_configuration_on_a_fresh_machine(start: Start) -> None:
    """S8"""
    browser, agent = start(on_the_active({GetConfig: [ModuleConfig(), ModuleConfig(), CONFIG]}))
    assert b"There is no configuration" in browser.get("/module/").content
    answer = browser.post("/module/create/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/module/redundancy/settings/")
    (asked,) = agent.asked(SetConfig)
    assert isinstance(asked, SetConfig)
    assert not asked.config.is_removed


def test_nothing_to_edit_leads_to_the_list(start: Start) -> None:
    browser, _ = start(on_the_active({GetConfig: replace(CONFIG, is_removed=True)}))
    assert browser.get("/module/redundancy/settings/").headers["Location"] == "/module/"


def test_deleting_is_asked_first(start: Start) -> None:
    """S8"""
    browser, agent = start(on_the_active({RemoveConfig: Done()}))
    assert b"Delete the configuration?" in browser.get("/module/delete/").content
    assert agent.asked(RemoveConfig) == []
    assert b'name="own_password"' in browser.get("/module/delete/").content
    assert browser.post("/module/delete/", {"own_password": "korrekt"}).status_code == 303
    assert agent.asked(Authenticate)[-1].password == "korrekt"
    assert len(agent.asked(RemoveConfig)) == 1


def test_general_is_saved_and_nothing_else_is_touched(start: Start) -> None:
    """S8"""
    browser, agent = start(on_the_active())
    sent = {"name": "Standort Nord", "active": "on", "log_level": "warning"}
    assert browser.post("/module/redundancy/general/", sent).status_code == 303
    (asked,) = agent.asked(SetConfig)
    assert isinstance(asked, SetConfig)
    assert asked.config == replace(CONFIG, name="Standort Nord", active=True, log=False, log_level="warning")


def test_settings_are_saved_by_one_button_and_previewed_by_the_other(start: Start) -> None:
    """S9"""
    browser, agent = start(on_the_active())
    sent = {**RIGHT, "start": "2999-03-02", "interval": "week"}
    shown = browser.post("/module/redundancy/settings/", {**sent, "preview": "yes"}).content.decode()
    assert "Every week on Saturday at 02:30" in shown
    assert "2999-03-09 02:30" in shown
    assert agent.asked(SetConfig) == []
    assert browser.post("/module/redundancy/settings/", sent).status_code == 303
    assert len(agent.asked(SetConfig)) == 1


@pytest.mark.parametrize(
    ("refused", "field"),
    [
        (message("licence-key-other", given="X", key="Y"), "licence_key"),
        (message("schedules-meet"), "at"),
        (message("mail-address-form", address="x"), "mail_address"),
    ],
)
def test_a_refusal_of_the_agent_stands_at_its_field(start: Start, refused, field: str) -> None:
    browser, _ = start(on_the_active({SetConfig: refused}))
    shown = browser.post("/module/redundancy/settings/", {**RIGHT, "start": "2999-03-02"}).content.decode()
    assert f'id="id_{field}_error"' in shown
    assert 'value="pbx@example.org"' in shown


@pytest.mark.parametrize(
    ("replies", "role", "words"),
    [
        ({GetLicences: LicencesView(own=(), peer=())}, AccountRole.ADMINISTRATOR, "/licences/"),
        ({GetStatus: STANDBY}, AccountRole.ADMINISTRATOR, "inactive, however right it is"),
        ({GetStatus: SUPERSEDED}, AccountRole.ADMINISTRATOR, "this appliance is superseded"),
        ({}, AccountRole.VIEWER, "only administrators"),
    ],
)
def test_where_it_cannot_be_edited_every_field_is_disabled_and_why_is_told(
    start: Start, replies, role: AccountRole, words: str
) -> None:
    """S6, S17"""
    browser, agent = start(on_the_active(replies), role=role)
    for tab in ("general", "settings", "standby"):
        shown = browser.get(f"/module/redundancy/{tab}/").content.decode()
        main = shown[shown.index("<main") :]
        assert words.lower() in main.lower()
        assert main.count("<input") == main.count(" disabled") + main.count('type="hidden"') - main.count(
            "<select"
        ) - main.count("<textarea")
    browser.post("/module/redundancy/settings/", {**RIGHT, "start": "2999-03-02"})
    assert agent.asked(SetConfig) == []


def test_on_the_standby_the_schedule_is_told_to_be_inactive(start: Start) -> None:
    """S17"""
    browser, _ = start(on_the_standby())
    assert b"inactive on the standby" in browser.get("/module/").content


def test_a_superseded_appliance_is_not_called_a_standby(start: Start) -> None:
    browser, _ = start(on_the_active({GetStatus: SUPERSEDED}))
    for path in ("/module/", "/module/redundancy/settings/", "/backups/"):
        page = browser.get(path).content.decode()
        assert "superseded" in page
        assert "on the standby the configuration" not in page.lower()
        assert "inactive on the standby" not in page


def test_pairing_shows_the_fingerprint_and_asks_two_passwords(start: Start) -> None:
    """S13"""
    browser, agent = start(on_the_active({FetchHostKey: HostKey(line=LINE, fingerprint=""), StartPair: JOB}))
    sent = {"user": "root", "server": "192.0.2.2"}
    shown = browser.post("/module/redundancy/standby/host-key/", sent).content.decode()
    assert "SHA256:A2vyOZZyU2tn1lXNklBKFUKU6XFexvBAk12XKwLMThM" in shown
    assert agent.asked(StartPair) == []
    answer = browser.post("/module/redundancy/standby/pair/", PAIRING)
    assert answer.headers["Location"] == "/jobs/j0b/?next=%2Fmodule%2Fredundancy%2Fstandby%2F"
    (asked,) = agent.asked(StartPair)
    assert asked == StartPair(server="192.0.2.2", user="root", password="s3cret-there", host_key=LINE)
    assert [each.password for each in agent.asked(Authenticate) if isinstance(each, Authenticate)][
        -1
    ] == "mine"


@pytest.mark.parametrize("peer", [None, PEER])
def test_the_tab_says_why_the_password_is_not_asked_for_yet(start: Start, peer: PeerView | None) -> None:
    """S13: the host key comes first, when pairing anew, too."""
    browser, _ = start(on_the_active({GetStatus: replace(STATUS, peer=peer)}))
    shown = browser.get("/module/redundancy/standby/").content.decode()
    assert "only then the password goes there, once." in shown
    assert 'type="password"' not in shown


@pytest.mark.parametrize("missing", ["compared", "password", "own_password"])
def test_pairing_waits_for_everything(start: Start, missing: str) -> None:
    """S13"""
    browser, agent = start(on_the_active({StartPair: JOB}))
    sent = {name: value for name, value in PAIRING.items() if name != missing}
    shown = browser.post("/module/redundancy/standby/pair/", sent).content.decode()
    assert f'id="id_{missing}_error"' in shown
    assert "s3cret-there" not in shown
    assert agent.asked(StartPair) == []


def test_after_pairing_the_page_says_since_when_and_keeps_no_password(start: Start) -> None:
    """S13"""
    browser, _ = start(on_the_active({GetStatus: replace(STATUS, paired_since=BEGIN, peer=None)}))
    with suppress(Told):
        shown = browser.get("/module/redundancy/standby/").content.decode()
    assert 'type="password"' not in shown


def test_the_test_button_says_step_by_step_what_works(start: Start) -> None:
    """S13"""
    trial = Trial(
        steps=(
            TrialStep(code="address", works=True),
            TrialStep(code="tcp", works=False, why=message("peer-port-closed", server="192.0.2.2")),
        )
    )
    browser, _ = start(on_the_active({TryStandby: trial}))
    sent = {"user": "root", "server": "192.0.2.2"}
    shown = browser.post("/module/redundancy/standby/try/", sent).content.decode()
    assert shown.count("trial-works") == 1
    assert shown.count("trial-broken") == 1


def test_what_is_to_be_replugged_is_kept_line_by_line(start: Start) -> None:
    """S20"""
    browser, agent = start(on_the_active())
    browser.post("/module/redundancy/standby/replug/", {"replug": "ISDN 1\n\n  Port 2 \n"})
    (asked,) = agent.asked(SetConfig)
    assert isinstance(asked, SetConfig)
    assert asked.config.replug == ("ISDN 1", "Port 2")
