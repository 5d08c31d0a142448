"""What stands before each command of `beistand-lab`."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click

from beistand_lab.lab import Lab


@dataclasses.dataclass(frozen=True)
class Options:
    name: str
    subnet: str
    as_json: bool

    def tell(self, text: str, **fields: Any) -> None:
        click.echo(json.dumps(fields) if self.as_json else text)

    def lab(self) -> Lab:
        return Lab.named(self.name)
