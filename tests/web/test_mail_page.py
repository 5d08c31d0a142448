"""Mail server, test mail, the mail to all users, users and outbox (S21, S22, F13)."""

from typing import Any

import msgspec
import pytest

from beistand.domain.account import AccountRole
from beistand.domain.mail import Encryption, MailState, MailText, OutboxEntry, User
from beistand.domain.message import message
from beistand.protocol import (
    GetMail,
    GetStatus,
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
from beistand.web.forms.mail import MailServerForm
from web import scenes
from web.conftest import BEGIN, Start

PAGE = "/mail/"
ENTRY = OutboxEntry(
    occasion="takeover-3",
    kind="users-takeover",
    recipient="otto@example.org",
    subject="Please restart your phone",
    body="",
    since=BEGIN,
    tries=2,
    next_at=BEGIN,
    why=message("agent-stopping"),
)
VIEW = MailView(
    host="mail.example.org",
    port=587,
    encryption=Encryption.STARTTLS,
    user="pbx",
    has_password=True,
    sender="pbx@example.org",
    texts=(MailText(kind="users-takeover", subject="{host} took over", body="At {when}, at {address}."),),
    outbox=(ENTRY, msgspec.structs.replace(ENTRY, state=MailState.SENT, sent_at=BEGIN, why=None)),
)
USERS = UserList(
    users=(
        User(name="Anna Adler", extension="101", address="anna@example.org"),
        User(name="Bert", extension="102", address=""),
    )
)
FORM = {
    "act": "server",
    "host": "mail.example.org",
    "port": "587",
    "encryption": "starttls",
    "user": "pbx",
    "password": "",
    "sender": "pbx@example.org",
}


def replies(**more: Any) -> dict[Any, Any]:
    return {
        GetStatus: scenes.ACTIVE,
        GetMail: VIEW,
        ListUsers: USERS,
        SetMailServer: VIEW,
        SetMailText: VIEW,
        RetryMails: VIEW,
        **more,
    }


@pytest.mark.parametrize(
    ("changes", "port", "password"),
    [
        ({}, 587, None),
        ({"port": ""}, 587, None),
        ({"port": "", "encryption": "tls"}, 465, None),
        ({"port": "", "encryption": "none"}, 25, None),
        ({"port": "2525"}, 2525, None),
        ({"password": " geheim "}, 587, " geheim "),
        ({"forget_password": "on"}, 587, ""),
        ({"host": "", "sender": ""}, 587, None),
    ],
)
def test_the_form_says_what_to_set(changes: dict[str, str], port: int, password: str | None) -> None:
    form = MailServerForm({**FORM, **changes}, view=VIEW)
    assert form.is_valid(), form.errors
    assert (form.cleaned_data["port"], form.new_password) == (port, password)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"port": "0"}, "port"),
        ({"port": "65536"}, "port"),
        ({"port": "smtp"}, "port"),
        ({"encryption": "ssl"}, "encryption"),
        ({"sender": ""}, "sender"),
        ({"sender": "jörg@example.org"}, "sender"),
        ({"sender": "pbx"}, "sender"),
        ({"password": "x", "forget_password": "on"}, "password"),
    ],
)
def test_the_form_says_what_is_wrong(changes: dict[str, str], field: str) -> None:
    form = MailServerForm({**FORM, **changes}, view=VIEW)
    assert not form.is_valid()
    assert set(form.errors) == {field}


@pytest.mark.parametrize(
    "address", ["jörg@example.org", 'a"b@example.org', f"{'a' * 300}@example.org", "a@b, c@d"]
)
def test_no_test_mail_goes_where_no_alarm_would_arrive(start: Start, address: str) -> None:
    browser, agent = start(replies())
    page = browser.post(PAGE, {"act": "test", "address": address}).content.decode()
    assert 'id="id_address_error"' in page
    assert "is not one mail address that every server takes" in page
    assert agent.asked(SendTestMail) == []


def test_the_password_never_comes_back(start: Start) -> None:
    browser, agent = start(replies())
    agent._replies[SetMailServer] = [message("mail-host-form", host="x")]
    page = browser.post(PAGE, {**FORM, "password": "streng-geheim"}).content.decode()
    assert "streng-geheim" not in page
    assert agent.asked(SetMailServer)[-1].password == "streng-geheim"
    assert "One is set. Leave this empty to keep it." in page


