"""`beistand setup`: what it asks of the agent, what it prints, and when it says that nothing was confirmed."""

import json
import subprocess
import sys

import pytest

from beistand.domain.message import message
from beistand.domain.role import Role
from beistand.protocol import (
    ConfirmSetup,
    Done,
    FileChange,
    GetNetwork,
    GetSetup,
    GetStatus,
    Init,
    NetworkView,
    PlanSetup,
    SetupPlan,
    SetupView,
    StartSetup,
    Status,
    UndoInit,
    UndoSetup,
)
from cli.examples import Run
from fakes.agent_server import FakeAgent

PLAN = SetupPlan(
    interface="eth0",
    manager="ifupdown",
    own_address="192.0.2.1/24",
    service_address="192.0.2.10/24",
    profile="asterisk",
    changes=(FileChange(path="/etc/network/interfaces", lines=("-  address 10/24", "+  address 1/24")),),
)
WAITING = SetupView(
    stage="waiting",
    interface="eth0",
    own_address="192.0.2.1/24",
    service_address="192.0.2.10/24",
    seconds_left=120.0,
    files=("/etc/network/interfaces",),
)
CONFIRMED = SetupView(stage="confirmed", own_address="192.0.2.1/24", service_address="192.0.2.10/24")
FAILS = SetupView(
    stage="undoing",
    why=message("setup-rebooted"),
    trouble=message("setup-undo-fails", why="setup-pbx-not-started unit=asterisk why=no", seconds=10.0),
)
UNDONE = SetupView(stage="undone", service_address="192.0.2.10/24", why=message("setup-rebooted"))


def test_a_dry_run_shows_the_lines_and_starts_nothing(run: Run) -> None:
    with FakeAgent({PlanSetup: PLAN}) as agent:
        result = run("setup", "--own-address", "192.0.2.1", "--dry-run", agent=agent)
        assert agent.asked(PlanSetup) == [PlanSetup(own_address="192.0.2.1")]
        assert not agent.asked(StartSetup)
    assert result.exit_code == 0, result.stderr
    assert "192.0.2.10 becomes the service address, and this machine gets 192.0.2.1/24" in result.stdout
    assert "    +  address 1/24" in result.stdout


def test_it_starts_what_was_shown_and_says_how_to_confirm(run: Run) -> None:
    with FakeAgent({PlanSetup: PLAN, StartSetup: WAITING}) as agent:
        result = run("setup", "--own-address", "192.0.2.1", "--yes", agent=agent)
        (started,) = agent.asked(StartSetup)
    assert result.exit_code == 0, result.stderr
    assert started == StartSetup(
        own_address="192.0.2.1/24",
        interface="eth0",
        service_address="192.0.2.10/24",
        profile="asterisk",
        language="en",
    )
    assert "SSH session to 192.0.2.1 and type: beistand setup --confirm" in result.stdout
    assert "2 minutes" in result.stdout


@pytest.mark.parametrize("words", [[], ["--own-address", "192.0.2.1"], ["--standby"]])
def test_without_anybody_to_ask_something_is_missing(run: Run, words: list[str]) -> None:
    with FakeAgent({PlanSetup: PLAN}) as agent:
        result = run("setup", *words, agent=agent)
        assert not agent.asked(StartSetup)
    assert result.exit_code == 2
    assert "is missing" in result.stderr


def test_confirming_tells_where_the_session_came_to(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.77 50000 192.0.2.1 22")
    with FakeAgent({ConfirmSetup: CONFIRMED}) as agent:
        result = run("setup", "--confirm", agent=agent)
        assert agent.asked(ConfirmSetup) == [ConfirmSetup(reached="192.0.2.1")]
    assert result.exit_code == 0, result.stderr
    assert "beistand setup --undo" in result.stdout


def test_a_refused_confirmation_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.77 50000 192.0.2.10 22")
    refused = message("setup-confirm-elsewhere", reached="192.0.2.10", address="192.0.2.1")
    with FakeAgent({ConfirmSetup: refused}) as agent:
        result = run("setup", "--confirm", agent=agent)
    assert result.exit_code == 1
    assert "HINT: open another one, to 192.0.2.1" in result.stderr


def test_without_the_variable_a_parent_still_has_it() -> None:
    """As sudo leaves it out of what it starts."""
    ask = "from beistand.cli.setup import reached; print(reached('MARK'))"
    inner = f'env -u MARK {sys.executable} -c "{ask}"; true'
    outer = ["env", "MARK=192.0.2.77 50000 192.0.2.1 22", "sh", "-c", inner]
    done = subprocess.run(outer, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "192.0.2.1"


def test_an_undo_names_files_and_risk_and_passes_on_what_is_accepted(run: Run) -> None:
    with FakeAgent({GetSetup: CONFIRMED, UndoSetup: UNDONE}) as agent:
        result = run("setup", "--undo", "--yes", "--accept", "setup-undo-peer-may-serve", agent=agent)
        assert agent.asked(UndoSetup) == [UndoSetup(accept=("setup-undo-peer-may-serve",))]
    assert result.exit_code == 0, result.stderr
    assert "switched off before anybody had confirmed" in result.stdout


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (SetupView(), "Nothing was ever set up"),
        (WAITING, "192.0.2.1"),
        (CONFIRMED, "Confirmed"),
        (UNDONE, "as it was"),
        (SetupView(stage="begun"), "2 minutes at the latest"),
        (SetupView(stage="undoing"), "tried again every 10 seconds"),
        (FAILS, "asterisk did not start"),
    ],
)
def test_the_state_is_told_in_words_and_as_json(run: Run, view: SetupView, said: str) -> None:
    with FakeAgent({GetSetup: view}) as agent:
        assert said in run("setup", "--state", agent=agent).stdout
        shown = json.loads(run("setup", "--state", "--json", agent=agent).stdout)
    assert shown["stage"] == view.stage


