"""The audit log: who did what, or was refused it, without any secret."""

from typing import cast

import pytest

from beistand.agent.access import ACCESS, Access
from beistand.agent.audit import _is_told
from beistand.agent.repeated import MOST_OF_ONE
from beistand.domain.account import AccountRole
from beistand.domain.errors import NoSpace
from beistand.domain.mail import Encryption
from beistand.domain.message import message
from beistand.domain.value import Value
from beistand.protocol import (
    AuditLine,
    AuditLines,
    Authenticate,
    CancelJob,
    ChangePassword,
    GetStatus,
    ListAccounts,
    LogIn,
    LogOut,
    MakeSetupCode,
    MakeToken,
    PutAccount,
    ReadAudit,
    ReadBackup,
    RemoveAccount,
    RetryService,
    SendUpload,
    SetMailServer,
    UseSetupCode,
    WatchJob,
)
from beistand.text import LANGUAGES
from beistand.text.audit import audited
from beistand.text.catalogue import entries
from fakes.agents import ROOT, OneOfTwo, TwoAgents
from fakes.pages import ADDRESS, WORDS, Page, settle_in, viewer
from fakes.requests import EXAMPLES

VIEWER = AccountRole.VIEWER


def lines(one: OneOfTwo, contains: str = "", limit: int = 200) -> tuple[AuditLine, ...]:
    return cast("AuditLines", one.ask(ReadAudit(contains=contains, limit=limit))).lines


def told(one: OneOfTwo) -> list[tuple[str, str, str]]:
    return [(each.who, each.address, str(each.what)) for each in lines(one)]


def test_who_did_what_stands_there_newest_first(two: TwoAgents) -> None:
    settle_in(two.a)
    viewer(two.a)
    page = Page(two.a).act_for(Page(two.a).log_in(), password=WORDS)
    page.ask(RemoveAccount(name="bert"))
    page.ask(LogOut())
    assert told(two.a) == [
        ("anna", ADDRESS, "audit.log-out"),
        ("anna", ADDRESS, "audit.account-remove name=bert"),
        ("anna", ADDRESS, "audit.log-in"),
        ("root", "", "audit.account-put name=bert role=viewer"),
        ("anna", ADDRESS, "audit.use-setup-code"),
        ("root", "", "audit.setup-code"),
    ]


def test_what_was_refused_says_why(two: TwoAgents) -> None:
    settle_in(two.a)
    page = Page(two.a).act_for(Page(two.a).log_in())
    page.code(RetryService())
    page.code(CancelJob(id="7"))
    assert told(two.a)[:2] == [
        ("anna", ADDRESS, "audit.cancel-job job=7 id=7 refused=job-not-running"),
        ("anna", ADDRESS, "audit.retry refused=needs-password"),
    ]
    assert audited(lines(two.a)[1].what, "en") == (
        "had the service started anew – refused: this needs the password of an administrator once more"
    )


@pytest.mark.parametrize("request_", EXAMPLES, ids=lambda each: type(each).__name__)
def test_everything_that_is_told_has_a_sentence(two: TwoAgents, request_: Value) -> None:
    two.a.agent.audit.done(request_, ROOT)
    two.a.agent.audit.refused(request_, ROOT, message("needs-console"))
    assert len(lines(two.a)) == (2 if _is_told(request_) else 0)
    for each in lines(two.a):
        for language in LANGUAGES:
            assert entries(language)[each.what.code]
            assert "audit." not in audited(each.what, language)
            assert "=" not in audited(each.what, language)


@pytest.mark.parametrize("request_", [GetStatus(), ListAccounts(), ReadAudit(), WatchJob(id="1", seconds=0)])
def test_who_only_looks_is_not_told(two: TwoAgents, request_: Value) -> None:
    assert not _is_told(request_)


def test_a_stream_is_told_once() -> None:
    assert _is_told(ReadBackup(id="1", offset=0))
    assert not _is_told(ReadBackup(id="1", offset=1))
    assert not _is_told(SendUpload(id="1", offset=0, data=b""))
    assert all(type(each) in ACCESS for each in EXAMPLES)


def test_no_secret_is_told(two: TwoAgents, capsys: pytest.CaptureFixture[str]) -> None:
    session = settle_in(two.a)
    page = Page(two.a).act_for(session, password=WORDS)
    secrets = ["a-secret-word", WORDS, session.token]
    for request in (
        PutAccount(name="carl", role=VIEWER, password="a-secret-word"),
        SetMailServer(host="mail", port=25, encryption=Encryption.NONE, password="a-secret-word"),
        ChangePassword(old=WORDS, new="a-secret-word"),
        LogIn(name="a-secret-word", password="a-secret-word"),
        UseSetupCode(code="a-secret-word", name="carl", password="a-secret-word"),
        Authenticate(token="a-secret-word", password="a-secret-word"),
    ):
        page.code(request)
    everything = str(two.a.store.events(1000)) + capsys.readouterr().err
    assert [each for each in secrets if each in everything] == []


def test_guessing_pushes_nothing_out_of_the_log(two: TwoAgents) -> None:
    settle_in(two.a)
    for number in range(200):
        address = f"192.0.2.{number}"
        Page(two.a).code(LogIn(name="anna", password="guess", address=address))
        Page(two.a).code(LogIn(name=f"name{number}", password="guess", address=address))
        Page(two.a).code(RetryService())
        two.clock.advance(1)
    assert len(lines(two.a)) < 12
    assert lines(two.a, "setup-code")


