"""`beistand account`, `setup-code` and `audit`: what is asked of the agent, and what is never on a command line."""

import json

import pytest

from beistand.domain.account import AccountRole
from beistand.domain.message import message
from beistand.domain.role import Role
from beistand.protocol import (
    AccountList,
    AccountView,
    AuditLine,
    AuditLines,
    GetStatus,
    ListAccounts,
    MakeSetupCode,
    MakeToken,
    NewToken,
    PeerView,
    PutAccount,
    ReadAudit,
    RemoveAccount,
    RemoveToken,
    SetupCode,
    Status,
)
from cli.examples import NOW, Run
from fakes.agent_server import FakeAgent

ADMINISTRATOR, VIEWER = AccountRole.ADMINISTRATOR, AccountRole.VIEWER
ANNA = AccountView(name="anna", role=ADMINISTRATOR, since=NOW)
PROBE = AccountView(name="probe", role=VIEWER, since=NOW, is_program=True, id="0a1b2c3d")
BOTH = AccountList(accounts=(ANNA,), tokens=(PROBE,))
CODE = SetupCode(
    code="A2345-B2345-C2345-D2345", expires=NOW, url="https://192.0.2.1:8443/", fingerprint="AB:CD"
)


def test_the_setup_code_is_shown_with_the_way_to_the_pages(run: Run) -> None:
    with FakeAgent({MakeSetupCode: CODE, GetStatus: Status(initialised=False)}) as agent:
        lines = run("setup-code", agent=agent).stdout.splitlines()
    assert [each.split()[-1] for each in lines] == [CODE.code, "13:00:00", CODE.url, "AB:CD"]


def test_without_pages_yet_it_says_so(run: Run) -> None:
    bare = SetupCode(code=CODE.code, expires=NOW, url=CODE.url, fingerprint="")
    with FakeAgent({MakeSetupCode: bare, GetStatus: Status(initialised=False)}) as agent:
        assert "none yet" in run("setup-code", agent=agent).stdout


def test_on_a_standby_that_hears_the_active_it_says_where_to_go(run: Run) -> None:
    peer = PeerView(
        host="pbx-a", own_address="", connected=True, silent_seconds=0, role=Role.ACTIVE, serving=True
    )
    status = Status(initialised=True, role=Role.STANDBY, peer=peer)
    with FakeAgent({MakeSetupCode: CODE, GetStatus: status}) as agent:
        assert "pbx-a is the active" in run("setup-code", agent=agent).stdout


def test_programs_get_the_code_as_json(run: Run) -> None:
    with FakeAgent({MakeSetupCode: CODE, GetStatus: Status(initialised=False)}) as agent:
        assert json.loads(run("setup-code", "--json", agent=agent).stdout)["code"] == CODE.code


def test_accounts_are_listed(run: Run) -> None:
    with FakeAgent({ListAccounts: BOTH}) as agent:
        assert run("account", "list", agent=agent).stdout.split()[:2] == ["anna", "Administrator"]
        assert run("account", "list", agent=agent, language="de").stdout.split()[1] == "Administrator"
        assert "0a1b2c3d" in run("account", "token", "list", agent=agent).stdout


def test_a_password_comes_from_standard_input(run: Run) -> None:
    with FakeAgent({ListAccounts: BOTH, PutAccount: BOTH}) as agent:
        done = run(
            "account",
            "add",
            "Bert",
            "--role",
            "viewer",
            "--password-stdin",
            agent=agent,
            stdin="vier ziegen\n",
        )
    assert done.exit_code == 0, done.stderr
    assert agent.asked(PutAccount) == [PutAccount(name="Bert", role=VIEWER, password="vier ziegen")]


@pytest.mark.parametrize("arguments", [["add", "bert"], ["password", "anna"]])
def test_nothing_asks_for_a_password_where_nobody_sits(run: Run, arguments: list[str]) -> None:
    with FakeAgent({ListAccounts: BOTH, PutAccount: BOTH}) as agent:
        assert run("account", *arguments, agent=agent).exit_code == 2
    assert agent.asked(PutAccount) == []


@pytest.mark.parametrize("arguments", [["add", "bert", "secret"], ["password", "anna", "secret"]])
def test_a_password_is_no_argument(run: Run, arguments: list[str]) -> None:
    assert run("account", *arguments).exit_code == 2


def test_another_password_leaves_the_role(run: Run) -> None:
    with FakeAgent({ListAccounts: BOTH, PutAccount: BOTH}) as agent:
        assert run("account", "password", "anna", "--password-stdin", agent=agent, stdin="x\n").exit_code == 0
    assert agent.asked(PutAccount) == [PutAccount(name="anna", role=ADMINISTRATOR, password="x")]


def test_another_role_leaves_the_password(run: Run) -> None:
    with FakeAgent({ListAccounts: BOTH, PutAccount: BOTH}) as agent:
        assert run("account", "role", "anna", "viewer", agent=agent).exit_code == 0
    assert agent.asked(PutAccount) == [PutAccount(name="anna", role=VIEWER)]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["add", "Anna", "--password-stdin"], "account-exists"),
        (["password", "carl", "--password-stdin"], "unknown-account"),
        (["role", "carl", "viewer"], "unknown-account"),
    ],
)
def test_a_mistake_in_the_name_is_told(run: Run, arguments: list[str], code: str) -> None:
    with FakeAgent({ListAccounts: BOTH}) as agent:
        done = run("account", *arguments, "--json", agent=agent, stdin="x\n")
    assert json.loads(done.stdout)["error"]["code"] == code


def test_tokens_are_made_and_removed(run: Run) -> None:
    made = NewToken(token="the-token", view=PROBE)
    with FakeAgent({MakeToken: made, RemoveToken: BOTH, RemoveAccount: BOTH}) as agent:
        assert run("account", "token", "make", "probe", agent=agent).stdout == "the-token\n"
        assert run("account", "token", "remove", "0a1b2c3d", agent=agent).exit_code == 0
        assert run("account", "remove", "anna", agent=agent).exit_code == 0
    assert agent.asked(MakeToken) == [MakeToken(name="probe", role=VIEWER)]
    assert agent.asked(RemoveToken) == [RemoveToken(id="0a1b2c3d")]


def test_the_audit_log_is_read_in_either_language(run: Run) -> None:
    lines = AuditLines(
        lines=(
            AuditLine(
                at=NOW,
                who="anna",
                address="192.0.2.50",
                what=message("audit.takeover", refused="plan-changed"),
            ),
            AuditLine(
                at=NOW, who="", address="192.0.2.66", what=message("audit.log-in", refused="log-in-wrong")
            ),
            AuditLine(at=NOW, who="root", address="", what=message("audit.account-remove", name="bert")),
        )
    )
    with FakeAgent({ReadAudit: lines}) as agent:
        shown = run("audit", "--contains", "x", "--limit", "3", agent=agent).stdout.splitlines()
        german = run("audit", agent=agent, language="de").stdout
    assert shown[0].startswith(
        "2026-03-01 13:00:00  anna (192.0.2.50)  takeover – refused: what was observed"
    )
    assert "unknown (192.0.2.66)  log-in – refused: name or password is wrong" in shown[1]
    assert shown[2].endswith("root  removed the account bert")
    assert "Konto bert entfernt" in german
    assert agent.asked(ReadAudit)[0] == ReadAudit(contains="x", limit=3)


def test_an_empty_audit_log_is_told(run: Run) -> None:
    with FakeAgent({ReadAudit: AuditLines(lines=())}) as agent:
        assert run("audit", agent=agent).stdout == "Nothing found.\n"
