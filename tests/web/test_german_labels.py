"""S5 to S19: the words that administrators of this field know stand at the right fields, exactly so."""

import pytest
from msgspec.structs import replace

from beistand.domain.licence import Licence, LicenceKind
from beistand.domain.role import Role
from beistand.protocol import GetLicences, GetStatus, LicencesView
from web import page_values as values
from web.conftest import Start
from web.page_parts import PageParts
from web.page_scenes import SCENES, USUAL, Replies

MODULE = "/module/redundancy"
TABS = {
    "Allgemein": f"{MODULE}/general/",
    "Einstellungen": f"{MODULE}/settings/",
    "Standby-Einstellungen": f"{MODULE}/standby/",
    "Standby-Import": f"{MODULE}/import/",
}
INTERVALS = ["Minute", "Stunde", "Tag", "Woche", "Monat"]
SETS = LicencesView(
    own=tuple(
        Licence(key="AAAAA-BBBBB-CCCCC-DDDDD", kind=kind)
        for kind in (LicenceKind.SERVER, LicenceKind.USER, LicenceKind.MODULE)
    ),
    peer=tuple(
        Licence(key="EEEEE-FFFFF-GGGGG-HHHHH", kind=kind)
        for kind in (
            LicenceKind.REDUNDANCY_SERVER,
            LicenceKind.REDUNDANCY_USER,
            LicenceKind.REDUNDANCY_MODULE,
        )
    ),
)


def shown(start: Start, path: str, replies: Replies | None = None) -> PageParts:
    browser, _ = start({**USUAL, **(replies or {})}, language="de")
    answer = browser.get(path)
    assert answer.status_code == 200, answer
    return PageParts(answer.content.decode())


@pytest.mark.parametrize("tab", TABS)
def test_a_module_configuration_has_four_tabs(start: Start, tab: str) -> None:
    """S8"""
    page = shown(start, TABS[tab])
    assert page.tabs() == TABS
    assert "Modul-Konfiguration: Redundanz" in page.headings()


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Lizenzschlüssel", "licence_key"),
        ("Anzahl Versuche", "attempts"),
        ("E-Mails senden", "send_mail"),
        ("E-Mail-Adresse", "mail_address"),
        ("Timer-Intervall", "interval"),
        ("Wiederhole alle", "every"),
        ("Start (tt:mm:jjjj)", "start"),
        ("Zeit (hh:mm)", "at"),
    ],
)
def test_the_four_questions_have_their_fields(start: Start, label: str, name: str) -> None:
    """S9"""
    assert shown(start, f"{MODULE}/settings/").fields()[label] == name


@pytest.mark.parametrize("path", [f"{MODULE}/settings/", "/backups/"])
def test_a_timer_has_five_intervals(start: Start, path: str) -> None:
    """S9, S14"""
    choices = shown(start, path).choices("interval")
    assert [each for each in choices if each in INTERVALS] == INTERVALS


def test_the_standby_is_named_by_user_name_password_and_server(start: Start) -> None:
    """S13: the password on the page that shows whose it is."""
    page = shown(start, f"{MODULE}/standby/", SCENES["module-pair"].replies)
    assert "Angaben zur Standby-Anlage" in page.headings()
    assert {"Benutzername": "user", "Server": "server"}.items() <= page.fields().items()
    assert "Passwort" in page.of("dt")
    browser, _ = start({**USUAL, **SCENES["module-pair"].replies}, language="de")
    answer = browser.post(f"{MODULE}/standby/host-key/", {"user": "root", "server": "192.0.2.2"})
    confirmed = PageParts(answer.content.decode())
    assert confirmed.fields()["Passwort"] == "password"


@pytest.mark.parametrize("name", ["module-import", "module-import-active"])
def test_a_standby_is_made_once(start: Start, name: str) -> None:
    """S16"""
    page = shown(start, f"{MODULE}/import/", SCENES[name].replies)
    assert "Einmalige Erstellung der Standby-Anlage" in page.headings()


def test_licences_of_both_sets_have_their_names(start: Start) -> None:
    """S5"""
    page = shown(start, "/licences/", {GetLicences: SETS})
    kinds = ["Serverlizenz", "Benutzerlizenz", "Modullizenz"]
    assert [each for each in page.of("strong") if "lizenz" in each] == [
        *kinds,
        *(f"Redundanz-{each}" for each in kinds),
    ]


def test_the_takeover_stands_under_admin(start: Start) -> None:
    """S19"""
    page = shown(start, "/admin/redundancy/", SCENES["takeover-gone"].replies)
    assert page.menu()["/admin/redundancy/"] == "Admin → Erweiterte Einstellungen"
    (here,) = {each.text for each in page.elements if each.attributes.get("aria-current") == "page"}
    assert here.split()[0] == "Redundanz"


@pytest.mark.parametrize(
    ("role", "word"),
    [(Role.ACTIVE, "Aktive Anlage"), (Role.STANDBY, "Standby-Anlage"), (Role.SUPERSEDED, "abgelöst")],
)
def test_an_appliance_says_what_it_is(start: Start, role: Role, word: str) -> None:
    page = shown(start, "/", {GetStatus: replace(values.ACTIVE, role=role)})
    assert word in page.of("span", f"state-role-{role}")
