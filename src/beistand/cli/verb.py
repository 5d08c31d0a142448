"""What every command has in common: `--json`, `--lang`, and failures told without a traceback."""

import functools
from collections.abc import Callable
from typing import Any

import click

from beistand.cli.console import Console
from beistand.domain.errors import BeistandError
from beistand.text.catalogue import LANGUAGES, language

LANGUAGE = "beistand.language"
"""Key of the chosen language in click's meta data."""


def _choose(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value:
        context.meta[LANGUAGE] = value


language_option = click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    expose_value=False,
    callback=_choose,
    is_eager=True,
    help="Language of sentences; else the environment's.",
)


def verb(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give the function a Console, and end with status 1 for what it raises."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
    @language_option
    @click.pass_context
    @functools.wraps(function)
    def run(context: click.Context, /, *, as_json: bool, **values: Any) -> Any:
        console = Console(as_json=as_json, language=language(context.meta.get(LANGUAGE, "")))
        try:
            return function(console, **values)
        except BeistandError as error:
            console.fail(error.message)

    return run