def test_whose_session_it_is_that_guesses_at_the_password_is_told(two: TwoAgents) -> None:
    """The one who has to know is who lost it."""
    session = settle_in(two.a)
    before = len(told(two.a))
    assert (
        Page(two.a).code(Authenticate(token=session.token, password="guess", address=ADDRESS))
        == "log-in-wrong"
    )
    new = told(two.a)[: len(told(two.a)) - before]
    assert new == [("anna", ADDRESS, "audit.authenticate refused=log-in-wrong")]


def test_a_name_that_nobody_has_is_not_told(two: TwoAgents) -> None:
    """People type passwords into the wrong field."""
    Page(two.a).code(LogIn(name="my-real-password", password="x", address=ADDRESS))
    assert told(two.a) == [("", ADDRESS, "audit.log-in refused=log-in-wrong")]


@pytest.mark.parametrize(
    ("contains", "found"),
    [("bert", 1), ("BERT", 1), ("Konto", 1), ("192.0.2.50", 1), ("nothing", 0), ("", 3)],
)
def test_lines_are_found_by_what_people_read(two: TwoAgents, contains: str, found: int) -> None:
    settle_in(two.a)
    viewer(two.a)
    assert len(lines(two.a, contains)) == found


@pytest.mark.parametrize(("limit", "found"), [(2, 2), (0, 1), (-5, 1), (10**9, 3)])
def test_no_more_lines_than_asked_for(two: TwoAgents, limit: int, found: int) -> None:
    settle_in(two.a)
    viewer(two.a)
    assert len(lines(two.a, limit=limit)) == found


def test_a_full_disk_stops_no_act_but_is_told(two: TwoAgents) -> None:
    settle_in(two.a)
    tell = two.a.store.tell

    def full(*_: object) -> None:
        raise NoSpace("state-disk-full", path="/var/lib/beistand", why="full")

    two.a.store.tell = full
    two.turns(2)
    viewer(two.a)
    assert "state-disk-full" in [each.code for each in two.a.ask(GetStatus()).findings]
    two.a.store.tell = tell
    two.a.ask(MakeSetupCode())
    assert "state-disk-full" not in [each.code for each in two.a.ask(GetStatus()).findings]


def test_a_refusal_from_another_version_is_told_as_it_is() -> None:
    assert audited(message("audit.new-verb", refused="new-reason"), "en").startswith("audit.new-verb")


# --- the same again and again (D12) ---------------------------------------------------------------


@pytest.fixture
def token(two: TwoAgents) -> Page:
    """A program with a viewer's token."""
    settle_in(two.a)
    made = two.a.ask(MakeToken(name="wall", role=VIEWER))
    page = Page(two.a)
    page.ask(Authenticate(token=made.token, address=ADDRESS))
    return page


def test_refused_acts_of_a_token_push_nothing_out(two: TwoAgents, token: Page) -> None:
    before = len(lines(two.a))
    for _ in range(5100):
        token.code(RetryService())
    (line,) = lines(two.a)[: len(lines(two.a)) - before]
    assert audited(line.what, "en").startswith("had the service started anew – refused 5,100 times until ")
    assert "5.100-mal abgelehnt" in audited(line.what, "de")
    assert line.who == "token:wall"
    assert lines(two.a, "setup-code")
    assert lines(two.a, "token-make")


def test_whoever_tries_everything_gets_a_few_lines(two: TwoAgents, token: Page) -> None:
    before = len(lines(two.a))
    for number in range(3):
        for each in EXAMPLES:
            if ACCESS[type(each)] is not Access.OPEN and not isinstance(each, LogOut):
                token.code(each)
        two.clock.advance(60 * number)
    found = lines(two.a)[: len(lines(two.a)) - before]
    assert len(found) == MOST_OF_ONE + 1
    (many,) = [each for each in found if each.what.code == "audit.many"]
    assert int(str(many.what.fields["times"])) > 30


def test_an_hour_later_it_is_told_anew(two: TwoAgents, token: Page) -> None:
    before = len(lines(two.a))
    for _ in range(4):
        for _ in range(7):
            token.code(RetryService())
        two.clock.advance(1801)
    found = lines(two.a)[: len(lines(two.a)) - before]
    assert [each.what.fields["times"] for each in found] == [14, 14]


def test_the_counts_of_a_window_that_is_over_are_kept(two: TwoAgents, token: Page) -> None:
    """Nobody looked meanwhile: the next refusal, whosever it is, writes what was counted."""
    for _ in range(7):
        token.code(RetryService())
    two.clock.advance(3601)
    Page(two.a).code(LogIn(name="anna", password="guess"))
    kept = [each.message for each in two.a.store.events(10) if each.message.code == "audit.retry"]
    assert [each.fields["times"] for each in kept] == [7]


def test_the_same_act_over_and_over_is_counted_too(two: TwoAgents) -> None:
    """A viewer who logs in and out without end: the log has room for what others do."""
    settle_in(two.a)
    viewer(two.a)
    for _ in range(100):
        two.a.agent.audit.done(LogIn(name="bert", password=""), ROOT)
    found = [each for each in lines(two.a) if each.who == "bert"]
    assert len(found) == 20
    assert found[0].what.fields["times"] == 81
    assert "81 times until" in audited(found[0].what, "en")
    assert "times" not in found[1].what.fields
