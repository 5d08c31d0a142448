"""Figures with all their runs, what they are held against, and the table that shows both."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

Json = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured thing, over all runs."""

    name: str
    unit: str
    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.runs)

    def json(self) -> Json:
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "min": min(self.runs),
            "max": max(self.runs),
            "runs": list(self.runs),
        }


@dataclass(frozen=True, kw_only=True)
class Target:
    """A promise of the design and what was seen: met as long as `seen` is not above `most`."""

    text: str
    seen: float
    most: float
    unit: str

    @property
    def is_met(self) -> bool:
        return self.seen <= self.most

    def json(self) -> Json:
        return {
            "text": self.text,
            "seen": self.seen,
            "most": self.most,
            "unit": self.unit,
            "met": self.is_met,
        }


@dataclass
class Report:
    """What one run of the benchmarks found, in the order it was found."""

    figures: list[Figure] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def add(self, name: str, unit: str, runs: Sequence[float]) -> Figure:
        figure = Figure(name=name, unit=unit, runs=tuple(runs))
        self.figures.append(figure)
        return figure

    def hold(self, text: str, seen: float, most: float, unit: str) -> None:
        self.targets.append(Target(text=text, seen=seen, most=most, unit=unit))

    def table(self) -> str:
        """Return both tables as Markdown, which reads well on a terminal, too."""
        rows = [
            (
                each.name,
                *(_shown(value, each.unit) for value in _spread(each)),
                each.unit,
                str(len(each.runs)),
            )
            for each in self.figures
        ]
        held = [
            (
                each.text,
                f"{_shown(each.seen, each.unit)} {each.unit}".strip(),
                f"{_shown(each.most, each.unit)} {each.unit}".strip(),
                "met" if each.is_met else "MISSED",
            )
            for each in self.targets
        ]
        return "\n\n".join(
            (
                _markdown(("figure", "median", "min", "max", "unit", "runs"), rows),
                _markdown(("target", "seen", "at most", ""), held),
            )
        )


def _spread(figure: Figure) -> tuple[float, float, float]:
    return figure.median, min(figure.runs), max(figure.runs)


def _shown(value: float, unit: str) -> str:
    if unit == "bytes":
        return f"{value:,.0f}"
    return f"{value:.1f}" if unit == "MB" else f"{value:.3f}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    )
