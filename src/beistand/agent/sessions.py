"""Sessions of people who logged in: kept as digests, over a restart of the agent too."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock

import msgspec

from beistand.agent.log import log_message
from beistand.domain.account import Account, account_of
from beistand.domain.errors import BeistandError
from beistand.domain.value import Value
from beistand.ports.clock import Clock
from beistand.ports.store import Store

LONGEST = timedelta(hours=12)
LONGEST_IDLE = timedelta(hours=2)
TOUCH = timedelta(minutes=1)
"""The last use is written down so exactly: not every picture of a page shall wait for the disk."""
MOST_OF_ONE = 20
"""Sessions of one account; the oldest ends."""
DOCUMENT = "sessions"


class OpenSession(Value, frozen=True, kw_only=True):
    digest: str
    """SHA-256 of its token, hexadecimal."""
    account: str
    mark: str
    """Of the password it was opened with: another one ends it, also one that came from the peer."""
    since: datetime
    used: datetime

    @property
    def expires(self) -> datetime:
        return min(self.since + LONGEST, self.used + LONGEST_IDLE)


def new_token() -> str:
    """Return 256 random bits, in signs that go into a header or a cookie."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    return sha256(token.encode(errors="surrogatepass")).hexdigest()


def mark_of(account: Account) -> str:
    """Return what changes with the password and tells nothing about it."""
    return sha256(account.verifier.encode()).hexdigest()[:32]


class Sessions:
    """Identity of this appliance: a session of one page is none of the other's."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = Lock()
        self._sessions: list[OpenSession] | None = None

    def open(self, account: Account) -> tuple[str, OpenSession]:
        """Return the new session and its token, which is kept nowhere."""
        token, now = new_token(), self._clock.now()
        session = OpenSession(
            digest=digest_of(token), account=account.name, mark=mark_of(account), since=now, used=now
        )
        with self._lock:
            others = [each for each in self._living() if each.account != account.name]
            its = [each for each in self._living() if each.account == account.name]
            self._save([*others, *its[-(MOST_OF_ONE - 1) :], session])
        return token, session

    def account(self, digest: str, *, is_use: bool = True) -> Account | None:
        """Return whose session this is, None when it has ended; it was used just now, or only looked up."""
        with self._lock:
            sessions = self._living()
            session = next((each for each in sessions if each.digest == digest), None)
            if session is None:
                return None
            account = account_of(self._store.settings().accounts, session.account)
            if account is None or mark_of(account) != session.mark:
                return None
            now = self._clock.now()
            if is_use and now - session.used >= TOUCH:
                used = msgspec.structs.replace(session, used=now)
                self._save([used if each is session else each for each in sessions])
            return account

    def end(self, digest: str) -> None:
        with self._lock:
            self._save([each for each in self._living() if each.digest != digest])

    def keep_with(self, digest: str, account: Account) -> None:
        """Let this session live on with the password that its owner has just chosen."""
        with self._lock:
            self._save(
                [
                    msgspec.structs.replace(each, mark=mark_of(account)) if each.digest == digest else each
                    for each in self._living()
                ]
            )

    def _living(self) -> list[OpenSession]:
        if self._sessions is None:
            self._sessions = _read(self._store.get(DOCUMENT))
        now = self._clock.now()
        # One from the future was opened before the clock was set back, and nobody knows by how much.
        return [each for each in self._sessions if each.since - TOUCH <= now < each.expires]

    def _save(self, sessions: list[OpenSession]) -> None:
        self._sessions = sessions
        try:
            self._store.put(DOCUMENT, msgspec.json.encode(sessions))
        except BeistandError as error:
            # A full disk must not keep an administrator from the click: it is known until the agent ends.
            log_message(error.message, "warning")


def _read(body: bytes | None) -> list[OpenSession]:
    try:
        return msgspec.json.decode(body, type=list[OpenSession]) if body else []
    except msgspec.MsgspecError:
        return []  # of another version: everybody logs in anew
