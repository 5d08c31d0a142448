"""`beistand mail`: the mail server, texts, users and the outbox."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from beistand.domain.mail import Encryption, MailState, MailText, OutboxEntry, User
from beistand.domain.message import message
from beistand.protocol import (
    GetMail,
    ListUsers,
    MailView,
    RetryMails,
    SendTestMail,
    SetMailServer,
    SetMailText,
    Trial,
    TrialStep,
    UserList,
)
from cli.examples import Run
from fakes.agent_server import FakeAgent

REFUSED = message("mail-connection-refused", host="mail.example.org", port=587)
MAIL = OutboxEntry(
    occasion="takeover-4",
    kind="users-takeover",
    recipient="alice@example.org",
    subject="Check your phone",
    body="b",
    since=datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
    next_at=datetime(2026, 3, 1, 12, 5, tzinfo=UTC),
    why=REFUSED,
)
VIEW = MailView(
    host="mail.example.org",
    port=587,
    encryption=Encryption.STARTTLS,
    user="pbx",
    has_password=True,
    sender="pbx@example.org",
    texts=(MailText(kind="users-takeover", subject="Now", body="at {when}"),),
    outbox=(MAIL,),
)


def test_show(run: Run) -> None:
    with FakeAgent({GetMail: VIEW}) as agent:
        text = run("mail", "show", agent=agent).stdout
    assert "mail.example.org:587" in text
    assert "pbx, with a password" in text
    assert "1 waiting, 0 sent, 0 given up" in text


def test_what_is_not_given_stays_and_the_port_follows_the_encryption(run: Run) -> None:
    with FakeAgent({GetMail: VIEW, SetMailServer: VIEW}) as agent:
        assert run("mail", "server", "--encryption", "tls", agent=agent).exit_code == 0
        assert run("mail", "server", "--sender", "x@example.org", agent=agent).exit_code == 0
        first, second = agent.asked(SetMailServer)
    assert isinstance(first, SetMailServer)
    assert isinstance(second, SetMailServer)
    assert (first.host, first.port, first.password) == ("mail.example.org", 465, None)
    assert (second.port, second.sender, second.user) == (587, "x@example.org", "pbx")


def test_a_password_comes_from_standard_input_only(run: Run) -> None:
    with FakeAgent({GetMail: VIEW, SetMailServer: VIEW}) as agent:
        result = run("mail", "server", "--password-stdin", agent=agent, stdin="geheim\n")
        (request,) = agent.asked(SetMailServer)
    assert isinstance(request, SetMailServer)
    assert request.password == "geheim"
    assert "geheim" not in result.output
    assert run("mail", "server", "--password", "geheim").exit_code == 2


def test_a_text_from_a_file_and_back_to_the_usual_one(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("Grüße von {host}\n")
    with FakeAgent({GetMail: VIEW, SetMailText: VIEW}) as agent:
        assert "at {when}" in run("mail", "text", agent=agent).stdout
        assert run("mail", "text", str(file), agent=agent).exit_code == 0
        assert run("mail", "text", "--default", agent=agent).exit_code == 0
        requests = [each.text for each in agent.asked(SetMailText) if isinstance(each, SetMailText)]
    assert requests == [
        MailText(kind="users-takeover", subject="Now", body="Grüße von {host}\n"),
        MailText(kind="users-takeover", subject="", body=""),
    ]


def test_a_test_mail_ends_with_what_went_wrong(run: Run) -> None:
    steps = (
        TrialStep(code="mail-name", works=True),
        TrialStep(code="mail-connection", works=False, why=REFUSED),
    )
    with FakeAgent({SendTestMail: [Trial(steps=steps), Trial(steps=steps), Trial(steps=steps[:1])]}) as agent:
        told = run("mail", "test", "a@example.org", agent=agent)
        as_json = run("mail", "test", "a@example.org", "--json", agent=agent)
        well = run("mail", "test", "a@example.org", agent=agent)
    assert told.exit_code == 1
    assert "the server's name is found: works" in told.stdout
    assert "mail.example.org refuses the connection to port 587" in told.stderr
    assert (as_json.exit_code, json.loads(as_json.stdout)["steps"][1]["works"]) == (1, False)
    assert well.exit_code == 0


def test_users(run: Run) -> None:
    alice = User(name="Alice", extension="101", address="alice@example.org")
    lift = User(name="Lift", extension="9", address="")
    broken = UserList(users=(), problem=message("users-not-read", path="/etc/x", why="gone"))
    with FakeAgent({ListUsers: [UserList(users=(alice, lift)), UserList(users=()), broken]}) as agent:
        shown = run("mail", "users", agent=agent).stdout
        assert "alice@example.org" in shown
        assert "no mail address" in shown
        assert "names nobody" in run("mail", "users", agent=agent).stdout
        assert run("mail", "users", agent=agent).exit_code == 1


def test_the_outbox_says_what_became_of_each_and_all_can_be_tried_again(run: Run) -> None:
    sent = msgspec.structs.replace(MAIL, state=MailState.SENT, next_at=None, why=None, sent_at=MAIL.since)
    view = msgspec.structs.replace(VIEW, outbox=(MAIL, sent))
    with FakeAgent({GetMail: view, RetryMails: view}) as agent:
        shown = run("mail", "outbox", agent=agent).stdout
        assert "waiting, next try 2026-03-01 13:05:00" in shown
        assert "refuses the connection" in shown
        assert "sent 2026-03-01 13:00:00" in shown
        assert "1 mails are tried now" in run("mail", "retry", agent=agent).stdout
