"""How old the libraries of others are (the lock file of packaging): told, and a finding above half a year."""

from datetime import date
from pathlib import Path

import pytest

from beistand.adapters.libraries import libraries_of
from beistand.domain.finding import Severity
from beistand.domain.library_age import library_findings, locked_on

LOCK = Path(__file__).parents[2] / "packaging/requirements.lock"


def test_the_lists_day_is_told_and_its_age_above_half_a_year(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text(LOCK.read_text())
    assert libraries_of(tmp_path) == locked_on(LOCK.read_text()) >= "2026-12-01"
    assert library_findings("2026-12-01", date(2027, 5, 30)) == ()
    found = library_findings("2026-12-01", date(2027, 5, 31))
    assert [(each.code, each.severity, each.fields["days"]) for each in found] == [
        ("libraries-old", Severity.WARN, 181)
    ]


@pytest.mark.parametrize("content", [b"", b"# resolved: soon\n", b"\xff\xfe", b"# resolved: 2026-13-01\n"])
def test_a_list_without_a_day_tells_no_age(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "requirements.lock").write_bytes(content)
    assert libraries_of(tmp_path) == ""
    assert libraries_of(tmp_path / "none") == ""
    assert library_findings("", date(2030, 1, 1)) == ()
