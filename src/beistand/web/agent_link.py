"""The agent, as a page sees it: one connection a request, opened when it is first asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from beistand.client import USUAL_SECONDS, Client, Told
from beistand.domain.errors import BeistandError, Refused
from beistand.domain.value import Value
from beistand.protocol import AccountView, Authenticate, GetStatus, Status

T = TypeVar("T")
GREETED_SECONDS = 4.0
"""For what an agent answers at once: nobody waits longer for a page that says that there is none."""
MISSING = ("agent-not-running", "agent-not-permitted", "agent-silent", "agent-gone", "agent-answer-wrong")
"""Codes that say nothing about what was asked: the agent itself is the trouble."""


def is_missing(error: BeistandError) -> bool:
    """Tell whether there is no agent to talk to, or none that talks back."""
    return error.message.code in MISSING and not isinstance(error, Told)


def is_refusal(error: BeistandError) -> bool:
    """Tell whether what was asked for has changed nothing."""
    return isinstance(error, Refused) or (isinstance(error, Told) and error.is_refusal)


class AgentLink:
    """Asks in the name of a session's or a program's token; without one only what is open to all."""

    def __init__(self, token: str = "", address: str = "", *, is_watching: bool = False) -> None:
        self._token = token
        self._address = address
        self._is_watching = is_watching
        self._client: Client | None = None
        self._account: AccountView | None = None
        self._status: Status | None = None
        self._missing: BeistandError | None = None
        """Why there is no agent: asked once a request, not once for each thing on the page."""

    @property
    def address(self) -> str:
        """Of the browser."""
        return self._address

    def account(self) -> AccountView | None:
        """Return whose token this is, None without one.

        Raises Told when the agent does not take the token any more.
        """
        if self._token:
            self._opened()
        return self._account

    def ask(self, request: Value, answer: type[T], seconds: float = USUAL_SECONDS) -> T:
        """Return the answer. Raises BeistandError: Told what the agent refused, or why nobody answered."""
        try:
            return self._opened().call(request, answer, seconds)
        except Told:
            raise
        except BeistandError:
            self.close()
            raise

    def status(self) -> Status:
        """Return the agent's status, asked once a request."""
        if self._status is None:
            try:
                self._status = self.ask(GetStatus(), Status, GREETED_SECONDS)
            except BeistandError as error:
                self._note(error)
                raise
        return self._status

    @contextmanager
    def confirmed(self, password: str, *, is_recent: bool = False) -> "Iterator[AgentLink]":
        """Yield a link that may do dangerous things: the agent checks the password of the session's account.

        `is_recent`: without a password, one that came with this session a moment ago is good for a takeover.

        Raises Told `wrong-password`, before anything was asked.
        """
        other = AgentLink(self._token, self._address)
        try:
            other._opened(password, is_recent=is_recent)
            yield other
        finally:
            other.close()

    def close(self) -> None:
        if self._client is not None:
            self._client.__exit__()
            self._client = None

    def _opened(self, password: str = "", *, is_recent: bool = False) -> Client:
        if self._missing is not None:
            raise self._missing
        if self._client is None:
            try:
                self._open(password, is_recent)
            except BeistandError as error:
                self._note(error)
                raise
        assert self._client is not None
        return self._client

    def _open(self, password: str, is_recent: bool) -> None:
        self._client = Client(greeted_within=GREETED_SECONDS).__enter__()
        if self._token:
            asked = Authenticate(
                token=self._token,
                address=self._address,
                password=password,
                is_watching=self._is_watching,
                is_recent=is_recent,
            )
            # A password takes the agent a moment, and many at once take turns.
            seconds = USUAL_SECONDS if password else GREETED_SECONDS
            self._account = self._client.call(asked, AccountView, seconds)

    def _note(self, error: BeistandError) -> None:
        if is_missing(error):
            self.close()
            self._missing = error
