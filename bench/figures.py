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
    """A promise of the design, and what was seen: a ratio to its peer in the same run, or a plain figure.

    Met as long as the median of `seen` is not above `most`.
    """

    seen: Figure
    most: float

    @property
    def is_met(self) -> bool:
        return self.seen.median <= self.most

    def json(self) -> Json:
        return {**self.seen.json(), "most": self.most, "met": self.is_met}


@dataclass(kw_only=True)
class Page:
    """What one page costs."""

    name: str
    waited: list[float] = field(default_factory=list)
    """Milliseconds of each request, as its browser waits."""
    worked: list[float] = field(default_factory=list)
    """Milliseconds of the web process's own work, of each request."""
    ratios: list[float] = field(default_factory=list)
    """Waited, to a bare view just before it; one for each round."""

    def row(self) -> tuple[str, ...]:
        waited, worked = statistics.median(self.waited), statistics.median(self.worked)
        cells = [f"{each:.1f} ms" for each in (waited, max(self.waited), worked)]
        return (f"`{self.name}`", *cells, f"{statistics.median(self.ratios):.1f}", str(len(self.waited)))


@dataclass
class Report:
    """What one run of the benchmarks found, in the order it was found."""

    figures: list[Figure] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def add(self, name: str, unit: str, runs: Sequence[float]) -> Figure:
        figure = Figure(name=name, unit=unit, runs=tuple(runs))
        self.figures.append(figure)
        return figure

    def hold(self, text: str, unit: str, seen: Sequence[float], most: float) -> None:
        figure = Figure(name=text, unit=unit, runs=tuple(seen))
        self.targets.append(Target(seen=figure, most=most))

    def table(self) -> str:
        """Return the tables as Markdown, which reads well on a terminal, too."""
        rows = [
            (each.name, *_cells(each, each.median, min(each.runs), max(each.runs)), str(len(each.runs)))
            for each in self.figures
        ]
        pages = [each.row() for each in self.pages]
        held = [
            (
                each.seen.name,
                *_cells(each.seen, each.seen.median, min(each.seen.runs), max(each.seen.runs), each.most),
                "met" if each.is_met else "MISSED",
            )
            for each in self.targets
        ]
        tables = (
            (("page", "median", "max", "own work", "/ a bare view", "runs"), pages),
            (("figure", "median", "min", "max", "runs"), rows),
            (("target", "median", "min", "max", "at most", ""), held),
        )
        return "\n\n".join(_markdown(head, lines) for head, lines in tables if lines)


def _cells(figure: Figure, *values: float) -> list[str]:
    return [_shown(value, figure.unit) for value in values]


def _shown(value: float, unit: str) -> str:
    if unit == "bytes":
        return f"{value:,.0f} bytes"
    return f"{value:.1f} {unit}" if unit in ("MB", "ms") else f"{value:.3f} {unit}".rstrip()


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    )
