"""The first visit in a real browser: code from the console, account, appliance, overview, log-in."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beistand import protocol
from beistand.agent.access import ACCESS, Access
from beistand_lab.browser import NARROW, PORT, WIDE, Browser
from beistand_lab.lab import Lab
from e2e.pairing_up import GENEROUS_SECONDS
from fakes.requests import EXAMPLES

PASSWORD = "sieben blaue Kannen"
STRANGER, INTRUDER = (Path(__file__).with_name(name) for name in ("stranger.py", "intruder.py"))
NEW_PASSWORD = PASSWORD + " und mehr"
SECRETS = (
    "/var/lib/beistand",
    "/var/lib/beistand/state.db",
    "/var/lib/beistand-peer/inbox",
    "/etc/shadow",
    "/etc/ssh/ssh_host_ed25519_key",
    "/root",
    "/var/log/beistand/module.log",
)
"""What the account may not read anywhere; in its cage, these and more."""
HIDDEN = (*SECRETS, "/etc/asterisk", "/var/spool/asterisk", "/var/log/journal", "/etc/beistand")
ELSEWHERE = (
    "/etc",
    "/usr/local",
    "/opt/beistand",
    "/var/lib",
    "/run/beistand",
    "/var/spool",
    "/dev",
    "/home",
)
OWN = "/var/lib/beistand-web"
DENIED = {
    "Permission denied",
    "Operation not permitted",
    "Read-only file system",
    "No such file or directory",
    "Function not implemented",
}
TYPES = {type(each).__name__: type(each) for each in EXAMPLES}
REQUESTS: dict[str, Any] = {
    type(each).__name__: msgspec.to_builtins(each) for each in EXAMPLES if ACCESS[type(each)] > Access.OPEN
}
"""Everything that wants somebody."""


@pytest.mark.shows("S19")
def test_a_fresh_machine_is_set_up_in_the_browser(lab: Lab, browser: Browser) -> None:
    """S19: the first administrator comes by the code from the console, and by nothing else."""
    browser.wait(lambda: asks_for_the_code(browser), GENEROUS_SECONDS, "the first page")
    browser.console_errors()  # of the moments in which the machine had no pages yet
    browser.open("a")
    browser.wait_for_path("/setup/")
    assert healthy(browser) == []

    register(browser, code="AAAAA-AAAAA-AAAAA-AAAAA")
    browser.wait_for_text("code")
    assert not browser.has("details.account"), "a wrong code let somebody in"

    register(browser, code=code_of(lab, "a"))
    browser.wait_for_text("What is this appliance?")
    browser.size(*NARROW)
    assert healthy(browser) == []
    browser.size(*WIDE)

    browser.tick("Active")
    browser.fill("Service address", lab.settings.service_address)
    browser.fill("password", "not this one")
    browser.click("Set up this appliance")
    browser.wait(lambda: browser.has(".told-failed"), what="a refusal of the wrong password")
    assert browser.find("[name=service]").get_attribute("value") == lab.settings.service_address
    assert browser.find("[name=password]").get_attribute("value") == ""

    browser.fill("password", PASSWORD)
    browser.click("Set up this appliance")
    browser.wait_for_path("/")
    browser.wait_for_text(lab.settings.service_address)
    assert healthy(browser) == []


def test_whoever_logs_out_is_out(browser: Browser) -> None:
    browser.click("anna", leads_on=False)
    browser.click("Log out")
    browser.wait_for_path("/log-in/")
    browser.open("a", "/accounts/")
    browser.wait_for_path("/log-in/")
    assert "next=/accounts/" in browser.path.replace("%2F", "/")


def test_logging_in_leads_back_to_the_page_that_was_asked_for(browser: Browser) -> None:
    log_in(browser, "wrong and long enough")
    browser.wait(lambda: browser.has(".told-failed"), what="a refusal")
    log_in(browser, PASSWORD)
    browser.wait_for_path("/accounts/")
    assert healthy(browser) == []


def test_language_and_light_are_switched_and_stay(browser: Browser) -> None:
    browser.click("DE")
    browser.wait_for_text("Benutzerkonten")
    browser.press(browser.find(".to-dark"))
    browser.wait(lambda: browser.has("html[data-theme=dark]"), what="a dark page")
    browser.open("a")
    assert browser.find("html").get_attribute("lang") == "de"
    assert browser.has("html[data-theme=dark]")
    assert healthy(browser) == []
    browser.press(browser.find(".to-light"))
    browser.wait(lambda: browser.has("html[data-theme=light]"), what="a light page")
    browser.click("EN")
    browser.wait_for_text("Overview")


def test_everything_works_without_script(browser: Browser) -> None:
    browser.without_script()
    try:
        browser.open("a", "/password/")
        browser.fill("Present password", PASSWORD)
        browser.fill("New password", PASSWORD + " und mehr")
        browser.fill("Password once more", PASSWORD + " und mehr")
        browser.click("Change password")
        browser.wait(lambda: browser.path == "/", what="the overview")
        assert "Your password is changed" in browser.text
    finally:
        browser.without_script(off=False)


@pytest.mark.shows("F12")
def test_the_page_says_that_the_agent_is_away_and_comes_back_with_it(lab: Lab, browser: Browser) -> None:
    """F12: a page never hangs, whatever the agent does."""
    lab.sh("a", ["systemctl", "stop", "beistand-agent"])
    try:
        browser.open("a")
        browser.wait_for_text("The agent does not answer")
    finally:
        lab.sh("a", ["systemctl", "start", "beistand-agent"])
    browser.wait_for_text("Overview", 60)
    browser.console_errors()  # the 503 itself


@pytest.mark.shows("F17")
def test_the_port_speaks_tls_of_today_only(lab: Lab) -> None:
    """F17, F12: TLS 1.2 and 1.3; to plain HTTP it hangs up at once."""
    told = try_as_stranger(lab, "doors")
    agreed = {name: said for name, said in told["versions"].items() if said.startswith("TLSv1.")}
    assert agreed == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}, told
    assert told["versions"]["TLSv1_1"] == "TLSV1_ALERT_PROTOCOL_VERSION"  # said by the other side
    assert "<html" not in told["plain"]
    assert told["plain-seconds"] < 20


@pytest.mark.shows("F17")
def test_a_hostile_page_gets_nothing(lab: Lab) -> None:
    """F17: another name for this machine, forms of other sites, frames, a planted session."""
    told = try_as_stranger(lab, "pages")
    for host in (f"evil.example:{PORT}", "evil.example", f"192.0.2.99:{PORT}"):
        assert told[f"host {host}"] == [400, False], host
    for form in ("no token", "another origin", "another referer", "neither"):
        assert told[form] == [403, False], form
    headers = told["headers"]
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    for cookie in told["cookies"]:
        assert cookie.startswith("__Host-"), cookie
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; ")), cookie
    assert told["fixation"] == [303, True, True]
    assert (told["session of the stranger"], told["session of the victim"]) == (303, 200)


@pytest.mark.shows("F18")
def test_whoever_breaks_into_the_web_process_finds_a_socket_and_nothing_else(lab: Lab) -> None:
    """F18: as its account, in its cage: reads no secret, changes nothing, and the agent asks for what it cannot say."""
    told = broken_in(lab)
    assert told["account"]["uid"] == int(lab.sh("a", ["id", "-u", "beistand-web"]).stdout)
    assert {said for path, said in told["reads"].items()} <= {*DENIED, "empty"}, told["reads"]
    assert told["writes"].pop(OWN) == "done"  # so the rest is refused, not done wrongly
    assert set(told["writes"].values()) <= DENIED, told["writes"]
    assert set(told["acts"].values()) <= {*DENIED, "killed", "Address family not supported by protocol"}, (
        told["acts"]
    )
    assert "needs-root" in told["setup-code"]["said"]
    assert "uid=0" not in told["sudo"]["said"]
    assert told["asked"].pop("release") in {
        "needs-root",
        "bad-request",
    }  # the peer's account alone may say it
    assert {name: code for name, code in told["asked"].items() if code != "needs-root"} == {}
    for name, code in told["asked-with-session"].items():
        wanted = "needs-console" if ACCESS[TYPES[name]] is Access.ROOT else "needs-password"
        assert code == wanted, name


@pytest.mark.shows("F18")
def test_the_account_of_the_pages_reads_no_secret_outside_of_its_cage_either(lab: Lab) -> None:
    """F18: the rights of the files alone are enough."""
    for path in SECRETS:
        look = ["runuser", "-u", "beistand-web", "--", "sh", "-c", f"ls {path}/ >&2 || cat {path}"]
        done = lab.sh("a", look, check=False)
        assert done.returncode != 0, path
        assert "Permission denied" in done.stderr, (path, done.stderr)
    for argv in (["beistand", "setup-code"], ["beistand", "account", "list"], ["beistand", "audit"]):
        done = lab.sh("a", ["runuser", "-u", "beistand-web", "--", *argv], check=False)
        assert done.returncode != 0, argv


@pytest.mark.shows("F17")
def test_who_guesses_has_to_wait_and_everybody_else_goes_on(lab: Lab, browser: Browser) -> None:
    """F17: ten tries a minute; the console works, and so does who is logged in, from the same address."""
    browser.open("a", "/accounts/")
    assert browser.path == "/accounts/"
    *wrong, eleventh, right = try_as_stranger(lab, "guesses")
    assert [status for status, _ in wrong] == [200] * 10
    assert not any("possible in" in said for _, said in wrong)
    for status, said in (eleventh, right):
        assert status == 200
        assert re.search(r"possible in (\d+ second|1 minute)", said), said  # right after the first: all of it
    browser.open("a", "/mail/")
    browser.fill("host", lab.settings.address("m"))
    browser.fill("sender", "pbx@lab.example")
    browser.fill("own_password", NEW_PASSWORD)
    browser.click("Save")
    browser.wait_for_text("The mail server is saved")
    assert json.loads(lab.sh("a", ["beistand", "account", "list", "--json"]).stdout)["accounts"]
    assert code_of(lab, "a")


def broken_in(lab: Lab) -> dict[str, Any]:
    """What the intruder tells, who runs in the place of the web process, by the same unit."""
    agent = lab.sh("a", ["systemctl", "show", "--property=MainPID", "--value", "beistand-agent"]).stdout
    dangerous = {name: each for name, each in REQUESTS.items() if ACCESS[TYPES[name]] >= Access.DANGEROUS}
    wanted = {
        "agent": int(agent),
        "hello": msgspec.to_builtins(protocol.Hello(version="0")),
        "reads": [*HIDDEN, f"/proc/{int(agent)}/environ", f"/proc/{int(agent)}/mem"],
        "writes": [*ELSEWHERE, OWN],
        "requests": REQUESTS | msgspec.to_builtins({"release": protocol.Release(epoch=99)}),
        "log_in": msgspec.to_builtins(protocol.LogIn(name="anna", password=NEW_PASSWORD)),
        "dangerous": dangerous,
    }
    here, there = "/run/systemd/system/intruder.service", "/usr/local/lib/intruder.py"
    lab.copy_in("a", there, INTRUDER.read_bytes())
    lab.copy_in("a", f"{there}.wanted", json.dumps(wanted))
    unit = lab.sh("a", ["systemctl", "cat", "beistand-web"]).stdout
    unit, changed = re.subn(
        r"(?m)^ExecStart=.*$",
        f"Type=oneshot\nExecStart=/usr/bin/python3 {there}\nStandardInput=file:{there}.wanted\n"
        "StandardOutput=file:/run/intruder.json",
        unit,
    )
    assert changed == 1
    unit = re.sub(r"(?m)^Restart=.*$", "Restart=no", unit)
    lab.sh("a", ["sh", "-c", f"cat > {here} && systemctl daemon-reload"], input=unit)
    lab.sh("a", ["systemctl", "start", "intruder"], timeout=120)
    told: dict[str, Any] = json.loads(lab.sh("a", ["cat", "/run/intruder.json"]).stdout)
    return told


def try_as_stranger(lab: Lab, what: str, name: str = "anna") -> Any:
    wanted = {"what": what, "address": lab.settings.address("a"), "name": name, "password": NEW_PASSWORD}
    done = lab.sh("m", [sys.executable, str(STRANGER)], input=json.dumps(wanted), timeout=180)
    return json.loads(done.stdout)


def code_of(lab: Lab, host: str) -> str:
    return str(json.loads(lab.sh(host, ["beistand", "setup-code", "--json"]).stdout)["code"])


def asks_for_the_code(browser: Browser) -> bool:
    """Whether the pages are there and in use by nobody: they begin after the agent of a machine that boots."""
    browser.open("a")
    return browser.path.startswith("/setup/")


def register(browser: Browser, *, code: str) -> None:
    browser.fill("One-time code", code)
    browser.fill("Name", "anna")
    browser.fill("Password", PASSWORD)
    browser.fill("Password once more", PASSWORD)
    browser.click("Become administrator")


def log_in(browser: Browser, password: str) -> None:
    browser.fill("Name", "anna")
    browser.fill("Password", password)
    browser.press(browser.find("main button"))


def healthy(browser: Browser) -> list[str]:
    """What is wrong with the page that is shown."""
    return [*browser.problems(), *browser.console_errors()]
