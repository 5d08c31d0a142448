"""What a command prints: lines for people, or one JSON document for programs."""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click
import msgspec

from beistand.domain.finding import Finding, Severity
from beistand.domain.job import Job
from beistand.domain.message import Field, Message, is_sign, printable
from beistand.text.catalogue import Tellable, hint, sentence, term

_COLOURS = {
    Severity.BLOCK: "red",
    Severity.CONFIRM: "yellow",
    Severity.WARN: "yellow",
    Severity.INFO: "blue",
}


class Console:
    def __init__(self, *, as_json: bool, language: str) -> None:
        self.as_json = as_json
        self.language = language

    @property
    def is_interactive(self) -> bool:
        """Somebody sits there who can answer."""
        return not self.as_json and sys.stdin.isatty() and sys.stdout.isatty()

    def term(self, code: str, **fields: Field) -> str:
        return term(code, self.language, **fields)

    def line(self, code: str, **fields: Field) -> None:
        """Print a line of the catalogue; nothing for programs."""
        self.block(self.term(code, **fields))

    def text(self, line: str, mark: str = "") -> None:
        """Print one line behind a mark of our own; whatever the line holds, it stays one and moves no cursor."""
        if not self.as_json:
            click.echo(f"{mark}{printable(line)}")

    def block(self, text: str) -> None:
        """Print a text of several lines that is ours."""
        for line in text.split("\n"):
            self.text(line)

    def pairs(self, lines: Sequence[tuple[str, str]]) -> None:
        """Print labels (codes) and values in two columns."""
        labels = [self.term(code) for code, _ in lines]
        width = max(len(each) for each in labels) + 2
        for label, (_, value) in zip(labels, lines, strict=True):
            self.text(f"{label:<{width}}{value}")

    def document(self, value: Any) -> None:
        """Print the JSON document of a program's answer; nothing for people."""
        if self.as_json:
            click.echo(_plain(msgspec.json.format(msgspec.json.encode(value), indent=2).decode()))

    def findings(self, findings: Sequence[Finding]) -> None:
        for each in findings:
            mark = click.style(self.term(f"severity.{each.severity}"), fg=_COLOURS[each.severity], bold=True)
            self.text(f": {sentence(each, self.language)} [{each.code}]", mark)
            if advice := hint(each, self.language):
                self.text(f"  HINT: {advice}")

    def fail(self, told: Message, job: Job | None = None) -> NoReturn:
        """Say what went wrong and what to do, and end with status 1."""
        if self.as_json:
            self.document({"error": self._spoken(told), **({"job": job} if job else {})})
        else:
            click.echo(printable(sentence(told, self.language)), err=True)
            if advice := hint(told, self.language):
                click.echo(f"HINT: {printable(advice)}", err=True)
        raise SystemExit(1)

    def confirm(self, code: str, **fields: Field) -> bool:
        """Ask a question that is answered with yes or no; the default is no."""
        yes, no = self.term("cli.yes"), self.term("cli.no")
        answer = click.prompt(
            f"{self.term(code, **fields)} [{yes}/{no.upper()}]", default=no, show_default=False
        )
        return str(answer).strip().lower() in (yes, "yes", "ja", "y", "j")

    def ask(self, code: str, default: str | None = None, *, hidden: bool = False, **fields: Field) -> str:
        return str(click.prompt(self.term(code, **fields), default=default, hide_input=hidden))

    def _spoken(self, told: Tellable) -> dict[str, object]:
        return {
            "code": told.code,
            "fields": told.fields,
            "sentence": sentence(told, self.language),
            "hint": hint(told, self.language),
        }


def _plain(document: str) -> str:
    """Return the same JSON with all that is no sign by its number: a terminal shows documents, too (RFC 8259, 7)."""
    return "".join(each if each == "\n" or is_sign(each) else _as_json(each) for each in document)


def _as_json(sign: str) -> str:
    code = sign.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{code[at : at + 4]}" for at in range(0, len(code), 4))
