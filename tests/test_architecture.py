"""House rules that a machine can check: sizes, names, values, edges."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "lab").rglob("*.py")])
LONGEST_FILE = 400
LONGEST_FUNCTION = 40
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "base", "misc"}
EDGES = {
    "src/beistand/reader/process.py",
    "src/beistand/agent/coverage.py",
    "src/beistand/agent/gate.py",
    "src/beistand/agent/guard.py",
    "src/beistand/agent/server.py",
    "src/beistand/agent/worker.py",
    "src/beistand/agent/log.py",
    "src/beistand/agent/announcer.py",
    "src/beistand/agent/peer_command.py",
    "src/beistand/agent/postman.py",
    "src/beistand/adapters/mail_form.py",
    "src/beistand/adapters/smtp.py",
    "src/beistand/cli/main.py",
    "src/beistand/domain/judging.py",
    "src/beistand/web/api/answering.py",
    "src/beistand/web/fair_threads.py",
}
"""Where a bug must not end the whole program: threads, connections, the loop, the command line.

Nor one mail all others: the mail library raises what it likes. Nor one rule all others."""
RUNNERS = {"src/beistand/adapters/commands.py"}
"""The only users of subprocess on an appliance; the lab has its own."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def trees() -> Iterator[tuple[str, ast.Module]]:
    yield from ((name_of(each), ast.parse(each.read_text())) for each in FILES)


@pytest.mark.parametrize("name", ["beistand.wiring", "beistand.agent.daemon", "beistand.cli.main"])
def test_each_program_can_be_imported(name: str) -> None:
    """No other check runs what a module does while it is read."""
    assert importlib.import_module(name)


def test_no_file_is_too_long() -> None:
    lengths = {name_of(each): len(each.read_text().splitlines()) for each in FILES}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    long = {
        f"{name}:{node.name}": length
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := _lines(node)) > LONGEST_FUNCTION
    }
    assert long == {}


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its docstring: a contract may be as long as it needs."""
    first = function.body[0] if ast.get_docstring(function) else None
    told = (first.end_lineno or 0) - first.lineno + 1 if first else 0
    return (function.end_lineno or 0) - function.lineno + 1 - told


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert {name_of(each) for each in FILES if FORBIDDEN_NAMES & {each.stem, each.parent.name}} == set()


def test_everything_is_caught_at_the_edges_only() -> None:
    everything = {
        name
        for name, tree in trees()
        for node in ast.walk(tree)
        if name.startswith("src/") and isinstance(node, ast.ExceptHandler) and _catches_all(node)
    }
    assert everything <= EDGES


def _catches_all(handler: ast.ExceptHandler) -> bool:
    """Tell whether the handler swallows what it cannot know; one that raises again only cleans up."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {getattr(each, "id", None) for each in kinds}
    is_wide = handler.type is None or names & {"Exception", "BaseException"}
    raises_again = any(isinstance(each, ast.Raise) and each.exc is None for each in ast.walk(handler))
    return bool(is_wide) and not raises_again


def test_programs_are_run_from_one_module() -> None:
    users = {
        name
        for name, tree in trees()
        for node in ast.walk(tree)
        if name.startswith("src/") and "subprocess" in _imported(node)
    }
    assert users == RUNNERS


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {each.name for each in node.names}
    return {node.module or ""} if isinstance(node, ast.ImportFrom) else set()


def test_every_public_module_says_what_it_holds() -> None:
    silent = {name for name, tree in trees() if tree.body and not ast.get_docstring(tree)}
    assert silent == set()


@pytest.mark.parametrize("word", ["mock.patch", "time.sleep"])
def test_tests_neither_patch_nor_sleep(word: str) -> None:
    here = Path(__file__)
    users = {
        name_of(each)
        for each in (ROOT / "tests").rglob("test_*.py")
        if each != here and word in each.read_text()
    }
    assert users == set()


def test_the_agent_keeps_what_its_readers_need() -> None:
    """Without these a child that reads the PBX's files cannot give its rights up, or loses call records."""
    unit = (ROOT / "packaging/beistand-agent.service").read_text().splitlines()
    told: dict[str, str] = {}
    for name, _, value in (each.partition("=") for each in unit if not each.startswith("#")):
        told[name] = f"{told[name]} {value}" if name in told else value
    needed = {
        f"CAP_{each}" for each in ("SETUID", "SETGID", "SYS_CHROOT", "SYS_NICE", "KILL", "DAC_READ_SEARCH")
    }
    assert needed <= set(told.get("CapabilityBoundingSet", " ".join(needed)).split())
    assert told.get("RestrictRealtime", "no") == "no"
