"""The lock files of packaging: what is installed from others is pinned, hashed, and what pyproject.toml asks for."""

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parent.parent
PROJECT_FILE = tomllib.loads((PROJECT / "pyproject.toml").read_text())
ASKED = {
    "requirements.lock": PROJECT_FILE["project"]["dependencies"],
    "build.lock": PROJECT_FILE["build-system"]["requires"],
}
RELEASE = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<release>[0-9.]+)(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n"
)


def body(name: str) -> str:
    lines = (PROJECT / "packaging" / name).read_text().splitlines(keepends=True)
    return "".join(each for each in lines if not each.startswith("#"))


@pytest.mark.parametrize("name", ASKED)
def test_every_release_is_pinned_with_hashes_and_nothing_else_stands_there(name: str) -> None:
    assert RELEASE.sub("", body(name)) == ""


@pytest.mark.parametrize("name", ASKED)
def test_what_the_project_asks_for_is_locked_in_a_release_that_fits(name: str) -> None:
    locked = {canonicalize_name(each["name"]): each["release"] for each in RELEASE.finditer(body(name))}
    for each in map(Requirement, ASKED[name]):
        release = locked[canonicalize_name(each.name)]
        assert release in each.specifier, f"{each} is locked as {release}: run `make lock`"


@pytest.mark.parametrize("name", ASKED)
def test_it_says_when_it_was_resolved(name: str) -> None:
    found = re.search(
        r"^# resolved: (\d{4}-\d\d-\d\d)$", (PROJECT / "packaging" / name).read_text(), re.MULTILINE
    )
    assert found is not None
    assert date(2026, 1, 1) < date.fromisoformat(found[1])
