"""A log at the console: as many lines as somebody wants, however many answers they take."""

import functools
from collections.abc import Callable
from sys import maxsize
from typing import Any, TypeVar

import click
from msgspec.structs import replace

from beistand.cli.console import Console
from beistand.client import Client
from beistand.protocol import MOST_LINES, AuditLines, LogLines, ReadAudit, ReadModuleLog

Lines = TypeVar("Lines", bound=LogLines | AuditLines)


def how_many(usual: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command `limit`: that of `--limit`, or any number for `--all`."""

    def options(function: Callable[..., Any]) -> Callable[..., Any]:
        @click.option("--limit", type=click.IntRange(1), default=usual, show_default=True)
        @click.option("--all", "is_all", is_flag=True, help="All that is kept.")
        @functools.wraps(function)
        def chosen(*given: Any, limit: int, is_all: bool, **values: Any) -> Any:
            return function(*given, limit=maxsize if is_all else limit, **values)

        return chosen

    return options


def read(client: Client, asked: ReadModuleLog | ReadAudit, answer: type[Lines]) -> Lines:
    """Return the answers to a request as if they were one, with as many lines as it wants."""
    found: list[Any] = []
    older = asked.before
    while True:
        page = client.call(
            replace(asked, limit=min(asked.limit - len(found), MOST_LINES), before=older), answer
        )
        found += page.lines
        older = page.older
        if not older or len(found) >= asked.limit:
            return answer(lines=tuple(found), older=older)


def tell_the_cut(console: Console, shown: LogLines | AuditLines) -> None:
    """Say that this is not all."""
    if shown.older:
        console.line("cli.log.older")
