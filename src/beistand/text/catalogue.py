"""The catalogues locale/LANGUAGE/LC_MESSAGES/*.po: `code` is the sentence, `code.hint` what to do.

Fields stand in braces and are formatted as the page language wants it: `{age:duration}`, `{size:bytes}`,
`{at:moment}`, `{count:number}`; everything else as Python's format does.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from os import environ
from string import Formatter
from typing import Any, Protocol

from beistand.domain.message import Field, printable, unquoted
from beistand.text.figures import FIGURES

LANGUAGES = ("en", "de")
WORDS = {
    "account-role": "account-role",
    "boot-verdict": "log.boot",
    "job-kind": "job.kind",
    "job-stage": "job.stage",
    "job-state": "log.job",
    "licence-kind": "licence.kind",
    "part": "part",
    "peer-word": "peer-word",
    "role": "role",
    "state": "state",
    "weakening": "weakening",
}
"""`{kind:job-kind}`: a field that is one of several values becomes the word `job.kind.<value>`."""
BECAUSE = "because"
"""`{why:because}`: a field that holds another message as the log writes it becomes its sentence; nothing for none."""


_LOGGED = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+', re.DOTALL)
"""One word of `code key=value key="two words"`; what is quoted may hold such a message itself."""


class Tellable(Protocol):
    """A message or a finding: something with a code and fields."""

    @property
    def code(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, Field]: ...


def language(preferred: str = "") -> str:
    """Return the language to speak: the preferred one, else the environment's (gettext(3)), else English."""
    from_environment = [environ.get(name, "") for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")]
    for wanted in (preferred, *":".join(each for each in from_environment if each).split(":")):
        if wanted[:2].lower() in LANGUAGES:
            return wanted[:2].lower()
        if wanted:
            break
    return "en"


def sentence(told: Tellable, language: str) -> str:
    """Return the sentence; without an entry the code and fields, which is what the log has."""
    return _filled(told.code, told.fields, language) or _bare(told)


def hint(told: Tellable, language: str) -> str:
    """Return what to do about it, empty where there is nothing to do."""
    return _filled(f"{told.code}.hint", told.fields, language)


def term(code: str, language: str, **fields: Field) -> str:
    """Return a word or a line of the interface by its code."""
    return _filled(code, fields, language) or code


@cache
def entries(language: str) -> Mapping[str, str]:
    """Return all sentences of a language by their codes."""
    import polib

    folder = resources.files("beistand") / "locale" / language / "LC_MESSAGES"
    files = [each for each in folder.iterdir() if each.name.endswith(".po")]
    return {
        each.msgid: each.msgstr
        for file in sorted(files, key=lambda file: file.name)
        for each in polib.pofile(file.read_text(encoding="utf-8"))
    }


def _filled(code: str, fields: Mapping[str, Field], language: str) -> str:
    text = entries(language).get(code, "")
    try:
        return _Fields(language).vformat(text, (), fields)
    except (KeyError, ValueError, TypeError, ArithmeticError):
        # A peer of another version may send other fields: rather the bare fact than no word at all,
        # and than an alarm that no mail can be written of. Numbers without end are among them.
        return ""


def _bare(told: Tellable) -> str:
    return printable(" ".join([told.code, *(f"{name}={value}" for name, value in told.fields.items())]))


def _because(told: str, language: str) -> str:
    if not told:
        return ""
    code, *pairs = _LOGGED.findall(told)
    fields = {name: _value(value) for name, _, value in (each.partition("=") for each in pairs)}
    why = _filled(code, fields, language) or printable(told)
    return term("log.because", language, why=why)


def _value(text: str) -> Field:
    """Return a field as it was before it was written to the log."""
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return unquoted(text)


class _Fields(Formatter):
    def __init__(self, language: str) -> None:
        self._language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        if figure := FIGURES.get(format_spec):
            return figure(value, self._language)
        if format_spec in WORDS:
            return term(f"{WORDS[format_spec]}.{value}", self._language)
        if format_spec == BECAUSE:
            return _because(str(value), self._language)
        return printable(str(super().format_field(value, format_spec)))

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:  # noqa: ARG002  Formatter names it
        # Names only: what comes from the peer must not reach into attributes.
        return kwargs[field_name], field_name
