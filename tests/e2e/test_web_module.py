"""The module by its pages: configured, paired, backed up, carried to the standby and saved there. No command line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from beistand_lab.browser import NARROW, WIDE, Browser
from beistand_lab.demo.administrator import Administrator
from beistand_lab.lab import Lab, wait_for
from beistand_lab.settings import ROOT_PASSWORD
from e2e import selling
from e2e.pairing_up import GENEROUS_SECONDS, initialised, wait_for_agent
from e2e.trees import run_python

pytestmark = pytest.mark.lab

PASSWORD = "correct horse battery staple"
TABS = ("general", "settings", "standby", "import")
IMPORT = "/module/redundancy/import/"
UPLOAD = "/var/lib/beistand/upload"
NOISE = """
import os
os.makedirs("/var/spool/asterisk/monitor", exist_ok=True)
with open("/var/spool/asterisk/monitor/call.wav", "wb") as file:
    file.write(os.urandom(6_000_000))
"""


@pytest.fixture(scope="module")
def administrator(lab: Lab) -> Administrator:
    run_python(lab, "a", NOISE)
    return initialised(lab)


@pytest.fixture(scope="module")
def browser(administrator: Administrator) -> Iterator[Browser]:
    """A German at the active's pages, logged in as the first administrator."""
    settings = administrator.lab.settings
    with Browser(settings) as browser:
        browser.prefer(language="de")
        browser.wait(lambda: _reaches(browser, "a"), GENEROUS_SECONDS, "the pages of a")
        browser.open("a", "/setup/")
        browser.fill("code", administrator.ask("a", "setup-code")["code"])
        browser.fill("name", "anna")
        browser.fill("password", PASSWORD)
        browser.fill("again", PASSWORD)
        browser.press(browser.find("main form button"))
        browser.wait_for_path("/")
        yield browser


@pytest.fixture(scope="module")
def paired(browser: Browser, administrator: Administrator) -> Browser:
    """A configuration was created and the standby paired, all of it by page."""
    lab = administrator.lab
    browser.open("a", "/module/")
    assert "Es gibt keine Konfiguration" in browser.text
    browser.click("Konfiguration anlegen")
    browser.wait_for_path("/module/redundancy/settings/")
    browser.open("a", "/module/redundancy/standby/")
    browser.fill("Server", "192.0.2.77")
    browser.click("Weiter: Hostschlüssel holen")
    assert browser.has("#id_server_error")
    browser.fill("Server", lab.settings.address("b"))
    browser.click("Verbindung testen")
    browser.wait_for_text("funktioniert alles")
    browser.click("Weiter: Hostschlüssel holen")
    browser.wait(lambda: browser.has("#fingerprint"), what="the fingerprint")
    assert browser.find("#fingerprint").text == administrator.fingerprint("b")
    _confirm(browser, "not my password")
    browser.wait(lambda: browser.has("#id_own_password_error"), what="the refusal")
    _confirm(browser, PASSWORD)
    _job_done(browser, "/module/redundancy/standby/")
    return browser


