"""S22: the mail server, texts and users as the agent answers for them."""

import pytest

from beistand.agent import mails
from beistand.agent.caller import Caller
from beistand.domain.account import AccountRole
from beistand.domain.errors import BeistandError, NoSpace, Refused
from beistand.domain.mail import Encryption, MailServer, MailState, MailText
from beistand.domain.settings import PairSettings
from beistand.domain.value import Value
from beistand.protocol import (
    GetMail,
    ListUsers,
    MailView,
    PauseCycles,
    RemoveConfig,
    RetryMails,
    SendTestMail,
    SetConfig,
    SetMailServer,
    SetMailText,
    Trial,
)
from fakes.agents import OneOfTwo, TwoAgents
from fakes.mail import DOWN

ADMINISTRATOR = AccountRole.ADMINISTRATOR
SOMEBODY = Caller(uid=990, user="beistand-web", account="anna")
"""An administrator at the pages; what he may do was decided before."""
SERVER = MailServer(host="mail.example.org", user="pbx", password="geheim", sender="pbx@example.org")


def wanted(**changes: object) -> SetMailServer:
    values = {"host": "mail.example.org", "port": 587, "encryption": Encryption.STARTTLS, "user": "pbx"}
    return SetMailServer(**{**values, "sender": "pbx@example.org", **changes})


@pytest.fixture
def one(two: TwoAgents) -> OneOfTwo:
    two.turns(2)
    two.a.store.set_settings(PairSettings(mail_server=SERVER))
    return two.a


def refusal(one: OneOfTwo, request: Value) -> str:
    with pytest.raises(BeistandError) as raised:
        mails.acts(one.agent)[type(request)](request, SOMEBODY)
    return raised.value.message.code


def test_the_password_never_comes_back(one: OneOfTwo) -> None:
    view = one.ask(wanted(password="streng geheim"))
    assert isinstance(view, MailView)
    assert view.has_password
    assert "geheim" not in str(view)
    assert one.store.settings().mail_server.password == "streng geheim"


def test_a_password_that_is_not_given_stays(one: OneOfTwo) -> None:
    one.ask(wanted(port=465, encryption=Encryption.TLS))
    assert one.store.settings().mail_server == MailServer(
        host=SERVER.host,
        port=465,
        encryption=Encryption.TLS,
        user="pbx",
        password="geheim",
        sender=SERVER.sender,
    )
    one.ask(wanted(user=""))
    assert one.store.settings().mail_server.password == ""


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"host": "evil.example.org"}, "mail-password-again"),
        ({"encryption": Encryption.NONE}, "mail-password-again"),
        ({"host": "https://mail.example.org"}, "mail-host-form"),
        ({"host": "mail example"}, "mail-host-form"),
        ({"sender": "pbx"}, "mail-sender-form"),
        ({"sender": "pbx@example.org\r\nX: y"}, "mail-sender-form"),
        ({"port": 0}, "mail-port-form"),
        ({"port": 70000}, "mail-port-form"),
        ({"user": "a\nb"}, "mail-user-form"),
    ],
)
def test_what_is_refused(one: OneOfTwo, changes: dict[str, object], code: str) -> None:
    """Also F18: whoever may change the server cannot have the password that he does not know sent to himself."""
    assert refusal(one, wanted(**changes)) == code
    assert one.store.settings().mail_server == SERVER


def test_an_empty_host_takes_the_mail_server_away(one: OneOfTwo) -> None:
    one.ask(wanted(host=""))
    assert one.store.settings().mail_server == MailServer()
    assert refusal(one, SendTestMail(address="a@example.org")) == "mail-server-unknown"
    assert refusal(one, RetryMails()) == "mail-server-unknown"


def test_the_standby_is_not_where_it_is_set(two: TwoAgents, one: OneOfTwo) -> None:
    assert refusal(two.b, wanted()) == "settings-on-the-active"


