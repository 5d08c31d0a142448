"""Accounts, sessions, tokens and the one-time code, as the agent answers for them."""

from __future__ import annotations

import secrets
import socket
from threading import Event
from typing import TYPE_CHECKING

import msgspec

from beistand.adapters.web_certificate import fingerprint
from beistand.agent.audit import read_audit
from beistand.agent.caller import Admitted
from beistand.agent.known_places import KnownPlaces
from beistand.agent.pair_settings import change_settings
from beistand.agent.recent_proofs import RecentProofs
from beistand.agent.sessions import Sessions, digest_of, mark_of, new_token
from beistand.agent.setup_code import SetupCodes
from beistand.agent.throttle import Throttle
from beistand.domain import places
from beistand.domain.account import (
    MOST_TOKENS,
    Account,
    AccountRole,
    ApiToken,
    account_of,
    name_problem,
    password_problem,
    plain_name,
    with_account,
    without_account,
)
from beistand.domain.errors import Refused
from beistand.protocol import (
    AccountList,
    AccountView,
    Authenticate,
    ChangePassword,
    Done,
    ListAccounts,
    LogIn,
    LogOut,
    MakeSetupCode,
    MakeToken,
    NewToken,
    PutAccount,
    ReadAudit,
    RemoveAccount,
    RemoveToken,
    Session,
    SetupCode,
    UseSetupCode,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beistand.agent.acts import Acts
    from beistand.agent.agent import Agent
    from beistand.agent.caller import Caller
    from beistand.domain.settings import PairSettings
    from beistand.domain.value import Value

WEB_PORT = 8443
UNKNOWN_NAMES = "unknown names"
"""Subject of the throttle: all names that nobody has, together."""


def acts(agent: Agent) -> Acts:
    """Return what is done for each request of this family."""
    accounts = agent.accounts
    return {
        LogIn: accounts.log_in,
        LogOut: accounts.log_out,
        Authenticate: accounts.authenticate,
        MakeSetupCode: accounts.make_setup_code,
        UseSetupCode: accounts.use_setup_code,
        ListAccounts: accounts.list,
        PutAccount: accounts.put,
        RemoveAccount: accounts.remove,
        ChangePassword: accounts.change_password,
        MakeToken: accounts.make_token,
        RemoveToken: accounts.remove_token,
        ReadAudit: lambda request, _caller: read_audit(agent, request),
    }


class Accounts:
    """Who people are. Works before `init`, too: the pages are the way there."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._passwords = agent.wiring.passwords
        self._sessions = Sessions(agent.store, agent.clock)
        self._codes = SetupCodes(agent.store, agent.clock)
        self._throttle = Throttle(agent.clock.monotonic)
        self._places = KnownPlaces(agent)
        self.proofs = RecentProofs(agent.clock.monotonic)

    # --- who is it ------------------------------------------------------------------------------

    def log_in(self, request: LogIn, _caller: Caller) -> Session:
        name, address = plain_name(request.name), request.address[:64]
        account = self._proven(name, request.password, [f"address {address}"], address=address)
        self._places.learn(account.name, address)
        return self._opened(account)

    def log_out(self, _request: LogOut, caller: Caller) -> Value:
        if not caller.credential:
            raise Refused("not-logged-in")
        self._sessions.end(caller.credential)
        return Done()

    def authenticate(self, request: Authenticate, caller: Caller) -> Admitted:
        """Raise Refused `session-ended`, `log-in-wrong`, `too-many-tries`, `needs-administrator`."""
        digest = digest_of(request.token)
        view = self._view_of(digest, is_use=not request.is_watching)
        if view is None:
            raise Refused("session-ended")
        admitted = msgspec.structs.replace(
            caller.as_nobody(),
            account=f"token:{view.name}" if view.is_program else view.name,
            role=view.role,
            address=request.address,
            credential=digest,
            is_watching=request.is_watching,
        )
        if request.password:
            sure = self._sure(request, view, digest)
            admitted = msgspec.structs.replace(admitted, sure_as=sure.name, sure_mark=mark_of(sure))
            if sure.name == view.name and not view.is_program:
                self.proofs.remember(digest, mark_of(sure))
        elif request.is_recent:
            admitted = msgspec.structs.replace(admitted, lately_mark=self.proofs.recall(digest))
        return Admitted(caller=admitted, view=view)

    def fresh(self, caller: Caller) -> Caller:
        """Return what the caller is now: a session may have ended, a role changed since `Authenticate`.

        Raises Refused `session-ended`.
        """
        if not caller.credential:
            return caller
        view = self._view_of(caller.credential, is_use=not caller.is_watching)
        if view is None:
            raise Refused("session-ended")
        sure = account_of(self._settings().accounts, caller.sure_as)
        if sure is None or not sure.is_administrator or mark_of(sure) != caller.sure_mark:
            caller = msgspec.structs.replace(caller, sure_as="", sure_mark="")
        own = account_of(self._settings().accounts, view.name)
        is_proven = own is not None and mark_of(own) == self.proofs.recall(caller.credential)
        lately = caller.lately_mark if is_proven else ""
        return msgspec.structs.replace(caller, role=view.role, lately_mark=lately)

    def owner(self, token: str) -> str:
        """Return whose session or token this is, empty when it is nobody's."""
        view = self._view_of(digest_of(token))
        return "" if view is None else f"token:{view.name}" if view.is_program else view.name

    # --- the way in from the console ------------------------------------------------------------

    def make_setup_code(self, _request: MakeSetupCode, _caller: Caller) -> SetupCode:
        code, expires = self._codes.make()
        return SetupCode(
            code=code,
            expires=expires,
            url=f"https://{self._pages()}:{WEB_PORT}/",
            fingerprint=fingerprint(self._agent.wiring.places.web_certificate),
        )

    def _pages(self) -> str:
        """Return the address of the pages; the host name where several could be it, and nobody has said which."""
        if self._agent.is_initialised:
            return self._agent.node.installation.own_ip
        candidates = [address for address, _ in self._agent.wiring.addresses.candidates()]
        return candidates[0].partition("/")[0] if len(candidates) == 1 else socket.gethostname()

    def use_setup_code(self, request: UseSetupCode, _caller: Caller) -> Session:
        name = plain_name(request.name)
        _check(name, request.password)
        subjects = [f"setup code {request.address}"]
        moment = self._throttle.take(subjects)

        def change(settings: PairSettings) -> PairSettings:
            # What may be refused comes first: the code is used up by what happens, not by what was tried.
            self._with(settings, name, AccountRole.ADMINISTRATOR, "")
            self._codes.use(request.code)
            verifier = self._passwords.verifier(request.password)
            return self._with(settings, name, AccountRole.ADMINISTRATOR, verifier)

        changed = change_settings(self._agent, change, is_at_console=True)
        self._throttle.give_back(subjects, moment)
        account = account_of(changed.accounts, name)
        assert account is not None
        self._places.learn(account.name, request.address[:64])
        return self._opened(account)

    # --- accounts and tokens --------------------------------------------------------------------

    def list(self, _request: ListAccounts, _caller: Caller) -> AccountList:
        return _listed(self._settings())

    def put(self, request: PutAccount, caller: Caller) -> AccountList:
        name = plain_name(request.name)
        known = account_of(self._settings().accounts, name)
        if request.password or known is None:
            _check(name, request.password)
        verifier = self._passwords.verifier(request.password) if request.password else ""

        def change(settings: PairSettings) -> PairSettings:
            return self._with(settings, name, request.role, verifier)

        # On the standby of a silent active a person at its console sets any account: nobody is locked out by what
        # a broken-in active pushed.
        return _listed(change_settings(self._agent, change, is_at_console=caller.is_at_console))

    def remove(self, request: RemoveAccount, caller: Caller) -> AccountList:
        def change(settings: PairSettings) -> PairSettings:
            name = plain_name(request.name)
            return msgspec.structs.replace(
                settings,
                accounts=without_account(settings.accounts, name),
                known_places=places.without_account(settings.known_places, name),
            )

        # On the standby of a silent active a person at its console takes back whom a broken-in active made.
        return _listed(change_settings(self._agent, change, is_at_console=caller.is_at_console))

    def change_password(self, request: ChangePassword, caller: Caller) -> Value:
        """Raise Refused `not-logged-in`: at the console there is no password of one's own, a program has none."""
        known = account_of(self._settings().accounts, caller.account)
        if known is None:
            raise Refused("not-logged-in")
        self._proven(known.name, request.old, [], session=caller.credential)
        _check(known.name, request.new)
        verifier = self._passwords.verifier(request.new)

        def change(settings: PairSettings) -> PairSettings:
            return self._with(settings, known.name, known.role, verifier)

        changed = account_of(change_settings(self._agent, change).accounts, known.name)
        assert changed is not None
        self._sessions.keep_with(caller.credential, changed)
        return Done()

    def make_token(self, request: MakeToken, caller: Caller) -> NewToken:
        name, secret = plain_name(request.name), new_token()
        if problem := name_problem(name):
            raise Refused(problem.code, **problem.fields)
        token = ApiToken(
            id=secrets.token_hex(4),
            name=name,
            role=request.role,
            digest=digest_of(secret),
            since=self._agent.clock.now(),
            by=caller.who,
        )

        def change(settings: PairSettings) -> PairSettings:
            if len(settings.tokens) >= MOST_TOKENS:
                raise Refused("too-many-tokens", most=MOST_TOKENS)
            return msgspec.structs.replace(settings, tokens=(*settings.tokens, token))

        change_settings(self._agent, change)
        return NewToken(token=secret, view=_token_view(token))

    def remove_token(self, request: RemoveToken, caller: Caller) -> AccountList:
        def change(settings: PairSettings) -> PairSettings:
            left = tuple(each for each in settings.tokens if each.id != request.id)
            if len(left) == len(settings.tokens):
                raise Refused("unknown-token", id=request.id)
            return msgspec.structs.replace(settings, tokens=left)

        return _listed(change_settings(self._agent, change, is_at_console=caller.is_at_console))

    # --- inside ---------------------------------------------------------------------------------

    def _settings(self) -> PairSettings:
        return self._agent.store.settings()

    def _view_of(self, digest: str, *, is_use: bool = True) -> AccountView | None:
        """Return whose session or token this is."""
        account = self._sessions.account(digest, is_use=is_use)
        if account is not None:
            return _view(account)
        token = next((each for each in self._settings().tokens if each.digest == digest), None)
        return _token_view(token) if token else None

    def _opened(self, account: Account) -> Session:
        token, session = self._sessions.open(account)
        return Session(token=token, account=_view(account), expires=session.expires)

    def _sure(self, request: Authenticate, view: AccountView, session: str) -> Account:
        """Return the administrator whose password came with the session or token."""
        own = "" if view.is_program else view.name
        name = plain_name(request.name) or own
        if name == own:
            account = self._proven(name, request.password, [], session=session)
        else:
            address = request.address[:64]
            account = self._proven(name, request.password, [f"address {address}"], address=address)
        if not account.is_administrator:
            raise Refused("needs-administrator")
        return account

    def _proven(
        self,
        name: str,
        password: str,
        subjects: Sequence[str],
        *,
        session: str = "",
        address: str = "",
    ) -> Account:
        """Return the account whose password this is. Raises Refused `log-in-wrong`, `too-many-tries`.

        Who is logged in has tries of his own in this `session`, and so has who logs in from an `address` where he did
        before: guessing at his name from elsewhere, or in a session that was stolen, must not keep him from the click.
        Whoever comes from another address, from which nobody guesses, is kept waiting for seconds at most.
        """
        account = account_of(self._settings().accounts, name)
        if account is None:
            whose = UNKNOWN_NAMES
        elif session:
            whose = f"session {session}"
        else:
            whose = f"account {name} at {address}" if self._places.knows(name, address) else f"account {name}"
        moment, seconds = self._throttle.take_or_wait(subjects, whose)
        if seconds:
            self._agent.clock.wait(Event(), seconds)
        if not self._passwords.fits(password, account.verifier if account else None) or account is None:
            raise Refused("log-in-wrong")
        self._throttle.give_back([*subjects, whose], moment)
        return account

    def _with(self, settings: PairSettings, name: str, role: AccountRole, verifier: str) -> PairSettings:
        """Return the settings with this account; an empty verifier leaves the one that is there."""
        known = account_of(settings.accounts, name)
        account = Account(
            name=name,
            role=role,
            verifier=verifier or (known.verifier if known else ""),
            since=known.since if known else self._agent.clock.now(),
        )
        return msgspec.structs.replace(settings, accounts=with_account(settings.accounts, account))


def _check(name: str, password: str) -> None:
    if problem := name_problem(name) or password_problem(name, password):
        raise Refused(problem.code, **problem.fields)


def _view(account: Account) -> AccountView:
    return AccountView(name=account.name, role=account.role, since=account.since)


def _token_view(token: ApiToken) -> AccountView:
    return AccountView(name=token.name, role=token.role, since=token.since, is_program=True, id=token.id)


def _listed(settings: PairSettings) -> AccountList:
    return AccountList(
        accounts=tuple(_view(each) for each in settings.accounts),
        tokens=tuple(_token_view(each) for each in settings.tokens),
    )
