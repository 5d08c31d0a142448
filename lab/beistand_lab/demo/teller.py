"""Tells the story line by line, with the seconds since its begin, and collects the figures and claims."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path

Value = bool | int | float | str | None


@dataclasses.dataclass
class Teller:
    """What was seen; `write` makes the file of it."""

    say: Callable[[str], None]
    begin: float = dataclasses.field(default_factory=time.time)
    figures: dict[str, Value] = dataclasses.field(default_factory=dict)
    failed: list[str] = dataclasses.field(default_factory=list)

    def act(self, text: str) -> None:
        """A thing that a person does or that happens."""
        self.say(f"{time.time() - self.begin:6.1f} s  {text}")

    def claim(self, name: str, seen: bool, text: str) -> bool:
        """A thing that was seen from outside, or was not."""
        self.figures[name] = seen
        if not seen:
            self.failed.append(name)
        self.act(f"{'✓' if seen else '✗'} {text}")
        return seen

    def measure(self, name: str, value: float | None, text: str, *, most: float | None = None) -> None:
        """A measured figure; None, or more than `most`, fails the demo."""
        self.figures[name] = round(value, 3) if isinstance(value, float) else value
        good = value is not None and (most is None or value <= most)
        if not good:
            self.failed.append(name)
        shown = "not seen" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
        self.act(f"{'✓' if good else '✗'} {text}: {shown}")

    def write(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        body = {**self.figures, "failed": self.failed, "seconds": round(time.time() - self.begin, 1)}
        file.write_text(json.dumps(body, indent=2, sort_keys=True) + "\n")