@pytest.mark.parametrize(
    ("code", "field"),
    [
        ("mail-host-form", "host"),
        ("mail-port-form", "port"),
        ("mail-user-form", "user"),
        ("mail-password-again", "password"),
        ("mail-sender-form", "sender"),
    ],
)
def test_what_the_agent_refuses_stands_beside_its_field(start: Start, code: str, field: str) -> None:
    told = message(code, host="mail.example.org", port=1, address="x")
    browser, _ = start({**replies(), SetMailServer: told})
    assert f'id="id_{field}_error"' in browser.post(PAGE, FORM).content.decode()


def test_an_empty_password_keeps_the_one_that_is_set(start: Start) -> None:
    browser, agent = start(replies())
    answer = browser.post(PAGE, FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert agent.asked(SetMailServer)[-1].password is None


def test_on_the_standby_it_is_read_only_and_says_why(start: Start) -> None:
    browser, _ = start({**replies(), GetStatus: scenes.STANDBY})
    page = browser.get(PAGE).content.decode()
    assert "changed on the active appliance" in page
    assert 'value="text-back"' not in page
    assert "disabled" in page


def test_before_pairing_the_standby_may_be_edited(start: Start) -> None:
    alone = msgspec.structs.replace(scenes.STANDBY, pair="", peer=None)
    browser, _ = start({**replies(), GetStatus: alone})
    assert 'value="text-back"' in browser.get(PAGE).content.decode()


def test_a_viewer_reads_only_and_sees_no_addresses(start: Start) -> None:
    browser, agent = start(replies(), role=AccountRole.VIEWER)
    page = browser.get(PAGE).content.decode()
    assert "anna@example.org" not in page
    assert agent.asked(ListUsers) == []
    assert browser.post(PAGE, FORM).status_code == 403


def test_the_test_mail_says_step_by_step_what_works(start: Start) -> None:
    trial = Trial(
        steps=(
            TrialStep(code="mail-connect", works=True, seconds=0.1),
            TrialStep(code="mail-login", works=False, why=message("agent-stopping")),
        )
    )
    browser, agent = start({**replies(), SendTestMail: trial})
    page = browser.post(PAGE, {"act": "test", "address": "me@example.org"}).content.decode()
    assert agent.asked(SendTestMail)[-1].address == "me@example.org"
    assert "The mail was not sent." in page
    assert "The agent is being stopped" in page


def test_a_preview_has_its_fields_filled_and_saves_nothing(start: Start) -> None:
    browser, agent = start(replies())
    form = {"act": "preview", "subject": "{host} <b>", "body": "at {address}\r\nend"}
    page = browser.post(PAGE, form).content.decode()
    assert '<p class="letter-subject">pbx-b &lt;b&gt;</p>' in page
    assert "at 192.0.2.10\nend" in page
    assert agent.asked(SetMailText) == []


@pytest.mark.parametrize(
    ("subject", "body", "told"), [("a", "b {name}", "id_body_error"), ("", "b", "id_subject_error")]
)
def test_a_text_with_an_unknown_field_is_refused(start: Start, subject: str, body: str, told: str) -> None:
    browser, agent = start(replies())
    page = browser.post(PAGE, {"act": "text", "subject": subject, "body": body}).content.decode()
    assert f'id="{told}"' in page
    assert agent.asked(SetMailText) == []


def test_a_text_is_saved_and_brought_back(start: Start) -> None:
    browser, agent = start(replies())
    browser.post(PAGE, {"act": "text", "subject": "s", "body": "one\r\ntwo"})
    assert agent.asked(SetMailText)[-1].text == MailText(kind="users-takeover", subject="s", body="one\ntwo")
    browser.post(PAGE, {"act": "text-back"})
    assert agent.asked(SetMailText)[-1].text == MailText(kind="users-takeover", subject="", body="")


def test_who_gets_no_mail_is_told(start: Start) -> None:
    browser, _ = start(replies())
    page = browser.get(PAGE).content.decode()
    assert "1 of them have no address" in page
    assert "Anna Adler" in page


def test_a_directory_that_cannot_be_read_is_told(start: Start) -> None:
    browser, _ = start({**replies(), ListUsers: UserList(users=(), problem=message("agent-stopping"))})
    assert "The agent is being stopped" in browser.get(PAGE).content.decode()


def test_the_outbox_says_why_and_is_tried_again(start: Start) -> None:
    browser, agent = start(replies())
    page = browser.get(PAGE).content.decode()
    assert "waiting" in page
    assert "sent" in page
    assert "The agent is being stopped" in page
    browser.post(PAGE, {"act": "retry"})
    assert agent.asked(RetryMails)
