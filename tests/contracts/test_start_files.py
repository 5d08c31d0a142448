"""What root reads when a PBX starts, from a file that the PBX's account may write."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from beistand.adapters.readers import Readers
from beistand.adapters.start_files import StartFiles
from fakes.hostile_files import ODD


@pytest.fixture
def readers() -> Iterator[Readers]:
    readers = Readers()
    yield readers
    readers.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "asterisk.conf"


def test_the_lines_that_count_are_read(readers: Readers, file: Path) -> None:
    file.write_text("[directories](!) ; a template\nastrundir => /x\n[options]\nrunuser = asterisk ; here\n")
    assert StartFiles(readers).options(str(file)) == ("[options] runuser = asterisk",)


def test_a_file_that_is_missing_has_no_lines_and_no_trouble(readers: Readers, file: Path) -> None:
    assert StartFiles(readers).options(str(file)) == ()
    assert readers.troubles() == ()


@pytest.mark.parametrize("kind", [*ODD])
def test_what_is_no_file_has_no_lines_and_is_told(readers: Readers, file: Path, kind: str) -> None:
    ODD[kind](file)
    assert StartFiles(readers).options(str(file)) == ()
    assert [each.fields["path"] for each in readers.troubles()] == [str(file)]


def test_a_large_file_says_only_that_it_is(readers: Readers, file: Path) -> None:
    file.write_text("a = b\n" * 100_000)
    assert len(StartFiles(readers).options(str(file))) == 1