@pytest.mark.shows("S8", "S9", "S13")
def test_the_module_is_configured_and_paired_by_page(paired: Browser, administrator: Administrator) -> None:
    """S8, S9, S13"""
    assert "installiert seit" in paired.text
    assert not paired.has("input[type=password]")
    paired.click("Verbindung testen")
    paired.wait_for_text("Ist die Standby-Anlage dieser Aktiven Anlage")
    paired.open("a", "/module/redundancy/settings/")
    paired.fill("attempts", "0")
    paired.click("Speichern")
    assert paired.has("#id_attempts_error")
    paired.fill("Anzahl Versuche", "4")
    paired.choose("Timer-Intervall", "Stunde")
    paired.fill("Wiederhole alle", "6")
    _set(paired, "start", (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d"))
    _set(paired, "at", "23:30")
    paired.click("Nächste Läufe zeigen")
    assert "Alle 6 Stunden" in paired.text
    assert administrator.ask("a", "config", "show")["attempts"] == 10
    paired.click("Speichern")
    paired.wait_for_text("Gespeichert")
    config = administrator.ask("a", "config", "show")
    assert (config["attempts"], config["schedule"]["interval"], config["schedule"]["every"]) == (4, "hour", 6)
    for tab in TABS:
        paired.open("a", f"/module/redundancy/{tab}/")
        assert paired.problems() == []


@pytest.mark.shows("S14", "S16", "S17")
def test_a_backup_is_carried_to_the_standby_by_page(
    paired: Browser, administrator: Administrator, tmp_path: Path
) -> None:
    """S14, S16, S17"""
    # Whatever job there is ends first: two never run side by side.
    wait_for(lambda: administrator.status("a")["job"] is None, GENEROUS_SECONDS, "the end of the first cycle")
    file = _downloaded(paired, tmp_path)
    paired.click("Zur Sicherung")
    paired.wait_for_text("SHA-256")
    shown = paired.find("main").text
    assert hashlib.sha256(file.read_bytes()).hexdigest() in shown
    _log_in_at_the_standby(paired)
    paired.open("b", "/module/redundancy/settings/")
    assert "auf der Standby-Anlage ist die Konfiguration inaktiv" in paired.text.replace("Auf", "auf")
    assert not paired.find("[name=attempts]").is_enabled()
    paired.open("b", IMPORT)
    paired.fill("file", str(file))
    paired.click("Hochladen", leads_on=False)
    _job_done(paired, IMPORT)
    assert "ALLE Daten dieser Anlage" in paired.text
    assert "/var/spool/asterisk" in paired.text
    assert administrator.status("b")["usable"] is None
    assert paired.problems() == []
    paired.fill("host", "pbx-a")
    paired.fill("own_password", PASSWORD)
    paired.click("Überschreiben und speichern")
    paired.wait(lambda: paired.has("#id_host_error"), what="the refusal of another name")
    assert administrator.status("b")["usable"] is None
    paired.fill("host", "pbx-b")
    paired.fill("own_password", PASSWORD)
    paired.click("Überschreiben und speichern")
    _job_done(paired, IMPORT)
    assert administrator.status("b")["usable"]["state"] == "imported"
    there, here = (
        administrator.lab.sh(host, ["sha256sum", "/var/spool/asterisk/monitor/call.wav"]).stdout
        for host in ("a", "b")
    )
    assert there == here


@pytest.mark.shows("S16")
def test_an_upload_that_breaks_off_leaves_nothing(
    paired: Browser, administrator: Administrator, tmp_path: Path
) -> None:
    """S16"""
    lab = administrator.lab
    _log_in_at_the_standby(paired)
    big = tmp_path / "big.beistand"
    big.write_bytes(bytes(20_000_000))
    paired.open("b", IMPORT)
    paired.size(*NARROW)
    assert paired.problems() == []
    paired.fill("file", str(big))
    _upload_speed(paired, 2_000_000)
    paired.click("Hochladen", leads_on=False)

    def uploaded() -> list[str]:
        found = lab.sh("b", ["find", UPLOAD, "-type", "f"], check=False).stdout
        return found.split()

    paired.wait(uploaded, GENEROUS_SECONDS, "the first pieces")
    paired.click("Abbrechen", leads_on=False)
    paired.wait(lambda: not uploaded(), GENEROUS_SECONDS, "the pieces to go")
    _upload_speed(paired, -1)
    wait_for_agent(lab, "b")


@pytest.mark.shows("S5", "S7", "F8")
def test_a_sold_licence_file_is_installed_by_page_on_both(
    paired: Browser, administrator: Administrator, tmp_path: Path
) -> None:
    """S5, S7, F8: refused at its field while nobody knows the seller; then each takes its own set of the one file."""
    lab = administrator.lab
    file = tmp_path / "praxis.licences"
    file.write_text(selling.issued(lab))
    paired.open("a", "/licences/")
    paired.size(*WIDE)
    issued_by_itself = selling.shown_keys(paired)
    _install(paired, file)
    paired.wait(lambda: paired.has("#id_file_error"), what="the refusal of a seller whom nobody knows")
    assert selling.shown_keys(paired) == issued_by_itself
    selling.trust(lab)
    _install(paired, file)
    paired.wait(lambda: paired.has(".told-done"), what="the word that they are installed")
    assert "Praxis" in paired.text
    key = paired.find("#server-key").text
    assert key in paired.find(".finding").text  # the module configuration names the one before
    paired.open("a", "/module/redundancy/settings/")
    paired.fill("Lizenzschlüssel", key)
    paired.click("Speichern")
    paired.wait_for_text("Gespeichert")
    _log_in_at_the_standby(paired)
    paired.open("b", "/licences/")
    _install(paired, file)
    paired.wait(lambda: paired.has(".told-done"), what="the word that they are installed")

    def shown(host: str) -> list[list[str]]:
        paired.open(host, "/licences/")
        assert paired.problems() == []
        return selling.shown_keys(paired)

    def agree() -> bool:
        return shown("a") == shown("b")[::-1] and not paired.has(".finding")

    paired.wait(agree, GENEROUS_SECONDS, "both pages to show the same two sets")
    own, other = shown("a")
    assert (len(own), len(other)) == (3, 3)
    assert not set(own) & set(other)
    assert not set(own) & {key for side in issued_by_itself for key in side}


def _install(browser: Browser, file: Path) -> None:
    browser.fill("file", str(file))
    browser.press(browser.find("form:has([name=file]) button"))


def _reaches(browser: Browser, host: str) -> bool:
    browser.open(host, "/log-in/")
    return browser.has("main")


def _confirm(browser: Browser, own: str) -> None:
    box = browser.find("[name=compared]")
    if not box.is_selected():
        box.click()
    browser.fill("password", ROOT_PASSWORD)
    browser.fill("own_password", own)
    browser.click("Koppeln")


def _set(browser: Browser, name: str, value: str) -> None:
    """Date and time as a picker sets them; how they are typed depends on the browser's language."""
    field = browser.find(f"[name={name}]")
    browser.driver.execute_script("arguments[0].value = arguments[1]", field, value)


def _job_done(browser: Browser, back: str) -> None:
    """The job that was started ends well, and leads back to its page."""
    browser.wait(lambda: browser.has(".job-end"), GENEROUS_SECONDS, "the end of the job")
    assert browser.has(".job-end .state-good"), browser.text
    browser.click("Weiter")
    browser.wait_for_path(back)


def _downloaded(browser: Browser, folder: Path) -> Path:
    """Make a backup by hand and download it as one file."""
    browser.open("a", "/backups/")
    browser.click("Sicherung erstellen")
    _job_done(browser, "/backups/")
    assert browser.problems() == []
    browser.press(browser.find("main table a"))
    browser.wait_for_text("SHA-256")
    told = {"behavior": "allow", "downloadPath": str(folder)}
    browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", told)
    browser.click("Herunterladen")
    browser.wait(lambda: browser.has("[name=password]"), what="the question for the password")
    browser.fill("password", PASSWORD)
    browser.press(browser.find("main form button.primary"), leads_on=False)
    browser.wait(lambda: list(folder.glob("*.beistand")), GENEROUS_SECONDS, "the download")
    (file,) = folder.glob("*.beistand")
    return file


def _log_in_at_the_standby(browser: Browser) -> None:
    """The accounts are pair settings: the same name and password open the standby's pages."""

    def is_in() -> bool:
        browser.open("b", "/log-in/")
        if browser.path.startswith("/log-in/"):
            browser.fill("name", "anna")
            browser.fill("password", PASSWORD)
            browser.press(browser.find("main form button"))
        return not browser.path.startswith(("/log-in/", "/setup/"))

    browser.wait(is_in, GENEROUS_SECONDS, "the standby to know the account")


def _upload_speed(browser: Browser, throughput: int) -> None:
    """Let the browser send so many bytes a second; -1: as many as it can."""
    speed = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": throughput}
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", speed)
