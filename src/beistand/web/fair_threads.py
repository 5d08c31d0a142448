"""Threads for requests, shared out fairly: whoever asks much waits for itself, and not everybody for it (F12).

A queue in which the first comes first lets one viewer's 480 requests keep an administrator from the click for half a
minute. Here each address has its turn, and in each address each session.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from threading import Condition, Thread
from typing import Any, NamedTuple


class Whose(NamedTuple):
    """Who asks, as far as it is known before anybody looks at the request."""

    address: str
    session: str = ""
    """Of the cookie or the token; empty: none. What it is worth nobody knows yet, so the address comes first."""

    @property
    def name(self) -> str:
        """Of the session, whatever addresses it comes from; without one, of all that come from this address so."""
        return self.session or f"address {self.address}"


class _Job(NamedTuple):
    act: Callable[[], Any]
    future: Future[Any]


Queues = OrderedDict[str, OrderedDict[str, deque[_Job]]]
"""By address and session; who had its turn goes to the end of both."""


class FairThreads(Executor):
    def __init__(self, threads: int) -> None:
        """A session gets half of the threads at most, an address three quarters."""
        self._most_of_session, self._most_of_address = max(1, threads // 2), max(1, threads * 3 // 4)
        self._changed = Condition()
        self._waiting: Queues = OrderedDict()
        self._of_session: Counter[str] = Counter()
        self._of_address: Counter[str] = Counter()
        self._is_over = False
        for number in range(threads):
            Thread(target=self._run, name=f"request-{number}", daemon=True).start()

    def submit(self, act: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        """Do this when it is its turn. What is given first has `whose`: a `Whose`."""
        return self.submit_for(args[0].whose, lambda: act(*args, **named))

    def submit_for(self, whose: Whose, act: Callable[[], Any]) -> Future[Any]:
        job = _Job(act, Future())
        with self._changed:
            if self._is_over:
                raise RuntimeError("no request is taken any more")
            sessions = self._waiting.setdefault(whose.address, OrderedDict())
            sessions.setdefault(whose.session, deque()).append(job)
            self._changed.notify()
        return job.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002  Executor's
        """Take nothing more; what waits is still done."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _run(self) -> None:
        while (found := self._taken()) is not None:
            whose, job = found
            try:
                if job.future.set_running_or_notify_cancel():
                    self._do(job)
            finally:
                self._left(whose)

    @staticmethod
    def _do(job: _Job) -> None:
        try:
            job.future.set_result(job.act())
        except BaseException as error:  # noqa: BLE001  it is told to whoever waits for it, as any executor does
            job.future.set_exception(error)

    def _taken(self) -> tuple[Whose, _Job] | None:
        with self._changed:
            while True:
                if (found := self._next()) is not None:
                    return found
                if self._is_over and not self._waiting:
                    return None
                self._changed.wait()

    def _next(self) -> tuple[Whose, _Job] | None:
        """Return whose turn it is, of those who may have one more thread."""
        for address, sessions in self._waiting.items():
            if self._of_address[address] >= self._most_of_address:
                continue
            for session, jobs in sessions.items():
                whose = Whose(address, session)
                if self._of_session[whose.name] < self._most_of_session:
                    job = jobs.popleft()
                    self._had_its_turn(whose)
                    return whose, job
        return None

    def _had_its_turn(self, whose: Whose) -> None:
        sessions = self._waiting[whose.address]
        if sessions[whose.session]:
            sessions.move_to_end(whose.session)
        else:
            del sessions[whose.session]
        if sessions:
            self._waiting.move_to_end(whose.address)
        else:
            del self._waiting[whose.address]
        self._of_session[whose.name] += 1
        self._of_address[whose.address] += 1

    def _left(self, whose: Whose) -> None:
        with self._changed:
            for counter, key in ((self._of_session, whose.name), (self._of_address, whose.address)):
                counter[key] -= 1
                if not counter[key]:
                    del counter[key]
            self._changed.notify()
