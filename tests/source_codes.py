"""Collects from the sources every code that a person may be told, with the fields that come with it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from beistand.domain.facts import Verdict
from beistand.domain.finding import Severity
from beistand.domain.generation import CopyState
from beistand.domain.job import JobKind
from beistand.domain.role import Role

SOURCES = Path(__file__).parent.parent / "src" / "beistand"
TELLERS = {
    "message",
    "Refused",
    "Failed",
    "CommandFailed",
    "NoSpace",
    "BadGeneration",
    "Refusal",
    "Unread",
    "PeerError",
    "PeerUnreachable",
    "_block",
    "_warn",
    "_confirm",
    "_info",
    "block",
    "warn",
    "confirm",
    "info",
    "Message",
    "Finding",
    "__init__",
    "term",
    "line",
    "label",
    "say_now",
    "log",
}
"""Functions, classes and methods whose first argument, or argument `code`, is a code."""
TELLERS_OF_PAGES = {"say", "notice"}
"""Those of the pages, whose first argument is the request."""
TROUBLES = {
    "Refused",
    "Failed",
    "CommandFailed",
    "NoSpace",
    "BadGeneration",
    "Refusal",
    "Unread",
    "PeerError",
    "PeerUnreachable",
    "PeerRefused",
    "Finding",
    "_block",
    "_warn",
    "_confirm",
    "_info",
    "__init__",
}
"""Those of the tellers that tell of something to be done about: a refusal, a failure, a finding."""
PROBLEM = "Message | None"
"""What a function returns that looks for a problem; its messages become refusals."""
ENUMS: dict[str, type[StrEnum]] = {
    "role": Role,
    "copy": CopyState,
    "severity": Severity,
    "verdict": Verdict,
    "job.kind": JobKind,
}
STATES = (
    "serving",
    "unverified",
    "standing-by",
    "checking",
    "held",
    "active-failed",
    "superseded",
    "released",
    "forked",
    "not-initialised",
    "out-of-order",
    "recovering",
)
ALARMING_STATES = ("superseded", "released", "forked", "unverified")


@dataclass(frozen=True)
class Use:
    """One place where a code is told."""

    place: str
    code: str
    fields: frozenset[str] | None
    """None: not to be seen in the source."""


def uses() -> Iterator[Use]:
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            place = f"{path.relative_to(SOURCES)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call):
                yield from _told(node, place)
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "code":
                yield from (Use(place, code, None) for code in _texts(node.value))
            elif isinstance(node, ast.Constant) and _is_plainly_a_code(node.value):
                yield Use(place, str(node.value), None)
    for prefix, enum in ENUMS.items():
        yield from (Use("enum", f"{prefix}.{each.value}", frozenset()) for each in enum)
    yield from (Use("protocol.Status", f"state.{each}", frozenset()) for each in STATES)
    yield from (Use("agent/keeper.py", f"is-{each}", frozenset()) for each in ALARMING_STATES)


def troubles() -> Iterator[Use]:
    """Yield every code of a refusal, a failure or a finding: what a person wants advice about."""
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            place = f"{path.relative_to(SOURCES)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call) and _name(node) in TROUBLES:
                told = [node, *(each for each in node.args if isinstance(each, ast.Call))]
                yield from (use for each in told for use in _told(each, place))
            elif isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) == PROBLEM:
                calls = (each for each in ast.walk(node) if isinstance(each, ast.Call))
                yield from (use for each in calls if _name(each) == "message" for use in _told(each, place))
    yield from (Use("agent/keeper.py", f"is-{each}", frozenset()) for each in ALARMING_STATES)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _told(call: ast.Call, place: str) -> Iterator[Use]:
    name, first = _name(call), call.args[0] if call.args else None
    named = next((each.value for each in call.keywords if each.arg == "code"), None)
    if name in ("stage", "enter", "turn_back"):
        yield from (Use(place, f"job.stage.{code}", frozenset()) for code in _texts(first))
    elif name in TELLERS:
        yield from (Use(place, code, _fields(call, name)) for code in _texts(named or first))
    elif name in TELLERS_OF_PAGES and len(call.args) > 1:
        yield from (Use(place, code, _fields(call, name)) for code in _texts(call.args[1]))


def _texts(node: ast.expr | None) -> Iterator[str]:
    """Yield the codes that an expression may be: a text, or either text of a condition."""
    if isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_code(node.value):
        yield node.value


def _is_plainly_a_code(value: object) -> bool:
    """Tell whether a text can be nothing else: the interface's own words, wherever they stand."""
    return (
        isinstance(value, str) and value.startswith(("cli.", "web.")) and _is_code(value) and value[-1] != "."
    )


def _is_code(text: str) -> bool:
    return bool(text) and all(each.islower() or each.isdigit() or each in "-." for each in text)


def _fields(call: ast.Call, name: str) -> frozenset[str] | None:
    names = {each.arg for each in call.keywords}
    if name in ("Refusal", "Unread"):  # of a reader: the agent adds which file
        return frozenset({"path", "why"})
    if name in ("Message", "Finding"):
        fields = next((each.value for each in call.keywords if each.arg == "fields"), None)
        if fields is None:
            return frozenset()
        if isinstance(fields, ast.Dict) and all(isinstance(key, ast.Constant) for key in fields.keys):
            return frozenset(str(key.value) for key in fields.keys if isinstance(key, ast.Constant))
        return None
    if None in names:
        return None
    return frozenset(each for each in names if each not in (None, "hidden", "default"))
