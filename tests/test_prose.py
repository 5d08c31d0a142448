"""What people read is short enough to be read once: sentences, and lines of the pages in docs/."""

from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import pytest

import prose

ROOT = Path(__file__).parent.parent
PLAIN = ("README.md", "docs/promises.md")
"""Pages whose sentences are measured: 15 to 20 words are aimed at."""
UNWRAPPED = {"CHANGELOG.md", "ARCHITECTURE.md"}
WRAPPED = sorted(
    name
    for each in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    if (name := each.relative_to(ROOT).as_posix()) not in UNWRAPPED
)
LONGEST_MEAN = 20
LONGEST_SENTENCE = 30
WIDEST_LINE = 100


@pytest.mark.parametrize("name", PLAIN)
def test_the_sentences_of_a_page_are_short(name: str) -> None:
    found = prose.sentences((ROOT / name).read_text())
    assert [each.text for each in found if each.words > LONGEST_SENTENCE] == []
    assert mean(each.words for each in found if not each.is_cell) <= LONGEST_MEAN


@pytest.mark.parametrize("name", WRAPPED)
def test_the_lines_of_a_page_are_wrapped(name: str) -> None:
    page = (ROOT / name).read_text()
    assert [line for line in _lines_of_text(page) if len(line) > WIDEST_LINE] == []


def _lines_of_text(page: str) -> Iterator[str]:
    """Yield the lines that can be wrapped: no code, no table, no single word as long as an address."""
    is_code = False
    for line in page.splitlines():
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code and not line.startswith("|") and " " in line.strip("-* "):
            yield line


def test_sentences_are_counted_as_a_reader_counts() -> None:
    page = """# A heading is none

Two words. *Three words here.* It has `a --command --with words` in it, e.g. one.

- An item ends
- without a dot

| a cell | of a table |
|---|---|

```
code is not read. At all.
```
"""
    assert [(each.words, each.is_cell) for each in prose.sentences(page)] == [
        (2, False),
        (3, False),
        (7, False),
        (3, False),
        (3, False),
        (2, True),
        (3, True),
    ]
