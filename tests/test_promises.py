"""`docs/promises.md`: every fault is named, and every link leads to a test or a campaign that is there."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/promises.md"
CAMPAIGNS = set(
    re.findall(r'^    "(.+)": "\w+",$', (ROOT / "torture/campaigns.py").read_text(), re.MULTILINE)
)
FAULTS = {f"F{number}" for number in (*range(1, 31), 33, 34)}
NOT_YET = "*Not yet:*"

LINK = re.compile(r"\[([^]]+)\]\(([^)]+)\)")
MARK = re.compile(r"mark\.shows\(([^)]*)\)")


class Promise(NamedTuple):
    """One row of the table."""

    sentence: str
    faults: frozenset[str]
    tests: tuple[tuple[str, Path], ...]
    """Name of the test function, and its file."""
    campaigns: frozenset[str]


def promises() -> list[Promise]:
    section = PAGE.read_text().partition("## What we promise\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    return [
        Promise(
            sentence.strip(),
            frozenset(faults.split()),
            tuple(
                ("test_" + name.replace(" ", "_"), (PAGE.parent / path).resolve())
                for name, path in LINK.findall(tests)
            ),
            frozenset(re.findall("`([^`]+)`", campaigns)),
        )
        for sentence, faults, tests, campaigns in rows[1:]  # the first is the head
    ]


PROMISES = promises()


def marks(name: str, file: Path) -> set[str]:
    """Return what a test claims to show, by itself or with its module. Fails where there is no such test."""
    source = file.read_text()
    test = re.search(rf"((?:^@.*\n|^[ \t)].*\n)*)^def {name}\(", source, re.MULTILINE)
    assert test, f"{file.relative_to(ROOT)} has no {name}"
    of_module = re.findall(r"^pytestmark = .*$", source, re.MULTILINE)
    return set(re.findall(r"\w\d+", " ".join(MARK.findall(test[1] + "".join(of_module)))))


def test_every_fault_is_promised_or_said_to_come() -> None:
    assert {fault for promise in PROMISES for fault in promise.faults} == FAULTS


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: " ".join(sorted(promise.faults)))
def test_a_promise_links_to_what_shows_it(promise: Promise) -> None:
    if promise.sentence.startswith(NOT_YET):
        assert not promise.tests
        return
    shown: set[str] = set()
    for name, file in promise.tests:
        claimed = {mark for mark in marks(name, file) if mark in FAULTS}
        assert not claimed or claimed & promise.faults, f"{name} shows {claimed}"
        shown |= claimed
    assert promise.faults <= shown, "no linked test is marked as showing it"
    assert promise.campaigns <= CAMPAIGNS


def test_every_campaign_stands_beside_a_promise() -> None:
    named = {campaign for promise in PROMISES for campaign in promise.campaigns}
    assert named == CAMPAIGNS


SECURITY = LINK.findall((ROOT / "SECURITY.md").read_text())


@pytest.mark.parametrize(("words", "path"), [each for each in SECURITY if each[1].startswith("tests/")])
def test_what_security_says_has_its_test(words: str, path: str) -> None:
    name = "test_" + words.replace(" ", "_")
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE), f"{path} has no {name}"


def test_every_document_that_security_names_is_there() -> None:
    assert [path for _, path in SECURITY if not (ROOT / path).exists()] == []