def standby(run: Run, *words: str, candidates: tuple[str, ...]) -> tuple[str, str, list[object]]:
    network = NetworkView(
        own=None, peer=None, candidates=candidates, interfaces=("eth0", "eth1")[: len(candidates)]
    )
    status = Status(initialised=True, role=Role.STANDBY, state="standing-by", host="pbx-b")
    with FakeAgent({GetNetwork: network, Init: Done(), GetStatus: status}) as agent:
        result = run("setup", "--standby", "--service-address", "192.0.2.10", *words, agent=agent)
        return result.stdout, result.stderr, list(agent.asked(Init))


def test_a_standby_keeps_its_address(run: Run) -> None:
    stdout, stderr, asked = standby(run, candidates=("192.0.2.2/24",))
    assert asked == [
        Init(
            role=Role.STANDBY,
            interface="eth0",
            own_address="192.0.2.2/24",
            service_address="192.0.2.10",
            profile="asterisk",
            language="en",
        )
    ], stderr
    assert "pbx-b" in stdout


def test_a_standby_with_two_addresses_has_to_say_which(run: Run) -> None:
    two = ("192.0.2.2/24", "198.51.100.2/24")
    _, stderr, asked = standby(run, candidates=two)
    assert (asked, "HINT: say which one is its own" in stderr) == ([], True)
    _, _, asked = standby(run, "--own-address", "198.51.100.2", candidates=two)
    assert [each.interface for each in asked if isinstance(each, Init)] == ["eth1"]


def test_a_machine_without_a_static_address_is_refused(run: Run) -> None:
    _, stderr, asked = standby(run, candidates=())
    assert asked == []
    assert "no such static IPv4 address" in stderr


REFUSED = message("init-ends-calls", units="asterisk.service", calls=3, phones=2)


@pytest.mark.parametrize("command", ["init", "setup"])
def test_active_and_standby_exclude_each_other(run: Run, command: str) -> None:
    with FakeAgent({}) as agent:
        result = run(command, "--active", "--standby", "--service-address", "192.0.2.10", agent=agent)
        assert not agent.asked(Init)
    assert result.exit_code == 2
    assert "exclude" in result.stderr


def test_a_script_that_would_end_calls_is_refused_with_their_number(run: Run) -> None:
    answers = {
        GetNetwork: NetworkView(
            own=None, peer=None, candidates=("192.0.2.2/24",), interfaces=("eth0",), profiles=()
        ),
        Init: REFUSED,
    }
    with FakeAgent(answers) as agent:
        result = run("setup", "--standby", "--service-address", "192.0.2.10", agent=agent)
        assert len(agent.asked(Init)) == 1
    assert result.exit_code == 1
    assert "3 calls" in result.stderr
    assert "--force" in result.stderr


def test_force_takes_the_risk_by_name(run: Run) -> None:
    with FakeAgent({Init: REFUSED}) as agent:
        words = ["--interface", "eth0", "--address", "192.0.2.2/24", "--service-address", "192.0.2.10"]
        run("init", "--standby", "--force", *words, agent=agent)
        assert [each.accept for each in agent.asked(Init)] == [(), ("init-ends-calls",)]


def test_the_undo_of_an_init_needs_a_yes_and_stands_alone(run: Run) -> None:
    with FakeAgent({UndoInit: Done()}) as agent:
        assert run("init", "--undo", agent=agent).exit_code == 2
        assert run("init", "--undo", "--standby", "--yes", agent=agent).exit_code == 2
        assert not agent.asked(UndoInit)
        assert run("init", "--undo", "--yes", agent=agent).exit_code == 0
        assert agent.asked(UndoInit)
