"""One way to run a command against a fake agent."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from beistand.cli.main import beistand
from cli.examples import Run
from fakes.agent_server import FakeAgent


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run `beistand ARGUMENTS` in English; the agent, when given, is the one that answers."""

    def run(*arguments: str, agent: FakeAgent | None = None, stdin: str = "", language: str = "en") -> Result:
        for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("LANG", f"{language}_XX.UTF-8")
        monkeypatch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        monkeypatch.setenv("BEISTAND_SOCKET", str(agent.path if agent else Path("/nowhere/agent.sock")))
        return CliRunner().invoke(beistand, arguments, input=stdin, catch_exceptions=False)

    yield run
    monkeypatch.undo()
    time.tzset()
