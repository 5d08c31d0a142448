"""`init`, `pair` and `accept-pair`."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from beistand.domain.config import ModuleConfig
from beistand.domain.job import JobKind, JobState
from beistand.domain.message import Message, message
from beistand.domain.pair import Appliance
from beistand.domain.role import Grant, Role, Side
from beistand.protocol import (
    Accepted,
    AcceptPair,
    Done,
    FetchHostKey,
    GetSetup,
    GetStatus,
    HostKey,
    Init,
    SetupView,
    StartPair,
    Status,
    UndoSetup,
    WatchJob,
)
from cli.examples import Run, a_job
from fakes.agent_server import FakeAgent

INIT = [
    "init",
    "--active",
    "--interface",
    "eth0",
    "--address",
    "192.0.2.1/24",
    "--service-address",
    "192.0.2.10",
]
KEY = HostKey(line="ssh-ed25519 AAAA", fingerprint="SHA256:abc")
STATUS = Status(initialised=True, role=Role.ACTIVE, state="serving", host="pbx-a")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_init_hands_over_what_was_given(run: Run) -> None:
    with FakeAgent({Init: Done(), GetStatus: STATUS}) as agent:
        result = run(*INIT, "--profile", "freepbx", "--strict-boot", agent=agent)
        assert result.exit_code == 0, result.stderr
        (request,) = agent.asked(Init)
    assert request == Init(
        role=Role.ACTIVE,
        interface="eth0",
        own_address="192.0.2.1/24",
        service_address="192.0.2.10",
        profile="freepbx",
        strict_boot=True,
        language="en",
    )
    assert "pbx-a is set up as active" in result.stdout


def test_roles_are_told_in_the_words_of_the_language(run: Run) -> None:
    with FakeAgent({Init: Done(), GetStatus: STATUS}) as agent:
        result = run(*INIT, "--lang", "de", agent=agent)
    assert "ist eingerichtet als Aktive Anlage" in result.stdout


def test_a_dry_run_takes_no_setup_back(run: Run) -> None:
    view = SetupView(stage="confirmed", own_address="192.0.2.1/24", service_address="192.0.2.10/24")
    with FakeAgent({GetSetup: view, UndoSetup: view}) as agent:
        result = run("setup", "--undo", "--dry-run", "--yes", agent=agent)
        assert result.exit_code == 0, result.stderr
        assert not agent.asked(UndoSetup)


def test_without_anybody_to_ask_missing_options_are_wrong_usage(run: Run) -> None:
    result = run("init", "--standby", "--interface", "eth0")
    assert result.exit_code == 2
    assert "--address is missing" in result.stderr


def pair(run: Run, *arguments: str, end: Message | None = None) -> tuple[str, str, int, list[object]]:
    ended = a_job(JobKind.PAIR, state=JobState.FAILED if end else JobState.DONE, error=end, revision=1)
    replies = {FetchHostKey: KEY, StartPair: a_job(JobKind.PAIR), WatchJob: ended, GetStatus: STATUS}
    with FakeAgent(replies) as agent:
        result = run(
            "pair", "--server", "192.0.2.2", "--password-stdin", *arguments, agent=agent, stdin="s3cret \n"
        )
        return result.stdout, result.stderr, result.exit_code, list(agent.asked(StartPair))


def test_pair_with_the_confirmed_fingerprint(run: Run) -> None:
    stdout, stderr, code, asked = pair(run, "--user", "admin", "--fingerprint", "SHA256:abc")
    assert code == 0, stderr
    assert "Paired with 192.0.2.2" in stdout
    assert asked == [StartPair(server="192.0.2.2", user="admin", password="s3cret ", host_key=KEY.line)]


def test_f11_another_fingerprint_is_a_hard_stop_before_the_password(run: Run) -> None:
    _, stderr, code, asked = pair(run, "--fingerprint", "SHA256:other")
    assert (code, asked) == (1, [])
    assert "SHA256:abc" in stderr
    assert "SHA256:other" in stderr


def test_nobody_to_confirm_the_fingerprint_is_a_stop(run: Run) -> None:
    _, stderr, code, asked = pair(run)
    assert (code, asked) == (1, [])
    assert "--fingerprint SHA256:abc" in stderr


def test_a_wrong_password_is_told(run: Run) -> None:
    end = message("wrong-password", server="192.0.2.2")
    _, stderr, code, _ = pair(run, "--fingerprint", "SHA256:abc", end=end)
    assert code == 1
    assert "s3cret" not in stderr


APPLIANCE = Appliance(
    node="a" * 16,
    host="pbx-a",
    own_address="192.0.2.1/24",
    service_addresses=("192.0.2.10",),
    mac="02:00:00:00:00:01",
    beistand_version="0.1.0",
    pbx_version="22.10",
    profile="asterisk",
    licence_key="",
    gateway="",
    dns=(),
    is_static=True,
    now=NOW,
)
REQUEST = AcceptPair(
    pair="c" * 32,
    side=Side.ODD,
    active=APPLIANCE,
    active_host_key="ssh-ed25519 AAAA",
    public_key="ssh-ed25519 BBBB",
    grant=Grant(epoch=2, holder="a" * 16, parent=0, operator="root", at=NOW, evidence=""),
    config=ModuleConfig(),
)


def test_accept_pair_answers_in_json(run: Run) -> None:
    accepted = Accepted(appliance=APPLIANCE, public_key="ssh-ed25519 CCCC")
    with FakeAgent({AcceptPair: accepted}) as agent:
        result = run("accept-pair", agent=agent, stdin=msgspec.json.encode(REQUEST).decode())
        assert agent.asked(AcceptPair) == [REQUEST]
    assert result.exit_code == 0
    assert msgspec.json.decode(result.stdout, type=Accepted) == accepted


@pytest.mark.parametrize("stdin", ["", "{}", "no json", '{"verb":"accept-pair"}'])
def test_accept_pair_refuses_what_it_cannot_read(run: Run, stdin: str) -> None:
    result = run("accept-pair", stdin=stdin)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "bad-request"


def test_accept_pair_hands_back_the_refusal(run: Run) -> None:
    with FakeAgent({AcceptPair: message("already-paired", peer="b")}) as agent:
        result = run("accept-pair", agent=agent, stdin=msgspec.json.encode(REQUEST).decode())
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"code": "already-paired", "fields": {"peer": "b"}}
