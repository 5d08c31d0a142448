"""The sentences of a Markdown page, so that a test can count their words.

A code span counts as one word and a code block as none. A heading, a list item and a table cell end a sentence.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`[^`]+`(?!`)")
PICTURE = re.compile(r"!\[[^]]*\]\([^)]*\)")
LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")
END = re.compile(r"(?<=[.!?…])[*_)”\"]*\s+(?=[A-ZÄÖÜ`\"“*(\[{0-9])")
ABBREVIATION = re.compile(r"\b(e\.g|i\.e|z\. ?B|etc)\.")
ITEM = re.compile(r"^ *(?:[-*]|\d+\.) +", re.MULTILINE)
WORD = re.compile(r"\w")


class Sentence(NamedTuple):
    """One sentence of a page."""

    words: int
    text: str
    is_cell: bool = False
    """Whether it stands in a table: cells are short, and would flatter the mean."""


def sentences(page: str) -> list[Sentence]:
    """Return the sentences of a Markdown page, in order."""
    return [
        Sentence(words, sentence, is_cell)
        for text, is_cell in _paragraphs(BLOCK.sub("\n\n", page))
        for sentence in split(text)
        if (words := count(sentence))
    ]


def split(text: str) -> list[str]:
    """Return the sentences of a text without tables, headings and lists."""
    plain = SPAN.sub("CODE", LINK.sub(r"\1", PICTURE.sub("", text)))
    return END.split(ABBREVIATION.sub("EG", " ".join(plain.split())))


def count(sentence: str) -> int:
    """Return how many words a sentence has."""
    return sum(1 for each in sentence.split() if WORD.search(each))


def _paragraphs(page: str) -> Iterator[tuple[str, bool]]:
    for part in re.split(r"\n\s*\n", page):
        lines = part.splitlines()
        yield from (
            (cell, True) for line in lines if line.lstrip().startswith("|") for cell in line.split("|")
        )
        rest = "\n".join(line for line in lines if not line.lstrip().startswith(("|", "#")))
        yield from ((item, False) for item in ITEM.split(rest) if item.strip())
