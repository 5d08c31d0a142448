"""Every act of the pages has a command: each request of people is asked in the command line, or says why not."""

import ast
from pathlib import Path
from typing import get_args

from beistand import cli
from beistand.cli.main import COMMANDS
from beistand.domain.value import Value
from beistand.protocol import (
    AcceptPair,
    Authenticate,
    ChangePassword,
    Hello,
    LogIn,
    LogOut,
    PersonRequest,
    UseSetupCode,
    WatchJob,
)

FOLDER = Path(cli.__file__).parent

WITHOUT_COMMAND: dict[type[Value], str] = {
    Hello: "begins every connection by itself",
    AcceptPair: "comes ready-made from the active: beistand accept-pair hands it on",
    WatchJob: "every command that starts a job follows it",
    LogIn: "who is root at the console needs no session",
    LogOut: "who is root at the console needs no session",
    Authenticate: "who is root at the console acts for himself",
    UseSetupCode: "the code is for browsers; the console makes accounts itself",
    ChangePassword: "one's own, in a session; the console sets anybody's by PutAccount",
}


def asked() -> set[str]:
    """Return the names of all requests that a module of the command line builds."""
    return {
        node.func.id
        for path in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def test_every_request_of_people_has_a_command_or_a_reason() -> None:
    wanted = {kind.__name__ for kind in get_args(PersonRequest)}
    reasons = {kind.__name__ for kind in WITHOUT_COMMAND}
    assert wanted - reasons - asked() == set()


def test_no_reason_is_left_over() -> None:
    assert {kind.__name__ for kind in WITHOUT_COMMAND} & asked() == set()
    assert all(WITHOUT_COMMAND.values())


def test_every_command_is_there() -> None:
    assert {name for name in COMMANDS.values() if not (FOLDER / f"{name}.py").exists()} == set()
