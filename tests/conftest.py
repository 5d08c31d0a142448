"""What `make test` tells at its end: which SPEC rows and faults were shown from outside, by which tests."""

import os
from collections import defaultdict
from pathlib import Path

import pytest

SPEC_ROWS = (*(f"S{number}" for number in range(1, 24)), *(f"B{number}" for number in range(1, 14)))

BEGIN_FIRST = (
    "test_web_takeover",
    "test_five_minutes",
    "test_mails",
    "test_alarms",
    "test_setup",
    "test_evidence",
)
"""Modules with much to wait for: the other workers do the rest meanwhile."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: "e2e" not in item.path.parts or item.path.stem not in BEGIN_FIRST)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("shows"):
        item.user_properties.append(("shows", " ".join(marker.args)))


PRIORITY = os.getpriority(os.PRIO_PROCESS, 0)


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """See that no test leaves this worker more urgent: all labs after it would keep the others' from running."""
    now = os.getpriority(os.PRIO_PROCESS, 0)
    assert now == PRIORITY, f"{item.nodeid} leaves the nice value {now}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table; a row counts only where a test with an outside observer passed."""
    shown: dict[str, list[str]] = defaultdict(list)
    for report in terminalreporter.stats.get("passed", []):
        for name, rows in report.user_properties:
            if name == "shows" and report.when == "call":
                for row in rows.split():
                    shown[row].append(f"{Path(report.location[0]).stem}::{report.location[2]}")
    if not shown:
        return
    terminalreporter.section("shown from outside")
    for row in sorted(shown, key=_order):
        for test in sorted(set(shown[row])):
            terminalreporter.write_line(f"{row:4} {test}")
    missing = [row for row in SPEC_ROWS if row not in shown]
    terminalreporter.write_line(f"not claimed: {' '.join(missing)}")


def _order(row: str) -> tuple[str, int]:
    return ({"S": "0", "B": "1"}.get(row[0], "2" + row[0]), int(row[1:]))
