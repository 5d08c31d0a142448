"""WCAG 2.2 AA: text has 4.5 to 1 on what it stands on, lines and marks that carry meaning 3 to 1 (1.4.3, 1.4.11)."""

import re
from pathlib import Path

import pytest

import beistand.web

SHEET = (Path(beistand.web.__file__).parent / "static/beistand.css").read_text()
GROUNDS = ("paper", "card", "sunken")
TEXT = [
    *[(ink, ground) for ink in ("ink", "ink-soft", "accent") for ground in GROUNDS],
    ("accent", "accent-soft"),
    ("accent-ink", "accent"),
    ("card", "bad"),
    *[(each, f"{each}-soft") for each in ("good", "wait", "bad")],
    *[(each, "card") for each in ("good", "wait", "bad")],
    *[(each, "paper") for each in ("wait", "bad")],
    *[("ink", f"{each}-soft") for each in ("good", "wait", "bad", "accent")],
]
MARKS = [("line-strong", "card"), ("line-strong", "paper"), ("focus", "card"), ("focus", "paper")]


def palettes() -> dict[str, dict[str, str]]:
    """Return the colours of light, of dark by the browser, and of dark by the switch."""
    blocks = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root[^{]*\{([^}]*--paper[^}]*)\}", SHEET)
    ]
    return dict(zip(("light", "dark", "switched"), blocks, strict=True))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXT, 4.5), (MARKS, 3.0)])
def test_contrast(name: str, pairs: list[tuple[str, str]], least: float) -> None:
    colours = palettes()[name]
    low = {
        pair: round(found, 2)
        for pair in pairs
        if (found := contrast(colours[pair[0]], colours[pair[1]])) < least
    }
    assert low == {}


def test_dark_by_the_browser_and_by_the_switch_are_one() -> None:
    assert palettes()["dark"] == palettes()["switched"]


def test_black_on_white_is_twenty_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
