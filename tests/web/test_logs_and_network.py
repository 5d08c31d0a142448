"""Module log, audit log and network, as they are read and taken away."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from beistand.client import Told
from beistand.domain.account import AccountRole
from beistand.domain.finding import Finding, Severity
from beistand.domain.message import message
from beistand.protocol import (
    MOST_LINES,
    AuditLine,
    AuditLines,
    Check,
    GetNetwork,
    GetStatus,
    LogLine,
    LogLines,
    NetworkView,
    ReadAudit,
    ReadModuleLog,
)
from fakes.situations import A, B, appliance
from web import scenes
from web.conftest import BEGIN, Start

LINES = LogLines(
    lines=(
        LogLine(at=BEGIN, level="error", message=message("disk-full", path="/var")),
        LogLine(at=BEGIN, level="info", message=message("never-heard-of", x="<script>")),
    )
)
AUDIT = AuditLines(
    lines=(AuditLine(at=BEGIN, who="anna", address="192.0.2.50", what=message("takeover-begins", epoch=3)),)
)
NETWORK = NetworkView(
    own=appliance(A),
    peer=appliance(B),
    interface="eth0",
    subnet="192.0.2.0/24",
    is_holding=True,
    certificate="BA:78:16:BF",
    checks=(
        Check(code="pbx-version", own="Asterisk 22", peer="Asterisk 22"),
        Check(
            code="gateway",
            own="192.0.2.254",
            peer="",
            finding=Finding(
                code="gateways-differ",
                severity=Severity.WARN,
                fields={"mine": "192.0.2.254", "theirs": "-", "peer": "pbx-b"},
            ),
        ),
    ),
)


def replies(**more: Any) -> dict[Any, Any]:
    return {GetStatus: scenes.ACTIVE, ReadModuleLog: LINES, ReadAudit: AUDIT, GetNetwork: NETWORK, **more}


def test_lines_are_sentences_with_what_the_journal_has(start: Start) -> None:
    browser, _ = start(replies())
    page = browser.get("/logs/").content.decode()
    assert "The disk is full at /var" in page
    assert "disk-full path=/var" in page
    assert page.count("never-heard-of") == 1
    assert "<script>" not in page.replace('<script src="', "")


@pytest.mark.parametrize(
    ("query", "level", "contains", "limit"),
    [
        ("", "", "", 200),
        ("?level=warning&contains=disk&limit=500", "warning", "disk", 500),
        ("?level=loud&limit=9999999", "", "", 200),
    ],
)
def test_the_filter_reaches_the_agent(
    start: Start, query: str, level: str, contains: str, limit: int
) -> None:
    browser, agent = start(replies())
    browser.get(f"/logs/{query}")
    asked = agent.asked(ReadModuleLog)[-1]
    assert (asked.level, asked.contains, asked.limit) == (level, contains, limit)


OLDER = {
    "/logs/": (ReadModuleLog, replace(LINES, older="a-17")),
    "/logs/audit/": (ReadAudit, replace(AUDIT, older="17")),
}


@pytest.mark.parametrize("path", OLDER)
def test_older_lines_are_a_click_away(start: Start, path: str) -> None:
    kind, cut = OLDER[path]
    browser, agent = start({**replies(), kind: cut})
    page = browser.get(f"{path}?contains=disk").content.decode()
    assert "there are older ones" in page
    older = f"contains=disk&amp;limit=200&amp;before={cut.older}"
    assert older in page
    page = browser.get(f"{path}?contains=disk&limit=200&before={cut.older}").content.decode()
    assert agent.asked(kind)[-1].before == cut.older
    assert "Newest lines" in page


def test_where_the_log_ends_is_told(start: Start) -> None:
    browser, _ = start({**replies(), ReadModuleLog: [LINES, LogLines(lines=())]})
    page = browser.get("/logs/").content.decode()
    assert "There are no older lines." in page
    assert "Older lines" not in page
    gone = browser.get("/logs/?before=gone").content.decode()
    assert "There are no older lines." in gone
    assert "Newest lines" in gone


@pytest.mark.parametrize("path", OLDER)
def test_a_download_is_everything_that_is_kept(start: Start, path: str) -> None:
    kind, cut = OLDER[path]
    browser, agent = start({**replies(), kind: [cut, cut, replace(cut, older="")] * 2})
    text = browser.get(f"{path}?contains=disk&limit=200&before=b-1&download=text").getvalue().decode()
    assert len(text.splitlines()) == 3 * len(cut.lines)
    assert [each.before for each in agent.asked(kind)] == ["", cut.older, cut.older]
    assert {(each.contains, each.limit) for each in agent.asked(kind)} == {("disk", MOST_LINES)}
    taken = json.loads(browser.get(f"{path}?download=json").getvalue())
    assert len(taken["lines"]) == 3 * len(cut.lines)


def test_a_download_that_breaks_off_does_not_look_whole(start: Start) -> None:
    _, cut = OLDER["/logs/"]
    browser, _ = start({**replies(), ReadModuleLog: [cut, message("internal-error", reference="1")]})
    answer = browser.get("/logs/?download=text")
    with pytest.raises(Told):
        answer.getvalue()


def test_a_log_is_taken_away_as_text_and_as_json(start: Start) -> None:
    browser, _ = start(replies())
    text = browser.get("/logs/?download=text")
    assert text.headers["Content-Disposition"] == 'attachment; filename="beistand-module-pbx-a.log"'
    assert (
        "2026-03-01T12:00:00+00:00 error disk-full path=/var  # the disk is full at /var"
        in text.getvalue().decode()
    )
    taken = json.loads(browser.get("/logs/audit/?download=json").getvalue())
    assert taken["lines"][0]["who"] == "anna"
    empty, _ = start({**replies(), ReadModuleLog: LogLines(lines=())})
    assert json.loads(empty.get("/logs/?download=json").getvalue()) == {"lines": []}


def test_the_audit_log_is_for_administrators(start: Start) -> None:
    browser, agent = start(replies(), role=AccountRole.VIEWER)
    assert browser.get("/logs/audit/").status_code == 403
    assert "/logs/audit/" not in browser.get("/logs/").content.decode()
    assert agent.asked(ReadAudit) == []


def test_the_audit_log_says_who_did_what_from_where(start: Start) -> None:
    browser, _ = start(replies())
    page = browser.get("/logs/audit/").content.decode()
    for part in ("anna", "192.0.2.50", "Takeover begins, epoch 3"):
        assert part in page


def test_both_sides_are_compared_with_what_to_do(start: Start) -> None:
    """S4."""
    browser, _ = start(replies())
    page = browser.get("/network/").content.decode()
    for part in (
        "192.0.2.10",
        "on this appliance now",
        "BA:78:16:BF",
        "Gateways differ",
        "After a takeover the gateway of the standby",
    ):
        assert part in page, part


def test_an_unpaired_appliance_has_nothing_to_compare(start: Start) -> None:
    alone = NetworkView(own=appliance(A), peer=None, interface="eth0", subnet="192.0.2.0/24")
    browser, _ = start({**replies(), GetNetwork: alone})
    assert "not paired yet" in browser.get("/network/").content.decode()
