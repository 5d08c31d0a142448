"""Who may have which name and password, and that somebody always stays who may let others in."""

from datetime import UTC, datetime

import pytest

from beistand.domain.account import (
    MOST_ACCOUNTS,
    Account,
    AccountRole,
    ApiToken,
    account_of,
    has_administrator,
    name_problem,
    password_problem,
    plain_name,
    with_account,
    without_account,
)
from beistand.domain.errors import Refused
from beistand.domain.mail import MailServer
from beistand.domain.settings import PairSettings
from beistand.protocol import PushSettings

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ADMINISTRATOR, VIEWER = AccountRole.ADMINISTRATOR, AccountRole.VIEWER


def account(name: str, role: AccountRole = ADMINISTRATOR) -> Account:
    return Account(name=name, role=role, verifier="$argon2id$secret", since=NOW)


@pytest.mark.parametrize("name", ["anna", "j.mueller", "pbx-1", "a@example.org", "ab", "a" * 32])
def test_names(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "name", ["", "a", "Anna", "1anna", "jörg", "a b", "a\nb", "anna\n", "<b>", "../x", "a" * 33, "-ab"]
)
def test_what_is_no_name(name: str) -> None:
    problem = name_problem(name)
    assert problem is not None
    assert problem.code == "account-name-form"


def test_a_name_is_meant_whatever_its_case() -> None:
    assert plain_name(" Anna ") == "anna"


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("korrekt pferd batterie", ""),
        ("Tür zur Brücke", ""),
        ("a1b2c3d4e5", ""),
        ("", "password-short"),
        ("a1b2c3d4e", "password-short"),
        ("x" * 1001, "password-long"),
        ("Passwort123", "password-common"),
        ("aaaaaaaaaaaa", "password-common"),
        ("1111122222", "password-common"),
        ("administratorin", "password-is-name"),
        ("Administratorin!1", "password-is-name"),
    ],
)
def test_passwords(password: str, expected: str) -> None:
    problem = password_problem("administratorin", password)
    assert (problem.code if problem else "") == expected


def test_accounts_stand_by_name_and_once() -> None:
    accounts = with_account(with_account((account("bert"),), account("anna")), account("bert", ADMINISTRATOR))
    assert [each.name for each in accounts] == ["anna", "bert"]
    assert account_of(accounts, "anna") == account("anna")
    assert account_of(accounts, "carl") is None


def test_the_last_administrator_stays() -> None:
    accounts = (account("anna"), account("bert", VIEWER))
    with pytest.raises(Refused, match="last-administrator"):
        without_account(accounts, "anna")
    with pytest.raises(Refused, match="last-administrator"):
        with_account(accounts, account("anna", VIEWER))
    assert has_administrator(without_account((*accounts, account("carl")), "anna"))


def test_a_first_viewer_needs_no_administrator() -> None:
    """There may be none yet: the console is always one."""
    assert with_account((), account("bert", VIEWER))


def test_an_account_that_is_not_there_is_not_removed() -> None:
    with pytest.raises(Refused, match="unknown-account"):
        without_account((account("anna"),), "bert")


def test_they_are_never_more_than_a_frame_takes() -> None:
    many = tuple(account(f"a{number}") for number in range(MOST_ACCOUNTS))
    with pytest.raises(Refused, match="too-many-accounts"):
        with_account(many, account("one-more"))
    assert len(with_account(many, account("a7", VIEWER))) == MOST_ACCOUNTS


def test_no_secret_is_in_what_a_log_or_a_traceback_shows() -> None:
    """F18: the peer never tells them either."""
    token = ApiToken(id="1", name="probe", role=VIEWER, digest="secret", since=NOW, by="anna")
    settings = PairSettings(
        accounts=(account("anna"),), tokens=(token,), mail_server=MailServer(password="secret")
    )
    assert "secret" not in repr(PushSettings(settings=settings))
