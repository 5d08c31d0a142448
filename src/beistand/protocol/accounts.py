"""Who asks: accounts, sessions and tokens of the pages and the JSON API.

A connection of the web process acts for nobody until `Authenticate`. With the token of a session or a program it
may do what that account may; for a dangerous verb (`Access.DANGEROUS` in agent/access.py) `Authenticate` carries
an administrator's password too, and the agent checks it: a web process that was broken into cannot click.
"""

from datetime import datetime

from beistand.domain.account import AccountRole
from beistand.domain.value import Value


class LogIn(Value, frozen=True, kw_only=True, tag="log-in", tag_field="verb"):
    """Check name and password; at most ten tries a minute (F17)."""

    name: str
    password: str
    address: str = ""
    """Of the browser, for throttling and the audit log."""

    def __repr__(self) -> str:
        return f"LogIn(name={self.name!r})"


class LogOut(Value, frozen=True, kw_only=True, tag="log-out", tag_field="verb"):
    """End the session that this connection authenticated with."""


class Authenticate(Value, frozen=True, kw_only=True, tag="authenticate", tag_field="verb"):
    """Act for this account on this connection from now on."""

    token: str
    """Of a session (`LogIn`) or of a program (`MakeToken`)."""
    address: str = ""
    name: str = ""
    """Whose password it is; empty: the session's account. A program's token has none of its own."""
    password: str = ""
    """Given: checked, and this connection may do dangerous things too."""
    is_recent: bool = False
    """Without a password: the one that came with this session within two minutes counts, for a takeover only."""
    is_watching: bool = False
    """A page looks again by itself: where nobody does anything, the session ends all the same."""

    def __repr__(self) -> str:
        return f"Authenticate(name={self.name!r})"


class MakeSetupCode(Value, frozen=True, kw_only=True, tag="setup-code", tag_field="verb"):
    """Make the one-time code for the first administrator, or for one who is locked out. Root only."""


class UseSetupCode(Value, frozen=True, kw_only=True, tag="use-setup-code", tag_field="verb"):
    """Become an administrator by the code from the console; the code is used up. Answers a Session."""

    code: str
    name: str
    password: str
    address: str = ""

    def __repr__(self) -> str:
        return f"UseSetupCode(name={self.name!r})"


class ListAccounts(Value, frozen=True, kw_only=True, tag="accounts", tag_field="verb"):
    pass


class PutAccount(Value, frozen=True, kw_only=True, tag="account-put", tag_field="verb"):
    """Make an account, or change its role or password. Answers AccountList."""

    name: str
    role: AccountRole
    password: str = ""
    """Empty: as it is; a new account needs one."""

    def __repr__(self) -> str:
        return f"PutAccount(name={self.name!r}, role={self.role.value})"


class RemoveAccount(Value, frozen=True, kw_only=True, tag="account-remove", tag_field="verb"):
    """The last administrator stays. Answers AccountList."""

    name: str


class ChangePassword(Value, frozen=True, kw_only=True, tag="password", tag_field="verb"):
    """One's own; other sessions of the account end. Answers Done."""

    old: str
    new: str

    def __repr__(self) -> str:
        return "ChangePassword()"


class MakeToken(Value, frozen=True, kw_only=True, tag="token-make", tag_field="verb"):
    name: str
    role: AccountRole


class RemoveToken(Value, frozen=True, kw_only=True, tag="token-remove", tag_field="verb"):
    """Answers AccountList."""

    id: str


# --- answers ------------------------------------------------------------------------------------


class AccountView(Value, frozen=True, kw_only=True):
    """An account or a program's token, without its secret. Answer to Authenticate."""

    name: str
    role: AccountRole
    since: datetime
    is_program: bool = False
    id: str = ""
    """Of a program's token."""


class Session(Value, frozen=True, kw_only=True):
    """Answer to LogIn and UseSetupCode."""

    token: str
    account: AccountView
    expires: datetime

    def __repr__(self) -> str:
        return f"Session(account={self.account!r})"


class SetupCode(Value, frozen=True, kw_only=True):
    code: str
    expires: datetime
    url: str
    """Of this appliance's pages."""
    fingerprint: str
    """SHA-256 of the pages' certificate, as browsers show it; empty while there is none yet."""

    def __repr__(self) -> str:
        return f"SetupCode(expires={self.expires!r})"


class AccountList(Value, frozen=True, kw_only=True):
    accounts: tuple[AccountView, ...]
    tokens: tuple[AccountView, ...]


class NewToken(Value, frozen=True, kw_only=True):
    token: str
    """Shown once, kept nowhere."""
    view: AccountView

    def __repr__(self) -> str:
        return f"NewToken(view={self.view!r})"
