"""`log` and `audit` walk as far as they are told to, and say where they stopped."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from beistand.domain.message import message
from beistand.protocol import MOST_LINES, AuditLine, AuditLines, LogLine, LogLines, ReadAudit, ReadModuleLog
from cli.examples import Run
from fakes.agent_server import FakeAgent

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LINE = LogLine(at=NOW, level="info", message=message("config-saved", revision=2))
DEED = AuditLine(at=NOW, who="anna", address="", what=message("audit.cycle"))
BOTH = pytest.mark.parametrize(
    ("command", "asked", "page"),
    [
        ("log", ReadModuleLog, LogLines(lines=(LINE,) * 100, older="a-1")),
        ("audit", ReadAudit, AuditLines(lines=(DEED,) * 100, older="7")),
    ],
)


@BOTH
def test_what_is_cut_says_so(run: Run, command: str, asked: Any, page: Any) -> None:
    with FakeAgent({asked: page}) as agent:
        shown = run(command, "--limit", "100", agent=agent).stdout.splitlines()
        told = json.loads(run(command, "--limit", "100", "--json", agent=agent).stdout)
    assert len(shown) == 101
    assert shown[-1] == "There are older lines: --limit shows more of them, --all shows all."
    assert told["older"] == page.older


@BOTH
def test_all_of_it_can_be_had(run: Run, command: str, asked: Any, page: Any) -> None:
    with FakeAgent({asked: [page, page, replace(page, older="")]}) as agent:
        shown = run(command, "--all", "--contains", "x", agent=agent).stdout.splitlines()
    assert len(shown) == 300
    assert agent.asked(asked) == [
        asked(contains="x", limit=MOST_LINES, before=before) for before in ("", page.older, page.older)
    ]


@BOTH
def test_more_lines_than_one_answer_has_are_asked_for_in_turn(
    run: Run, command: str, asked: Any, page: Any
) -> None:
    with FakeAgent({asked: page}) as agent:
        told = json.loads(run(command, "--limit", "300", "--json", agent=agent).stdout)
    assert len(told["lines"]) == 300
    assert [each.limit for each in agent.asked(asked)] == [300, 200, 100]
