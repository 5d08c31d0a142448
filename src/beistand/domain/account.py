"""Accounts of the pages, and tokens of programs: pair settings, so that the standby knows them on the day."""

import re
from collections.abc import Sequence
from enum import StrEnum

from beistand.domain.bounds import Moment, Word
from beistand.domain.errors import Refused
from beistand.domain.message import Message, message
from beistand.domain.value import Value

NAME_FORM = re.compile(r"[a-z][a-z0-9._@-]{1,31}")
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1000
MOST_ACCOUNTS = 100
MOST_TOKENS = 100
"""Together they fill a tenth of the one frame that takes the pair settings to the peer."""
FEWEST_SIGNS = 4
"""Different ones in a password."""
COMMON_PASSWORDS = frozenset(
    {
        "0123456789",
        "1234567890",
        "12345678910",
        "123456789a",
        "1q2w3e4r5t",
        "1qaz2wsx3edc",
        "adminadmin",
        "admin12345",
        "administrator",
        "asdfghjkl1",
        "beistand123",
        "changeme123",
        "iloveyou123",
        "letmein1234",
        "password12",
        "password123",
        "password1234",
        "passw0rd123",
        "passwort12",
        "passwort123",
        "passwort1234",
        "qwertyuiop",
        "qwertzuiop",
        "qwertz1234",
        "qwerty1234",
        "redundanz123",
        "sommer2026",
        "standby123",
        "telefonanlage",
        "telefon1234",
        "test123456",
        "willkommen",
        "willkommen1",
        "willkommen123",
        "winter2026",
    }
)
"""Those that are long enough and tried first, whatever their case."""


class AccountRole(StrEnum):
    ADMINISTRATOR = "administrator"
    VIEWER = "viewer"


class Account(Value, frozen=True, kw_only=True):
    name: Word
    role: AccountRole
    verifier: Word
    """Argon2id, in the form of the reference implementation: `$argon2id$v=19$…`. Never shown."""
    since: Moment

    @property
    def is_administrator(self) -> bool:
        return self.role is AccountRole.ADMINISTRATOR

    def __repr__(self) -> str:  # a verifier never reaches a log
        return f"Account(name={self.name!r}, role={self.role.value})"


class ApiToken(Value, frozen=True, kw_only=True):
    """A program's way in; the token itself is shown once and not kept."""

    id: Word
    name: Word
    role: AccountRole
    digest: Word
    """SHA-256 of the token, hexadecimal: a token has 256 random bits, so no slow hash is needed."""
    since: Moment
    by: Word
    """Name of the administrator who made it."""

    def __repr__(self) -> str:
        return f"ApiToken(id={self.id!r}, name={self.name!r}, role={self.role.value})"


def plain_name(typed: str) -> str:
    """Return the name that somebody means who typed this: no case, no blanks around."""
    return typed.strip().lower()


def name_problem(name: str) -> Message | None:
    """Names travel in logs, addresses and files: small letters, digits and `.`, `_`, `@`, `-`; 2 to 32 signs."""
    return None if NAME_FORM.fullmatch(name) else message("account-name-form")


def password_problem(name: str, password: str) -> Message | None:
    """Length, not rules of composition: those make people write it down (NIST SP 800-63B section 5.1.1.2)."""
    plain = password.casefold()
    if len(password) < SHORTEST_PASSWORD:
        return message("password-short", least=SHORTEST_PASSWORD)
    if len(password) > LONGEST_PASSWORD:
        return message("password-long", most=LONGEST_PASSWORD)
    if len(plain.replace(name.casefold(), "")) < SHORTEST_PASSWORD // 2:
        return message("password-is-name")
    if plain in COMMON_PASSWORDS or len(set(plain)) < FEWEST_SIGNS:
        return message("password-common")
    return None


def account_of(accounts: Sequence[Account], name: str) -> Account | None:
    return next((each for each in accounts if each.name == name), None)


def has_administrator(accounts: Sequence[Account]) -> bool:
    return any(each.is_administrator for each in accounts)


def with_account(accounts: Sequence[Account], account: Account) -> tuple[Account, ...]:
    """Return the accounts with this one put in, or in place of the one of its name, by name.

    Raises Refused `last-administrator`, `too-many-accounts`.
    """
    others = [each for each in accounts if each.name != account.name]
    if len(others) >= MOST_ACCOUNTS:
        raise Refused("too-many-accounts", most=MOST_ACCOUNTS)
    return _administrated(accounts, [*others, account])


def without_account(accounts: Sequence[Account], name: str) -> tuple[Account, ...]:
    """Return the accounts without this one. Raises Refused `unknown-account`, `last-administrator`."""
    if account_of(accounts, name) is None:
        raise Refused("unknown-account", name=name)
    return _administrated(accounts, [each for each in accounts if each.name != name])


def _administrated(old: Sequence[Account], new: Sequence[Account]) -> tuple[Account, ...]:
    if has_administrator(old) and not has_administrator(new):
        raise Refused("last-administrator")
    return tuple(sorted(new, key=lambda each: each.name))