def test_a_text_is_checked_when_it_is_saved_and_the_usual_one_comes_back(one: OneOfTwo) -> None:
    usual = one.ask(GetMail()).texts
    own = MailText(kind="users-takeover", subject="s {host}", body="b {when}")
    assert one.ask(SetMailText(text=own)).texts == (own,)
    broken = MailText(kind="users-takeover", subject="s", body="{password}")
    assert refusal(one, SetMailText(text=broken)) == "mail-text-field"
    assert one.ask(GetMail()).texts == (own,)
    empty = MailText(kind="users-takeover", subject="", body="")
    assert one.ask(SetMailText(text=empty)).texts == usual
    assert "{host}" in usual[0].body


def test_a_test_mail_says_what_works(one: OneOfTwo) -> None:
    trial = one.ask(SendTestMail(address="a@example.org"))
    assert isinstance(trial, Trial)
    assert trial.works
    assert [each.recipient for each in one.wiring.mailer.taken] == ["a@example.org"]
    one.wiring.mailer.trouble = DOWN
    assert not one.ask(SendTestMail(address="a@example.org")).works
    assert refusal(one, SendTestMail(address="a")) == "mail-address-form"


def test_users_without_a_directory_are_nobody(one: OneOfTwo) -> None:
    answer = one.ask(ListUsers())
    assert (answer.users, answer.problem) == ((), None)


# --- the address for alarms (D13) -----------------------------------------------------------------

SURE = Caller(
    uid=990, user="beistand-web", account="anna", role=ADMINISTRATOR, credential="1", sure_as="anna"
)
TOKEN = Caller(uid=990, user="beistand-web", account="token:x", role=ADMINISTRATOR, credential="1")


@pytest.fixture
def told(one: OneOfTwo, monkeypatch: pytest.MonkeyPatch) -> OneOfTwo:
    """An active that mails alarms, and that takes every caller for who it is."""
    monkeypatch.setattr(one.agent.accounts, "fresh", lambda caller: caller)
    one.ask(SetConfig(config=one.config(send_mail=True, mail_address="old@example.org")))
    return one


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"mail_address": "new@example.org"}, "address-changed", "new@example.org"),
        ({"send_mail": False}, "mails-off", "nobody"),
    ],
)
def test_who_gets_no_more_alarms_is_told_once_and_by_whom(
    told: OneOfTwo, changes: dict[str, object], kind: str, words: str
) -> None:
    told.ask(SetConfig(config=told.config(**changes)), SURE)
    told.ask(SetConfig(config=told.config(**changes)), SURE)
    told.agent.postman.turn()
    (mail,) = [each for each in told.store.outbox() if each.kind == kind]
    assert (mail.recipient, mail.state) == ("old@example.org", MailState.SENT)
    assert words in mail.body
    assert "anna" in mail.body


def test_who_gets_no_more_alarms_is_told_when_the_configuration_is_deleted(told: OneOfTwo) -> None:
    told.ask(RemoveConfig(), SURE)
    assert [each.recipient for each in told.store.outbox() if each.kind == "mails-off"] == ["old@example.org"]


@pytest.mark.parametrize(
    "changes",
    [{"mail_address": "new@example.org"}, {"send_mail": False}, {"active": False}, {"keep_generations": 1}],
)
def test_a_token_alone_turns_nothing_off(told: OneOfTwo, changes: dict[str, object]) -> None:
    before = told.store.config()
    with pytest.raises(Refused, match="change-needs-password"):
        told.ask(SetConfig(config=told.config(**changes)), TOKEN)
    for request in (RemoveConfig(), PauseCycles(), wanted()):
        with pytest.raises(Refused, match="needs-password"):
            told.ask(request, TOKEN)
    assert told.store.config() == before
    assert [each for each in told.store.outbox() if each.kind in ("mails-off", "address-changed")] == []
    told.ask(SetConfig(config=told.config(name="x")), TOKEN)
    assert told.store.config().name == "x"


def test_a_full_disk_keeps_the_mail_back_and_not_the_change(
    told: OneOfTwo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise NoSpace("state-disk-full", path="/")

    monkeypatch.setattr(told.store, "enqueue", full)
    told.ask(SetConfig(config=told.config(mail_address="new@example.org")), SURE)
    assert told.store.config().mail_address == "new@example.org"
