"""The link to the peer: greetings every two seconds, in both directions, and what was heard last."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from threading import Event, Lock, Thread

from beistand.agent.log import Complaints, log, log_message
from beistand.domain.errors import BeistandError
from beistand.domain.message import Message
from beistand.domain.pair import Greeting
from beistand.ports.clock import Clock
from beistand.ports.peer import Peer

GREET_SECONDS = 2.0
GREET_WITHIN = 3.0
CONNECT_WITHIN = 15.0
"""The first answer over a new line: two slow machines make keys and start programs for it."""
CONNECTED_SECONDS = 7.0
"""Heard within so long: connected. Three greetings may be lost."""
OTHER_PROTOCOL = "protocol-differs"
"""Why a peer of another version takes no greeting (F15)."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    greeting: Greeting
    at: float
    """Monotonic seconds."""


class Link:
    """Greets the peer and passes on what it says, whichever side began."""

    def __init__(
        self,
        clock: Clock,
        peer: Callable[[], Peer | None],
        my_greeting: Callable[[], Greeting | None],
        news: Callable[[Greeting, bool], None],
        check: Callable[[Greeting], None] = lambda _greeting: None,
    ) -> None:
        """`check` raises BeistandError where an answer says what no appliance can mean: then it is none."""
        self._clock = clock
        self._peer = peer
        self._my_greeting = my_greeting
        self._news = news
        self._check = check
        self._lock = Lock()
        self._heard: Heard | None = None
        self._began = clock.monotonic()
        self._answered = self._began
        self._was_answered = False
        self._failed = -inf
        """When a question of ours failed last."""
        self._why: Message | None = None
        self._complaints = Complaints(clock.monotonic)
        self._now = Event()
        self._stopping = False
        self.on_heard: Callable[[], None] | None = None
        """Called when the peer has greeted us by itself: pairing waits for it."""
        self.on_answer: Callable[[Greeting], None] = lambda _greeting: None
        """Called in the thread of the link when the peer answered: the time to tell it more."""

    def start(self) -> None:
        Thread(target=self._run, name="link", daemon=True).start()

    def stop(self) -> None:
        self._stopping = True
        self._now.set()

    def greet_now(self) -> None:
        """Do not wait for the next turn: something changed that the peer should know."""
        self._now.set()

    def forget(self) -> None:
        """Begin anew, with a new peer."""
        with self._lock:
            self._heard, self._why, self._began = None, None, self._clock.monotonic()
            self._answered, self._was_answered, self._failed = self._began, False, -inf
        self._now.set()

    def greeted(self, greeting: Greeting) -> None:
        """Take a greeting that the peer sent by itself, now or before a line broke that has healed since."""
        self.heard(greeting)
        if self.on_heard is not None:
            self.on_heard()

    def heard(self, greeting: Greeting, *, ends_silence: bool = False) -> None:
        """Take what the peer said. `ends_silence`: it is the first answer to a question of ours for a while."""
        with self._lock:
            was_silent = self._heard is None or self._since(self._heard.at) >= CONNECTED_SECONDS
            if was_silent:
                log("peer-heard", host=greeting.appliance.host, address=greeting.appliance.own_address)
            self._heard = Heard(greeting=greeting, at=self._clock.monotonic())
        self._news(greeting, ends_silence)

    def last(self) -> Greeting | None:
        """Return what the peer said last, however long ago, since this agent started."""
        with self._lock:
            return self._heard.greeting if self._heard else None

    def current(self) -> Greeting | None:
        """Return what the peer said last, None when it has been silent for too long."""
        return self.last() if self.is_connected() else None

    def is_connected(self) -> bool:
        with self._lock:
            return self._heard is not None and self._since(self._heard.at) < CONNECTED_SECONDS

    def silent_seconds(self) -> float:
        with self._lock:
            return self._since(self._heard.at if self._heard else self._began)

    def unanswered_seconds(self) -> float:
        """Return for how long no greeting of ours was answered: what the peer said by itself may be an old word."""
        with self._lock:
            return self._since(self._answered)

    def failed_within(self, seconds: float) -> bool:
        """Tell whether the peer's agent was asked in vain just now: silence of an agent that nobody asked is none."""
        with self._lock:
            return self._since(self._failed) < seconds

    def why_unreached(self) -> Message | None:
        """Return why our own greetings fail, once they have for a while: the peer may still be heard.

        A peer of another protocol has answered clearly: that is told at once.
        """
        with self._lock:
            is_due = self._is_refused() or self._since(self._answered) >= CONNECTED_SECONDS
            return self._why if is_due else None

    def speaks_otherwise(self) -> bool:
        """Tell whether the peer answered our last greeting in another protocol: release and resume it understands."""
        with self._lock:
            return self._is_refused()

    def _is_refused(self) -> bool:
        return self._why is not None and self._why.code == OTHER_PROTOCOL

    def ask(self, seconds: float = GREET_WITHIN) -> Greeting | None:
        """Greet the peer now and return its answer; None when it does not answer in time."""
        peer, mine = self._peer(), self._my_greeting()
        if peer is None or mine is None:
            return None
        try:
            answer = peer.greet(mine, seconds)
            self._check(answer)
        except BeistandError as error:
            self._silent(error.message)
            return None
        with self._lock:
            ends_silence = not self._was_answered or self._since(self._answered) >= CONNECTED_SECONDS
            self._why, self._answered, self._was_answered = None, self._clock.monotonic(), True
        self.heard(answer, ends_silence=ends_silence)
        return answer

    def _silent(self, why: Message) -> None:
        with self._lock:
            is_new = self._why is None or self._why.code != why.code
            self._why, self._failed = why, self._clock.monotonic()
        if is_new:
            log_message(why, "warning")

    def _since(self, moment: float) -> float:
        return self._clock.monotonic() - moment

    def turn(self) -> None:
        """Greet once, whatever comes of it: a line that failed in any way is tried again."""
        with self._complaints.about("link", "error"):
            greeting = self.ask(GREET_WITHIN if self.is_connected() else CONNECT_WITHIN)
            if greeting is not None:
                self.on_answer(greeting)

    def _run(self) -> None:
        while not self._stopping:
            self.turn()
            self._clock.wait(self._now, GREET_SECONDS)
            self._now.clear()
