"""Commands in general: failures, help, usage, language, speed."""

import json
import os
import subprocess
import sys

import pytest

from beistand.cli.main import COMMANDS
from beistand.domain.message import message
from beistand.domain.pair import PROTOCOL_VERSION
from beistand.protocol import GetStatus, Hello, RetryService, Status, Welcome
from cli.examples import BEISTAND, Run
from fakes.agent_server import FakeAgent


def test_without_an_agent_it_says_so_and_what_to_do(run: Run) -> None:
    result = run("status")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "the agent does not answer at /nowhere/agent.sock",
        "HINT: systemctl start beistand-agent; see: journalctl -u beistand-agent",
    ]


def test_programs_get_failures_as_json(run: Run) -> None:
    with FakeAgent({RetryService: message("not-serving")}) as agent:
        result = run("retry", "--json", agent=agent)
    assert result.exit_code == 1
    error = json.loads(result.stdout)["error"]
    assert (error["code"], error["fields"]) == ("not-serving", {})


def test_an_unknown_code_is_told_bare(run: Run) -> None:
    with FakeAgent({RetryService: message("something-new", why="later")}) as agent:
        assert run("retry", agent=agent).stderr == "something-new why=later\n"


@pytest.mark.parametrize(
    ("welcome", "code"),
    [(Welcome(protocol=99, version="9"), "protocol-differs"), (message("hello-first"), "hello-first")],
)
def test_another_protocol_is_refused(run: Run, welcome: Welcome, code: str) -> None:
    with FakeAgent({Hello: welcome}) as agent:
        assert json.loads(run("cycle", "--json", agent=agent).stdout)["error"]["code"] == code


def test_what_is_no_answer_is_told(run: Run) -> None:
    with FakeAgent({GetStatus: Welcome(protocol=PROTOCOL_VERSION, version="0.1.0")}) as agent:
        result = run("status", "--json", agent=agent)
    assert json.loads(result.stdout)["error"]["code"] == "agent-answer-wrong"


@pytest.mark.parametrize(
    "arguments", [["statuss"], ["status", "--colour"], ["config", "set", "attempts"], ["pair"]]
)
def test_wrong_usage_ends_with_2(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Usage: " in result.stdout


def test_help_hides_what_machines_call(run: Run) -> None:
    text = run("--help").stdout
    assert "takeover" in text
    assert "accept-pair" not in text


@pytest.mark.parametrize("arguments", [["--lang", "de", "status"], ["status", "--lang", "de"]])
def test_the_language_may_be_chosen_before_or_after_the_command(run: Run, arguments: list[str]) -> None:
    assert "der Agent antwortet nicht" in run(*arguments).stderr


def test_the_language_comes_from_the_environment(run: Run) -> None:
    assert "der Agent antwortet nicht" in run("status", language="de").stderr


HEAVY = ("cryptography", "django", "pyroute2", "zstandard", "sqlite3", "beistand.adapters", "beistand.agent")
"""What only other processes need: it would make every command wait."""


def test_a_command_brings_only_what_it_needs() -> None:
    """`beistand status` is asked under stress and by monitoring: 0.15 s on a quiet machine."""
    program = f"""
import sys, beistand.cli.main as m
try:
    m.main()
finally:
    print(*[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""
    with FakeAgent({GetStatus: Status(initialised=False, host="pbx-a")}) as agent:
        environment = {**os.environ, "BEISTAND_SOCKET": str(agent.path), "LANG": "C.UTF-8"}
        done = subprocess.run(
            [sys.executable, "-c", program, "status"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert "pbx-a is not set up yet" in done.stdout
    assert done.stderr.split() == []


def test_the_installed_program_runs() -> None:
    with FakeAgent({GetStatus: Status(initialised=False, host="pbx-a")}) as agent:
        environment = {**os.environ, "BEISTAND_SOCKET": str(agent.path), "LANG": "C.UTF-8"}
        done = subprocess.run(
            [BEISTAND, "status"], env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0
    assert "pbx-a is not set up yet" in done.stdout


def test_a_bug_is_told_without_a_traceback_and_logged_with_its_reference() -> None:
    program = "import beistand.cli.main as m; m.COMMANDS['status'] = 'missing'; m.main()"
    environment = {**os.environ, "LANG": "C.UTF-8", "BEISTAND_DEBUG": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program, "status"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    *log, told, advice = done.stderr.splitlines()
    assert told.startswith("internal error, reference ")
    assert log[0] == f"internal-error reference={told.split()[-1]}"
    assert advice.startswith("HINT: ")


def test_a_reader_that_has_seen_enough_is_no_bug() -> None:
    with FakeAgent({GetStatus: Status(initialised=False, host="pbx-a")}) as agent:
        environment = {**os.environ, "BEISTAND_SOCKET": str(agent.path)}
        command = f"set -o pipefail; {BEISTAND} status | exec 0<&-"
        done = subprocess.run(
            ["bash", "-c", command], env=environment, capture_output=True, text=True, check=False
        )
    assert done.stderr == ""
